"""As much of an answer as is likely: where it ends, and what it costs."""

import math
from dataclasses import dataclass, replace

import pytest
import torch

from dcomplete.engine.constraints import Free
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.lengths import KeepSize
from dcomplete.engine.prompt import make_task
from dcomplete.engine.sureness import EndsUnsure, best_beginning, likely
from dcomplete.errors import UserError
from dcomplete.models.canvas import VOID, Canvas
from dcomplete.types import Answer, Finish, Infill, InfillRequest
from tests.conftest import SPECIALS, make_family
from tests.engine.test_tokens import TOKENS

PREFIX, SUFFIX = "def f(x):\n    return ", "\n\nprint(f(2))\n"
ASKED = InfillRequest(PREFIX, SUFFIX, policy="verify", max_tokens=24)
MASK = SPECIALS.mask


@dataclass(frozen=True)
class Sure(Free):
    """A random network that is sure of what it says, so that a beginning of some tokens is likely, and
    that ends its answers."""

    times: float = 40.0

    def mask(self, canvas, logits, rows, columns):
        logits = self.times * logits
        logits[:, SPECIALS.fill] += 3.0 * columns
        return logits


def answered(request: InfillRequest, seed: int = 0, few: int = 0, times: float = 40.0) -> Infill:
    family = make_family(seed=seed)
    family.few = few
    return LocalEngine(family, TOKENS, constraint=Sure(times)).infill(request)


def answer(*args, **kwargs) -> Answer:
    return answered(*args, **kwargs).best


@pytest.fixture
def no_early_end(monkeypatch):
    """The slow twin: all of the answer is computed, and what is unsure cut off."""
    monkeypatch.setattr("dcomplete.engine.fill.EndsUnsure", lambda inner, least: inner)


def canvas_of(sure: list[float], opened: tuple[int, ...] = ()) -> Canvas:
    ids = [MASK if at in opened else 60 + at for at in range(len(sure))]
    canvas = Canvas.from_rows([ids], [[0] * len(ids)], MASK)
    canvas.confidence = torch.tensor([sure])
    return canvas


def test_cells_behind_the_one_that_makes_it_unlikely_are_taken_away():
    canvas = canvas_of([0.9, 0.8, 0.6, 0.9, 0.9], (4,))
    EndsUnsure(KeepSize(), math.log(0.5)).resize(canvas)
    assert canvas.gap.tolist() == [[0, 0, 0, VOID, VOID]] and not canvas.open.any()


def test_what_stands_behind_a_masked_cell_is_not_counted():
    canvas = canvas_of([0.9, 0.8, 1.0, 0.1, 1.0], (2, 4))
    EndsUnsure(KeepSize(), math.log(0.5)).resize(canvas)
    assert canvas.gap.tolist() == [[0] * 5] and canvas.open.tolist() == [
        [False, False, True, False, True]
    ]


@pytest.mark.parametrize(
    ("chances", "least", "count"),
    [
        ([], 0.5, 0),
        ([0.4], 0.5, 0),
        ([0.5], 0.5, 1),
        ([0.9, 0.9, 0.9], 0.75, 2),
        ([0.9] * 3, 0.5, 3),
    ],
)
def test_as_many_tokens_as_are_likely_together(chances, least, count):
    assert likely([math.log(p) for p in chances], math.log(least)) == count


WORDS = ["self", ".", "get", "_name", "(", "caf", "\xc3", "\xa9", ")", " or", " x1", "2"]


def decode(ids):
    return b"".join(WORDS[i].encode("latin-1") for i in ids).decode("utf-8", errors="replace")


@pytest.mark.parametrize(
    ("tokens", "decided", "text"),
    [
        ([0, 1, 2, 3, 4], 3, "self."),  # `get` goes on
        ([0, 1, 2, 3, 4], 4, "self.get_name"),
        ([0, 1, 2, 3, 4], 2, "self."),
        ([5, 6, 7, 8], 2, ""),  # inside a character, and that inside a word
        ([5, 6, 7, 8], 3, "caf\xe9"),
        ([8, 9, 10, 11], 3, ") or"),
        ([10, 11], 2, " x12"),  # all of it
        ([10, 11], 0, ""),
    ],
)
def test_it_ends_between_two_words(tokens, decided, text):
    assert best_beginning(tokens, [0.0] * decided, 0.5, decode, len)[1] == text


@pytest.mark.parametrize(
    ("chances", "least", "text"),
    [
        ([0.9, 1.0, 1.0], 0.3, "self.get"),
        ([0.9, 0.9, 0.8], 0.3, "self.get"),  # 8 * 0.35 is more than 5 * 0.51
        ([0.9, 0.9, 0.7], 0.3, "self."),  # 8 * 0.27 is less
        ([0.9, 0.9, 0.7], 0.1, "self.get"),
        ([0.9, 0.5, 0.5], 0.5, "self"),
        ([0.5, 1.0, 0.9], 0.5, "self."),  # neither is worth anything, but both are allowed
        ([0.4, 1.0, 1.0], 0.5, ""),
        ([1.0, 1.0, 1.0], 1.0, "self.get"),
    ],
)
def test_of_the_likely_beginnings_it_is_that_which_promises_most(chances, least, text):
    nats = [math.log(p) for p in chances]
    assert best_beginning([0, 1, 2], nats, least, decode, len)[1] == text


def test_of_those_that_look_alike_it_is_the_longest():
    """An ended line is all of it, however sure the end is, and so are blanks."""
    words = ["x", "\n", "  "]
    nats = [math.log(0.9), math.log(0.6), 0.0]

    def text(ids):
        return "".join(words[i] for i in ids)

    assert best_beginning([0, 1, 2], nats, 0.3, text, lambda t: len(t.strip()))[0] == 3
    assert best_beginning([0, 1, 2], nats, 0.6, text, lambda t: len(t.strip()))[0] == 1


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9])
def test_the_answer_is_the_beginning_of_the_whole_one(confidence, seed, few):
    whole, asked = answer(ASKED, seed, few), replace(ASKED, confidence=confidence)
    cut = answer(asked, seed, few)
    assert whole.texts[0].startswith(cut.texts[0])
    assert cut.score * cut.tokens >= math.log(confidence) - 1e-3
    if cut.finish is not Finish.UNSURE:
        assert cut == replace(whole, score=pytest.approx(whole.score, abs=1e-4))


@pytest.mark.usefixtures("no_early_end")
@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize(
    "change", [{}, {"max_tokens": 100}, {"prefix": "def f(x):\n    retu"}, {"suffix": ""}]
)
def test_an_answer_that_ends_early_is_that_of_the_slow_twin(change, few, monkeypatch):
    asked = replace(ASKED, confidence=0.3, **change)
    slow = [answered(asked, seed, few) for seed in range(5)]
    monkeypatch.undo()
    fast = [answered(asked, seed, few) for seed in range(5)]
    assert [a.best.texts for a in fast] == [a.best.texts for a in slow]
    assert [a.best.finish for a in fast] == [a.best.finish for a in slow]
    assert any(a.best.finish is Finish.UNSURE for a in fast)
    assert sum(a.forwards for a in fast) < sum(a.forwards for a in slow)


def longest(tokens, nats, confidence, decode, length):
    count = likely(nats, math.log(confidence))
    return count, decode(tokens[:count])


def test_a_second_canvas_goes_on_with_what_the_first_has_left_of_the_confidence(monkeypatch):
    """Random networks do not end by themselves: 64 sure cells, and then more."""
    monkeypatch.setattr("dcomplete.engine.engine.best_beginning", longest)
    asked = replace(ASKED, max_tokens=200)
    found = {seed: answer(asked, seed, times=80.0) for seed in range(4)}
    longer = {seed: whole for seed, whole in found.items() if whole.tokens > 64}
    assert longer
    for seed, whole in longer.items():
        chance = math.exp(whole.score * whole.tokens)
        assert (
            answer(replace(asked, confidence=0.5 * chance), seed, times=80.0).texts == whole.texts
        )
        cut = answer(replace(asked, confidence=chance**0.5), seed, times=80.0)
        assert cut.finish is Finish.UNSURE and cut.tokens < whole.tokens
        assert whole.texts[0].startswith(cut.texts[0])


def test_where_an_answer_has_to_end_with_a_tail_it_is_whole_or_nothing():
    task = make_task(TOKENS, replace(ASKED, suffix="x)\n"))
    assert task.seam.tail == "x"
    cut = answer(replace(ASKED, suffix="x)\n", confidence=1.0))
    assert cut.texts == ("",) and cut.finish is Finish.UNSURE


def test_who_says_nothing_gets_all_of_it():
    assert all(answer(ASKED, seed, times=1.0).finish is not Finish.UNSURE for seed in range(3))


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    with pytest.raises(UserError, match=r"Confidence must be from 0 to 1\."):
        answer(replace(ASKED, confidence=confidence))


def test_several_gaps_are_not_cut():
    with pytest.raises(UserError, match="a single gap"):
        answer(replace(ASKED, between=("\n",), confidence=0.5))


@pytest.mark.parametrize("few", [0, 4])
def test_branches_are_not_tried_where_a_beginning_is_wanted(few):
    asked = replace(ASKED, confidence=0.3)
    for seed in range(3):
        plain = answered(asked, seed, few)
        found = answered(replace(asked, branches=4), seed, few)
        assert (found.best, found.forwards) == (plain.best, plain.forwards)


@pytest.mark.parametrize(
    ("label", "confidence", "wide"),
    [("bfloat16", 0.0, True), ("bfloat16", 0.1, False), ("float32", 0.0, False)],
)
def test_short_passes_look_at_a_canvas_where_it_is_worth_its_pass(label, confidence, wide):
    """For a few tokens it is not, nor where many cells take many times as long (engine/LOG.md)."""
    family = make_family()
    family.few, family.label, widths = 4, label, []
    read = family.net.forward

    def counted(*args, **kwargs):
        widths.append(args[0].shape[-1])
        return read(*args, **kwargs)

    family.net.forward = counted
    engine = LocalEngine(family, TOKENS, constraint=Sure())
    asked = replace(ASKED, confidence=confidence)
    engine.infill(asked)
    assert widths[0] > 4, "the context"
    widths.clear()
    engine.infill(asked)
    assert widths and (max(widths) > 4) is wide
