"""The approximate cache: exact when refreshed at every step, its error measured, never used unasked."""

import json

import pytest
import torch

from dcomplete.cli import run
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.staleness import staleness
from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Prompt
from dcomplete.types import InfillRequest
from tests.conftest import SPECIALS, install_tiny, make_family

FULL = ["full", "full-shifted"]


@pytest.mark.parametrize("regime", FULL)
def test_kept_for_one_step_it_is_exact(regime, tokens):
    seen = staleness(LocalEngine(make_family(regime), tokens), 1)
    assert seen.nats == pytest.approx(0.0, abs=1e-6) and seen.agreement == 1.0
    assert seen.computed == 1.0


@pytest.mark.parametrize("regime", FULL)
def test_kept_for_longer_it_computes_less_and_its_error_shows(regime, tokens):
    engine = LocalEngine(make_family(regime), tokens)
    two, eight = staleness(engine, 2), staleness(engine, 8)
    assert two.nats > 0 and eight.nats > 0
    assert two.nats < 1.0 and two.agreement > 0.7, "an approximation, not another model"
    assert eight.computed < two.computed < 0.7


@pytest.mark.parametrize("regime", FULL)
def test_what_is_kept_is_what_the_first_pass_saw(regime):
    """The twin: one pass over everything, then the gap's own keys and values alone are replaced."""
    family = make_family(regime)
    prompt = Prompt([20, 21, 22], [30, 31])
    canvas = Canvas.build([[6], [3]], SPECIALS.mask)
    with family.open(prompt, stale=3) as session:
        first = session.states(canvas)
        with family.open(prompt) as exact:
            torch.testing.assert_close(first, exact.states(canvas))
        where = torch.zeros_like(canvas.open)
        where[0, 2] = where[1, 1] = True
        canvas.commit(where, torch.full_like(canvas.ids, 40), canvas.confidence)
        second = session.states(canvas)
        with family.open(prompt) as exact:
            real = exact.states(canvas)
        assert not torch.allclose(second, real), "the context is old"
        computed = session.computed
        canvas.commit(where.roll(1, 1), torch.full_like(canvas.ids, 41), canvas.confidence)
        session.states(canvas)
        assert session.computed - computed <= 2 * (6 + 1), "the gap alone, and the token before it"
        canvas.commit(where.roll(2, 1), torch.full_like(canvas.ids, 42), canvas.confidence)
        with family.open(prompt) as exact:
            torch.testing.assert_close(session.states(canvas), exact.states(canvas))


def test_another_size_of_the_gap_is_computed_anew():
    family = make_family("full")
    with family.open(Prompt([20, 21], [30]), stale=9) as session:
        for size in (4, 5, 3):
            canvas = Canvas.build([[size]], SPECIALS.mask)
            with family.open(Prompt([20, 21], [30])) as exact:
                torch.testing.assert_close(session.states(canvas), exact.states(canvas))


def test_nobody_gets_it_without_asking():
    assert InfillRequest("a").stale == 1
    with pytest.raises(UserError, match="Stale"):
        LocalEngine(make_family("full"), None).infill(InfillRequest("a", stale=0))  # type: ignore[arg-type]


def test_a_request_may_ask_for_it(tokens):
    engine = LocalEngine(make_family("full"), tokens)
    request = {"suffix": "\nend\n" * 9, "length": "8", "policy": "topk"}
    exact = engine.infill(InfillRequest("value = 1\n" * 9, **request))
    stale = engine.infill(InfillRequest("value = 1\n" * 9, **request, stale=4))
    assert stale.tokens_computed < exact.tokens_computed / 2 and stale.best.texts


def test_an_exact_cache_has_nothing_to_measure(tokens):
    with pytest.raises(UserError, match="exactly"):
        staleness(LocalEngine(make_family(), tokens), 2)


def test_the_command_line_measures_it(data_home, capsys):
    install_tiny(data_home, "wide", regime="full")
    assert run(["models", "check", "wide", "--stale", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["refresh"] == 4 and said["computed"] < 1
    assert run(["models", "check", "wide", "--stale", "4"]) == 0
    assert "nats off" in capsys.readouterr().out
