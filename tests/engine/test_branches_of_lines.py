"""Branches of an answer that ends before its canvas does, because its line is over."""

from dataclasses import replace

import pytest

from dcomplete.engine.constraints import Free
from dcomplete.engine.engine import LocalEngine
from tests.conftest import SPECIALS, make_family
from tests.engine.test_branches import ASKED
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
def test_they_are_read_in_short_passes_where_those_are_cheap(seed, monkeypatch):
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
