"""A gap read a few tokens at a time is what one pass over the whole of it reads."""

import pytest
import torch

from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.models.onward import Onward
from dcomplete.models.regimes import Prompt
from tests.conftest import SPECIALS, make_family

PROMPT = Prompt([10, 20, 30, 40, 50], [60, 70])
GAP = [11, 12, 13, 14, 15, 16, 17]


def whole(session: Session, ids: list[int]) -> torch.Tensor:
    """The twin: states behind each of `ids`, the context's own first."""
    row = [*ids, SPECIALS.fill]  # whose cell is predicted by the last of them
    canvas = Canvas.from_rows([row], [[0] * len(row)], SPECIALS.mask)
    states = session.causal_states(canvas)
    assert states is not None
    return states[0]


@pytest.mark.parametrize("regime", ["suffix-first", "prefix-first"])
@pytest.mark.parametrize("pieces", [(0, 1, 2, 7), (7,), (3, 3, 5), (6, 2, 4)])
def test_pieces_are_the_whole(regime, pieces):
    family = make_family(regime)
    with family.open(PROMPT) as session, family.open(PROMPT, reuse=False) as twin:
        onward = Onward(session)
        for count in pieces:
            states = onward.states(GAP[:count])
            torch.testing.assert_close(states, whole(twin, GAP[:count]), atol=1e-5, rtol=1e-4)


def test_a_corrected_token_is_read_anew_and_only_from_there():
    family = make_family()
    with family.open(PROMPT) as session, family.open(PROMPT, reuse=False) as twin:
        onward = Onward(session)
        onward.states(GAP)
        before = session.computed
        corrected = [*GAP[:4], 99, 98]
        states = onward.states(corrected)
        assert session.computed - before == 2
        torch.testing.assert_close(states, whole(twin, corrected), atol=1e-5, rtol=1e-4)


def test_a_pass_over_a_canvas_between_is_noticed():
    family = make_family()
    with family.open(PROMPT) as session, family.open(PROMPT, reuse=False) as twin:
        onward = Onward(session)
        onward.states(GAP[:3])
        canvas = Canvas.build([[8]], SPECIALS.mask)
        over = session.states(canvas)  # stands where the three stood
        torch.testing.assert_close(over, twin.states(canvas), atol=1e-5, rtol=1e-4)
        states = onward.states(GAP[:5])
        torch.testing.assert_close(states, whole(twin, GAP[:5]), atol=1e-5, rtol=1e-4)


def test_the_next_request_finds_a_clean_context():
    family = make_family()
    with family.open(PROMPT) as session:
        Onward(session).states(GAP)
    longer = Prompt([*PROMPT.prefix, 77], PROMPT.suffix)
    canvas = Canvas.build([[8]], SPECIALS.mask)
    with family.open(longer) as session, family.open(longer, reuse=False) as twin:
        torch.testing.assert_close(
            session.states(canvas), twin.states(canvas), atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("regime", ["full", "block-causal"])
def test_other_layouts_cannot_be_read_so(regime):
    with make_family(regime).open(PROMPT) as session:
        assert not Onward(session).possible
