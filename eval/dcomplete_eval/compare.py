"""Two runs task by task: differences with 95 % intervals, wins and losses; and what more steps buy.

Tasks of one group are resampled together (paired bootstrap, see `intervals`); what both runs find hard
cancels out, so that far smaller differences show than between two rates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval.intervals import Interval, difference, ratio
from dcomplete_eval.scores import SCORES, Score, main_score, rate
from dcomplete_eval.store import Run
from dcomplete_eval.summary import summary
from dcomplete_eval.types import Record

Both = Sequence[tuple[Record, Record]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A score in both runs. Wins are tasks where the first scores higher."""

    a: float
    b: float
    difference: Interval | None  # a minus b
    wins: int
    losses: int

    def as_json(self) -> dict[str, Any]:
        """In percent."""
        return {
            "a": round(100 * self.a, 2),
            "b": round(100 * self.b, 2),
            "difference": None if self.difference is None else self.difference.scaled(100, 2),
            "wins": self.wins,
            "losses": self.losses,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the tasks that both did. `slower` is the first one's time over the second's."""

    a: Run
    b: Run
    tasks: int
    left_out: int
    measures: Mapping[str, Measure]
    slower: Interval | None
    decides: str  # the measure that counts

    @property
    def conclusion(self) -> str:
        """What may be said of the first."""
        found = self.measures[self.decides].difference
        if found is None or found.low is None:
            return "too few groups to tell"
        if not found.apart_from_zero:
            return "no difference shown"
        return "better" if found.value > 0 else "worse"

    def as_json(self) -> dict[str, Any]:
        return {
            "benchmark": self.a.benchmark,
            "a": self.a.contestant,
            "b": self.b.contestant,
            "tasks": self.tasks,
            "left_out": self.left_out,
            "conclusion": self.conclusion,
            **{name: measure.as_json() for name, measure in self.measures.items()},
            "time_ratio": None if self.slower is None else self.slower.scaled(1, 3),
            "data": self.a.head.get("data"),
            "commits": [run.about().get("commit") for run in (self.a, self.b)],
            "machines": [run.about().get("machine") for run in (self.a, self.b)],
            "settings": [run.head.get("settings") for run in (self.a, self.b)],
        }


def compare(a: Run, b: Run) -> Comparison:
    """Raises UserError for runs of different benchmarks or data, or without a task in common."""
    for name in ("benchmark", "data"):
        if a.head.get(name) != b.head.get(name):
            raise UserError(
                f"{a.path} and {b.path} are of different {name}: "
                f"{a.head.get(name)!r} and {b.head.get(name)!r}."
            )
    both = [(one, b.records[task]) for task, one in a.records.items() if task in b.records]
    if not both:
        raise UserError(f"{a.path} and {b.path} have no task in common.")
    found = {name: m for name, score in SCORES.items() if (m := _measure(both, score))}
    timed = [(x, y) for x, y in both if not (x.answer.error or y.answer.error)]
    return Comparison(
        a=a,
        b=b,
        tasks=len(both),
        left_out=len(a.records) + len(b.records) - 2 * len(both),
        measures=found,
        slower=ratio(
            [x.answer.ms for x, _ in timed],
            [y.answer.ms for _, y in timed],
            [x.group for x, _ in timed],
        ),
        decides=main_score(x for x, _ in both),
    )


def _measure(both: Both, score: Score) -> Measure | None:
    """None where no task has this score in both."""
    known = [
        (x, y, one.group)
        for one, other in both
        if (x := score(one)) is not None and (y := score(other)) is not None
    ]
    if not known:
        return None
    ours, theirs = [x for x, _, _ in known], [y for _, y, _ in known]
    return Measure(
        a=sum(ours) / len(known),
        b=sum(theirs) / len(known),
        difference=difference(ours, theirs, [group for *_, group in known]),
        wins=sum(x > y for x, y, _ in known),
        losses=sum(x < y for x, y, _ in known),
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A run where quality stands against cost."""

    run: Run
    score: Interval | None
    steps: float | None
    forwards: float | None
    p50_ms: float | None
    p90_ms: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "contestant": self.run.contestant,
            "score": None if self.score is None else self.score.scaled(100, 2),
            "steps": self.steps,
            "forwards": self.forwards,
            "p50_ms": self.p50_ms,
            "p90_ms": self.p90_ms,
        }


def curve(runs: Sequence[Run]) -> list[Point]:
    """Runs of one benchmark on the tasks that all did, the fewest steps first."""
    common = set.intersection(*(set(run.records) for run in runs)) if runs else set()
    decides = main_score(r for run in runs for r in run.records.values())
    points = []
    for run in runs:
        records = [record for task, record in run.records.items() if task in common]
        told = summary(records)
        times = told["ms"] or {}
        score = rate(records, SCORES[decides])
        points.append(
            Point(run, score, told["steps"], told["forwards"], times.get("p50"), times.get("p90"))
        )
    return sorted(points, key=lambda p: (p.forwards or 0.0, p.p50_ms or 0.0))
