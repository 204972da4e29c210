"""What a record scores, 0 to 1, by name. None where the record does not know."""

from collections.abc import Callable, Iterable, Mapping

from dcomplete_eval.intervals import Interval, share
from dcomplete_eval.types import Record

Score = Callable[[Record], float | None]


def _number(value: bool | float | None) -> float | None:
    return None if value is None else float(value)


SCORES: Mapping[str, Score] = {
    "pass": lambda record: _number(record.verdict.passed),
    "exact": lambda record: _number(record.verdict.exact),
    "similarity": lambda record: _number(record.verdict.similarity),
    "parses": lambda record: _number(record.verdict.parses),
    "identifiers": lambda record: _number(record.verdict.identifiers),
    "begins": lambda record: _number(record.verdict.begins),
}


def main_score(records: Iterable[Record]) -> str:
    """The name of what decides: tests where there are some, else exact match."""
    return "pass" if any(r.verdict.passed is not None for r in records) else "exact"


def rate(records: Iterable[Record], score: Score) -> Interval | None:
    """The mean score of the records that have one; groups are resampled."""
    known = [(value, r.group) for r in records if (value := score(r)) is not None]
    return share([value for value, _ in known], [group for _, group in known])


def average(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
