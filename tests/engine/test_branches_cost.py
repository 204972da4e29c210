"""What branches cost: short passes, and none for answers that are not wanted."""

from dataclasses import replace

import pytest

from dcomplete.engine.constraints import Free
from dcomplete.engine.engine import LocalEngine
from tests.conftest import SPECIALS, make_family
from tests.engine.test_branches import ASKED, Sharp
from tests.engine.test_tokens import TOKENS


class Late(Free):
    """A gap ends late if by itself."""

    def mask(self, canvas, logits, rows, columns):
        logits = logits.clone()
        logits[:, SPECIALS.fill] += 3.0 * (columns - 12)
        return logits


def engine(seed: int, few: int) -> LocalEngine:
    family = make_family(seed=seed)
    family.few = few
    return LocalEngine(family, TOKENS, constraint=Late())


@pytest.mark.parametrize("seed", range(3))
def test_where_a_line_ends_before_its_canvas_they_are_read_in_short_passes(seed, monkeypatch):
    over = lambda engine, request, task: lambda tokens: len(tokens) >= 4  # noqa: E731
    monkeypatch.setattr(LocalEngine, "_over", over)
    asked = replace(ASKED, line=True, samples=1)
    alone = engine(seed, 4).infill(replace(asked, branches=0))
    assert alone.best.tokens == 4, "the line does not end before its canvas"
    rows, short = (engine(seed, few).infill(asked) for few in (0, 4))
    assert short.best.texts == rows.best.texts
    assert short.best.score == pytest.approx(rows.best.score, abs=1e-4)
    assert short.forwards > alone.forwards, "there are no branches"
    assert short.tokens_computed < 0.7 * rows.tokens_computed


@pytest.mark.parametrize("wanted", [1, 3])
@pytest.mark.parametrize("few", [0, 4])
def test_who_wants_few_answers_gets_the_same_best_ones_for_less(few, wanted):
    """What is given up early could not have become one of them."""
    spared, asked = 0, replace(ASKED, branches=16)
    for seed in range(6):
        family = make_family(seed=seed)
        family.few = few
        engine = LocalEngine(family, TOKENS, constraint=Sharp())
        every, best = engine.infill(asked), engine.infill(replace(asked, samples=wanted))
        sure = max(1, wanted - 1)  # several tokens of this tokenizer read alike; one may
        assert [a.texts for a in best.answers[:sure]] == [a.texts for a in every.answers[:sure]]
        scores = [a.score for a in every.answers[:sure]]
        assert [a.score for a in best.answers[:sure]] == pytest.approx(scores, abs=1e-4)
        assert best.tokens_computed <= every.tokens_computed
        spared += every.forwards - best.forwards
    assert spared > 0 or not few


class Minutes:
    """A clock that goes on by a minute whenever somebody looks."""

    def __init__(self):
        self.looks = 0

    def total(self) -> float:
        self.looks += 1
        return (self.looks - 1) * 60_000.0


@pytest.mark.parametrize("few", [0, 4])
def test_no_branch_is_begun_once_patience_is_over(few, monkeypatch):
    def answers(**patience: float) -> list[tuple[str, ...]]:
        found = engine(0, few).infill(replace(ASKED, branches=8, **patience))
        return [answer.texts for answer in found.answers]

    every = answers()
    assert answers(branch_ms=600_000.0) == every
    assert len(answers(branch_ms=0.0)) == 1
    monkeypatch.setattr("dcomplete.engine.branches.Stopwatch", Minutes)
    some = answers(branch_ms=150_000.0)  # three are begun, or all as rows of one canvas
    assert 1 < len(some) <= 4 < len(every) if few else some == every
