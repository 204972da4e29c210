"""Held-out numbers of a model: what it fills in, at what cost, and how sure it is of the truth.

Three things that belong apart: the length unknown (the product), the length told (the ceiling), and the
error of the length. Exact match compares the gap's text, its end stripped of spaces; edit similarity is
difflib's ratio.
"""

import difflib
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch

from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.prompt import gap_tokens, make_task
from dcomplete.models.canvas import Canvas
from dcomplete.train.heldout import WITHIN_LINE, HeldOut
from dcomplete.types import InfillRequest

RATES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """How gaps are filled; with `oracle` the true number of tokens is told."""

    policy: str = ""
    oracle: bool = False
    branches: int = 0

    @staticmethod
    def each(
        policies: Iterable[str], oracle: Iterable[bool], branches: Iterable[int]
    ) -> "list[Setting]":
        """Every policy with each of the others."""
        return [Setting(*one) for one in product(policies, oracle, branches)]

    def told(self) -> dict[str, Any]:
        """For a line of results."""
        return {"branches": self.branches, "policy": self.policy, "oracle_length": self.oracle}

    def of(self, asked: InfillRequest, true: int) -> InfillRequest:
        """The request for a gap of `true` tokens."""
        length = str(max(1, true)) if self.oracle else asked.length
        return replace(asked, policy=self.policy, length=length, branches=self.branches)


@dataclass(frozen=True, slots=True)
class Scored:
    """One gap's outcome. `length_error` is in tokens, predicted minus true."""

    kind: str
    language: str
    exact: bool
    similarity: float
    length_error: int
    steps: int
    forwards: int
    ms: float


def infill_gaps(
    engine: LocalEngine,
    gaps: Iterable[HeldOut],
    settings: Sequence[Setting] = (Setting(),),
    steps: int = 64,
    context: int = 512,
) -> Iterator[list[Scored]]:
    """Fill each gap with each of the settings in turn.

    Of several settings none reads the context: that is done before, once, and is not counted.
    """
    for gap in gaps:
        asked = InfillRequest(gap.prefix, gap.suffix, steps=steps, context_tokens=context)
        if len(settings) > 1:
            with engine.family.open(make_task(engine.tokens, asked).prompt) as session:
                session.prefill()
        true = gap_tokens(engine.tokens, asked, gap.middle)
        yield [_filled(engine, gap, setting.of(asked, true), true) for setting in settings]


def _filled(engine: LocalEngine, gap: HeldOut, request: InfillRequest, true: int) -> Scored:
    result = engine.infill(request)
    text = result.best.texts[0]
    return Scored(
        gap.kind,
        gap.language,
        text.rstrip() == gap.middle.rstrip(),
        difflib.SequenceMatcher(None, text, gap.middle, autojunk=False).ratio(),
        result.best.tokens - true,
        result.steps,
        result.forwards,
        result.timings.total,
    )


def lines(
    settings: Sequence[Setting], rows: Sequence[Sequence[Scored]], gaps: int
) -> Iterator[dict[str, Any]]:
    """A line of results for each setting, from `rows` of `infill_gaps`; `of` so many `gaps`, if not all."""
    part = {"of": gaps} if len(rows) < gaps else {}
    alone = len(settings) == 1
    for scored, setting in zip(zip(*rows, strict=True), settings, strict=False):
        yield {**setting.told(), "warm": not alone, **summary(scored, timed=alone), **part}


def summary(scored: Sequence[Scored], timed: bool = True) -> dict[str, Any]:
    """Shares in percent, means, medians; by language where there are several. Not `timed`: without the
    time, which says nothing where another setting had read the context."""
    line = [s for s in scored if s.kind in WITHIN_LINE]
    return {
        "gaps": len(scored),
        "exact": _percent(s.exact for s in scored),
        "single_line_gaps": len(line),
        "single_line_exact": _percent(s.exact for s in line),
        "edit_similarity": round(statistics.fmean(s.similarity for s in scored), 4),
        "length_error": round(statistics.fmean(abs(s.length_error) for s in scored), 2),
        "length_right": _percent(s.length_error == 0 for s in scored),
        "steps": round(statistics.fmean(s.steps for s in scored), 2),
        "forwards": round(statistics.fmean(s.forwards for s in scored), 2),
        **({"p50_ms": round(statistics.median(s.ms for s in scored), 1)} if timed else {}),
        **_by_language(line),
    }


def _by_language(lines: Sequence[Scored]) -> dict[str, Any]:
    """Single lines of each language: how many there are, and how many are right."""
    counts = Counter(s.language for s in lines)
    if len(counts) < 2:
        return {}
    right = Counter(s.language for s in lines if s.exact)
    return {"lines_by_language": {n: [right[n], of] for n, of in counts.most_common()}}


def _percent(values: Iterable[bool]) -> float:
    seen = list(values)
    return round(100 * sum(seen) / max(1, len(seen)), 1)


@torch.inference_mode()
def masked_nats(engine: LocalEngine, gaps: Iterable[HeldOut], seed: int = 0) -> dict[str, float]:
    """Mean nats per masked token at several mask rates, the right canvas size given."""
    generator = torch.Generator().manual_seed(seed)
    total = dict.fromkeys(RATES, 0.0)
    count = dict.fromkeys(RATES, 0)
    for gap in gaps:
        task = make_task(engine.tokens, InfillRequest(gap.prefix, gap.suffix, context_tokens=512))
        true = engine.tokens.encode(task.seam.middle(gap.middle))
        if not true:
            continue
        with engine.family.open(task.prompt) as session:
            for rate in RATES:
                chosen = torch.rand(len(true), generator=generator) < rate
                chosen[int(torch.randint(len(true), (1,), generator=generator))] = True
                canvas = Canvas.from_rows([true], [[0] * len(true)], engine.family.specials.mask)
                canvas.reopen(chosen[None])
                states = session.states(canvas)[0][chosen]
                logs = session.logits(states).log_softmax(-1)
                nats = -logs.gather(1, torch.tensor(true)[chosen, None])
                total[rate] += float(nats.clamp(max=20.0).sum())
                count[rate] += int(chosen.sum())
    return {f"{int(100 * r)} %": round(total[r] / max(1, count[r]), 3) for r in RATES}
