"""The figures of runs: what was right, how sure that is, how long it took, how long answers were."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dcomplete_eval.intervals import Interval, difference
from dcomplete_eval.report.runs import Run
from dcomplete_eval.scores import SCORES, Score, average, rate
from dcomplete_eval.types import Record

passed, exact, similarity = SCORES["pass"], SCORES["exact"], SCORES["similarity"]
parses, identifiers = SCORES["parses"], SCORES["identifiers"]


def main_score(runs: Iterable[Run]) -> Score:
    """Tests decide where a benchmark has some, else exact match."""
    ran = any(record.verdict.passed is not None for run in runs for record in run.records)
    return passed if ran else exact


def percentiles(values: Iterable[float], shares: Sequence[int] = (50, 90, 99)) -> dict[int, float]:
    """Linear between the two nearest values; {} of nothing."""
    known = list(values)
    if not known:
        return {}
    return dict(zip(shares, map(float, np.percentile(known, shares)), strict=True))


def answered(run: Run) -> list[Record]:
    """Records without an error: only these have a time."""
    return [record for record in run.records if not record.answer.error]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a leaderboard."""

    run: Run
    score: Interval | None
    passed: Interval | None
    exact: Interval | None
    similarity: Interval | None
    parses: Interval | None
    identifiers: Interval | None
    ms: dict[int, float]
    forwards: float | None
    errors: int
    outcomes: Counter[str]


def leaderboard(runs: Sequence[Run]) -> list[Place]:
    """Runs of one benchmark, the best first; behind them who was told the length, and references."""
    score = main_score(runs)
    found = [_place(run, score) for run in runs]

    def key(place: Place) -> tuple[bool, bool, float]:
        run = place.run
        return run.reference, run.told, -place.score.value if place.score else 1.0

    return sorted(found, key=key)


def _place(run: Run, score: Score) -> Place:
    records, timed = run.records, answered(run)
    return Place(
        run=run,
        score=rate(records, score),
        passed=rate(records, passed),
        exact=rate(records, exact),
        similarity=rate(records, similarity),
        parses=rate(records, parses),
        identifiers=rate(records, identifiers),
        ms=percentiles(record.answer.ms for record in timed),
        forwards=average(record.answer.forwards for record in timed),
        errors=len(records) - len(timed),
        outcomes=Counter(record.verdict.outcome for record in records if record.verdict.outcome),
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs on the tasks that both did. Wins are tasks that only one of the two solved."""

    a: Run
    b: Run
    tasks: int
    difference: Interval | None  # a minus b
    wins: tuple[tuple[Record, Record], ...]
    losses: tuple[tuple[Record, Record], ...]

    @property
    def said(self) -> str:
        """The conclusion in a word."""
        if self.difference is None or self.difference.low is None:
            return "too few groups"
        if not self.difference.apart_from_zero:
            return "no difference shown"
        return "better" if self.difference.value > 0 else "worse"


def pair(a: Run, b: Run, score: Score) -> Pair:
    """Compare task by task."""
    other = {record.task: record for record in b.records}
    both = [
        (one, other[one.task], x, y)
        for one in a.records
        if one.task in other
        and (x := score(one)) is not None
        and (y := score(other[one.task])) is not None
    ]
    return Pair(
        a=a,
        b=b,
        tasks=len(both),
        difference=difference(
            [x for _, _, x, _ in both], [y for *_, y in both], [one.group for one, *_ in both]
        ),
        wins=tuple((one, two) for one, two, x, y in both if x > y),
        losses=tuple((one, two) for one, two, x, y in both if x < y),
    )


def pairs(places: Sequence[Place], most: int = 5) -> list[Pair]:
    """Everyone against everyone, the better first; against the best alone where that is too much.

    Who was told the length competes with nobody.
    """
    score = main_score(place.run for place in places)
    runs = [place.run for place in places if place.run.competes]
    chosen = combinations(runs, 2) if len(runs) <= most else ((runs[0], run) for run in runs[1:])
    return [pair(a, b, score) for a, b in chosen]


def ceilings(places: Sequence[Place]) -> list[Pair]:
    """Each run that was told the length, against the same contestant that was not."""
    score = main_score(place.run for place in places)
    told = [place.run for place in places if place.run.told]
    others = {_but_length(place.run): place.run for place in places if place.run.competes}
    return [pair(run, others[key], score) for run in told if (key := _but_length(run)) in others]


def _but_length(run: Run) -> str:
    return repr(sorted((k, v) for k, v in run.settings.items() if k != "length"))
