"""Short causal passes with a draft: the answers of `verify`, for fewer and cheaper passes."""

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from dcomplete.engine.constraints import Constraint, Free
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.lengths import CloseAfterFill
from dcomplete.engine.policies import policy
from dcomplete.engine.speculation import Seen, speculate
from dcomplete.errors import Cancelled
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Prompt
from dcomplete.types import CancelToken, Finish, Infill, InfillRequest
from tests.conftest import SPECIALS, make_family
from tests.engine.test_tokens import TOKENS

PREFIX, SUFFIX = "def f(x):\n    ", "\n\nprint(f(2))\n"
VERIFY = InfillRequest(PREFIX, SUFFIX, policy="verify", max_tokens=48)
PROMPT = Prompt([10, 20, 30, 10, 20, 30, 40], [50, 60, 70, 80, 50, 60])


def answered(
    request: InfillRequest,
    few: int,
    seed: int = 0,
    constraint: Constraint | None = None,
    label: str = "bfloat16",
) -> Infill:
    """By a family that looks at a canvas first, unless `label` says otherwise."""
    family = make_family(seed=seed)
    family.few, family.label = few, label
    return LocalEngine(family, TOKENS, constraint=constraint).infill(request)


@pytest.fixture
def same_canvases(monkeypatch, label):
    """A canvas as large as without short passes: without a look at one, the largest."""
    if label == "bfloat16":
        monkeypatch.setattr("dcomplete.engine.opening._AMPLE", 0)
    else:
        monkeypatch.setattr("dcomplete.engine.opening.bucket", lambda odds, sure, limit: limit)


@pytest.mark.usefixtures("same_canvases")
@pytest.mark.parametrize("label", ["float32", "bfloat16"])
@pytest.mark.parametrize("few", [1, 4])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"length": "12"},
        {"suffix": ""},
        {"prefix": "def f(x):\n    retu"},  # a healed token
        {"suffix": "urn x\n"},
        {"branches": 4},
        {"temperature": 0.7, "samples": 1, "seed": 3, "top_p": 1e-6},
        {"max_tokens": 5},
    ],
)
def test_the_answer_is_that_of_the_whole_passes(change, seed, few, label):
    request = replace(VERIFY, **change)
    expected, found = answered(request, 0, seed), answered(request, few, seed, label=label)
    assert [a.texts for a in found.answers] == [a.texts for a in expected.answers]
    assert found.best.finish is expected.best.finish
    assert found.best.score == pytest.approx(expected.best.score, abs=1e-4)


def test_a_pass_takes_no_more_tokens_than_are_cheap():
    family = make_family()
    family.few = 3
    sizes = []
    with family.open(PROMPT) as session:
        session.prefill()
        real = session._forward
        session._forward = lambda frame: sizes.append(len(frame)) or real(frame)
        canvas = Canvas.build([[16]], SPECIALS.mask)
        session.states(canvas)
        plan = Plan(policy("verify"), shortcut=speculate)
        assert list(denoise(session, canvas, plan))[-1] is Finish.DONE
    assert sizes[0] == 16
    assert max(sizes[1:]) <= 3
    assert not canvas.open.any()


def ascii_of(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii())


@pytest.mark.parametrize("few", [0, 4])
def test_whoever_watches_sees_the_whole_answer_grow_from_the_left(few):
    """Also where it goes on behind a canvas: what is shown begins with what was shown before."""
    family = make_family()
    family.few, family.label = few, "bfloat16"
    shown = []
    done = LocalEngine(family, TOKENS).infill(
        VERIFY, watch=lambda step, rows: shown.append(rows[0])
    )
    assert done.best.tokens > len(shown[0])  # more than one canvas
    assert not few or len(shown[0]) == 32  # as ample as costs nothing
    heads = []
    for row in shown:
        opened = [cell.text is None for cell in row]
        assert opened == sorted(opened)
        heads.append("".join(cell.text for cell in row if cell.text is not None))
    assert all(after.startswith(before) for before, after in pairwise(heads))
    assert ascii_of(heads[-1]) == ascii_of(done.best.texts[0])  # a cell may be half a letter


@pytest.mark.parametrize("limit", ["deadline", "steps"])
def test_what_is_left_when_time_is_up_is_proposed_at_once(limit):
    change = {"deadline_ms": 0} if limit == "deadline" else {"steps": 1}
    request = replace(VERIFY, **change)
    expected, found = answered(request, 0), answered(request, 4)
    assert found.best.texts == expected.best.texts
    assert found.best.finish.value == limit
    assert found.forwards == expected.forwards


@pytest.mark.parametrize("few", [0, 4])
def test_no_more_steps_are_made_than_were_asked_for(few):
    found = answered(replace(VERIFY, steps=3), few)
    assert found.steps == 3
    assert found.best.finish is Finish.STEPS


def test_a_request_is_given_up_between_passes():
    token = CancelToken()
    family = make_family()
    family.few = 1
    steps = []

    def watch(step, rows):
        steps.append(step)
        if step == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        LocalEngine(family, TOKENS).infill(VERIFY, token, watch)
    assert steps == [0, 1, 2]


@dataclass(frozen=True)
class NeverTwice(Free):
    """No token twice: something that only the canvas as a whole tells."""

    strict: bool = True

    def accepts(self, canvas, row, column, token):
        return token not in canvas.ids[row, :column].tolist()


@pytest.mark.parametrize(
    ("rows", "plan"),
    [
        ([[8], [8]], Plan(policy("verify"))),
        ([[8, [9], 8]], Plan(policy("verify"))),
        ([[8]], Plan(policy("threshold"))),
        ([[8]], Plan(policy("verify"), constraint=NeverTwice())),
    ],
    ids=["rows", "gaps", "policy", "strict"],
)
def test_everything_else_is_left_to_the_loop(rows, plan):
    family = make_family()
    family.few = 4
    with family.open(PROMPT) as session:
        canvas = Canvas.build(rows, SPECIALS.mask)
        assert list(speculate(session, canvas, plan)) == []
        assert bool(canvas.open.all()) or canvas.gaps == 2


def test_a_canvas_decided_in_places_is_left_to_the_loop():
    family = make_family()
    family.few = 4
    with family.open(PROMPT) as session:
        canvas = Canvas.from_rows([[3, 3, 99, 3]], [[0] * 4], SPECIALS.mask)
        assert list(speculate(session, canvas, Plan(policy("verify")))) == []
        canvas = Canvas.from_rows([[99, 3, 3, 3]], [[0] * 4], SPECIALS.mask)
        plan = Plan(policy("verify"), length=CloseAfterFill(SPECIALS.fill))
        assert list(speculate(session, canvas, plan))
        assert not canvas.open.any()
        assert canvas.ids[0, 0] == 99


def test_a_draft_is_what_followed_the_same_three_tokens():
    seen = Seen(Prompt([1, 2, 3, 4, 5, 1, 2, 3], [7, 8, 9, 10]))
    assert seen.after(2) == [4, 5]
    assert seen.after(9) == [4, 5, 1, 2, 3]
    seen.add([7, 8, 9])
    assert seen.after(3) == [10]  # what follows belongs to the other side of the gap
    seen.add([11, 7, 8, 9])
    assert seen.after(3) == [11, 7, 8]  # the latest counts
    seen.add([12])
    assert seen.after(3) == []


def test_an_earlier_answer_is_a_draft_from_its_first_token_on():
    seen = Seen(Prompt([1, 2, 3], []), [4, 5, 6, 7])
    assert seen.after(2) == [4, 5]
    seen.add([4, 5, 9])  # and where it went another way, no more
    assert seen.after(2) == []


def test_a_right_draft_saves_passes():
    request = replace(VERIFY, length="auto", max_tokens=24)
    alone = answered(request, 4)
    drafted = answered(replace(request, draft=alone.best.texts[0]), 4)
    assert drafted.best.texts == alone.best.texts
    assert drafted.forwards < alone.forwards


def test_what_the_text_says_saves_passes_and_changes_no_answer(monkeypatch):
    with_text = [answered(VERIFY, 4, seed) for seed in range(6)]
    monkeypatch.setattr(Seen, "after", lambda self, most: [])
    without = [answered(VERIFY, 4, seed) for seed in range(6)]
    assert [one.best.texts for one in with_text] == [one.best.texts for one in without]
    assert sum(one.forwards for one in with_text) < sum(one.forwards for one in without)


def test_tensors_of_a_pass_are_small():
    """Only the cells that a pass decides get logits: the vocabulary is the largest part of it."""
    family = make_family()
    family.few = 2
    asked = []
    with family.open(PROMPT) as session:
        real = session.logits
        session.logits = lambda states: asked.append(len(states)) or real(states)
        canvas = Canvas.build([[16]], SPECIALS.mask)
        list(denoise(session, canvas, Plan(policy("verify"), shortcut=speculate)))
    assert asked[0] == 16
    assert set(asked[1:]) <= {1, 2}
