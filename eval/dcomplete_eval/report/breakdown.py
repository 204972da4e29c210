"""Figures by kind and language, errors of the length, and what more steps buy."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dcomplete_eval.intervals import Interval, mean, share
from dcomplete_eval.report.measures import Place, answered, main_score
from dcomplete_eval.report.runs import Run
from dcomplete_eval.scores import average, rate
from dcomplete_eval.types import Record


@dataclass(frozen=True, slots=True)
class Length:
    """Predicted minus true tokens, by the contestant's own tokenizer. Shares are 0 to 1."""

    run: Run
    errors: tuple[int, ...]
    right: Interval | None
    mean: Interval | None
    absolute: float
    short: float
    long: float


def length(run: Run) -> Length | None:
    """None where the contestant does not know its tokens."""
    known = [
        (r.answer.tokens - r.answer.true_tokens, r.group)
        for r in answered(run)
        if r.answer.tokens is not None and r.answer.true_tokens is not None
    ]
    if not known:
        return None
    errors, groups = [error for error, _ in known], [group for _, group in known]
    return Length(
        run=run,
        errors=tuple(errors),
        right=share([float(error == 0) for error in errors], groups),
        mean=mean(list(map(float, errors)), groups),
        absolute=sum(map(abs, errors)) / len(errors),
        short=sum(error < 0 for error in errors) / len(errors),
        long=sum(error > 0 for error in errors) / len(errors),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One contestant on one kind of tasks."""

    score: Interval | None
    tasks: int


@dataclass(frozen=True, slots=True)
class Split:
    """A table of one benchmark: a row for each kind or language, a cell for each run."""

    benchmark: str
    by: str
    runs: tuple[Run, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def split(runs: Sequence[Run], by: str, key: Callable[[Record], str]) -> Split | None:
    """None where all tasks are of one kind, or nobody is there to be split."""
    names = sorted({key(record) for run in runs for record in run.records})
    if len(names) < 2:
        return None
    score = main_score(runs)

    def cell(run: Run, name: str) -> Cell:
        chosen = [record for record in run.records if key(record) == name]
        return Cell(rate(chosen, score), len(chosen))

    rows = tuple((name, tuple(cell(run, name) for run in runs)) for name in names)
    return Split(runs[0].benchmark, by, tuple(runs), rows)


@dataclass(frozen=True, slots=True)
class Point:
    """A run where quality is drawn against cost. Points of one `family` differ in steps or policy."""

    place: Place
    family: str
    forwards: float | None
    ms: float | None


def points(places: Iterable[Place]) -> list[Point]:
    """What each run costs: mean forward passes, median milliseconds."""
    return [_point(place) for place in places if not place.run.reference and place.score]


def _point(place: Place) -> Point:
    same = {k: v for k, v in place.run.settings.items() if k not in ("steps", "policy")}
    spent = average(
        r.answer.steps if r.answer.forwards is None else r.answer.forwards
        for r in answered(place.run)
    )
    return Point(place, repr(sorted(same.items(), key=repr)), spent, place.ms.get(50))
