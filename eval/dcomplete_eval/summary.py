"""What a run comes to: rates with intervals by group, length error, cost, times."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from dcomplete_eval.scores import SCORES, average, rate
from dcomplete_eval.types import Record


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """Figures of a run; shares in percent, times in milliseconds. None where nothing is known.

    `answered` is the share of tasks with a text, `begins` of those the ones that are right as far as
    they go; `right_characters` and `wrong_characters` are means over all tasks.
    `length_error` is the mean of |predicted - true| tokens, `length_right` the share without any.
    """
    answers = [r.answer for r in records]
    lengths = [
        a.tokens - a.true_tokens
        for a in answers
        if a.tokens is not None and a.true_tokens is not None
    ]
    found: dict[str, Any] = {
        "tasks": len(records),
        "errors": sum(bool(a.error) for a in answers),
    }
    for name, score in SCORES.items():
        interval = rate(records, score)
        found[name] = None if interval is None else interval.scaled(100, 2)
    return found | {
        "answered": _rounded((100.0 * (r.verdict.begins is not None) for r in records), 1),
        "right_characters": _rounded((_characters(r, True) for r in records), 2),
        "wrong_characters": _rounded((_characters(r, False) for r in records), 2),
        "length_error": _rounded(map(abs, lengths), 2),
        "length_right": _rounded((100.0 * (e == 0) for e in lengths), 1),
        "tokens": _rounded((a.tokens for a in answers), 2),
        "steps": _rounded((a.steps for a in answers), 2),
        "forwards": _rounded((a.forwards for a in answers), 2),
        "ms": quantiles([a.ms for a in answers if not a.error]),
    }


def _characters(record: Record, right: bool) -> float:
    """How many characters of a right answer, or of a wrong one, there are to read."""
    return float(len(record.answer.text.rstrip())) if record.verdict.begins is right else 0.0


def _rounded(values: Iterable[float | None], digits: int) -> float | None:
    found = average(values)
    return None if found is None else round(found, digits)


def quantiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p90 and p99, interpolated."""
    if not values:
        return None
    if len(values) == 1:
        return {f"p{p}": round(values[0], 1) for p in (50, 90, 99)}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{p}": round(cuts[p - 1], 1) for p in (50, 90, 99)}
