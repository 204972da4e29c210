"""What a run comes to: rates with intervals by group, length error, cost, times."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from dcomplete_eval.scores import SCORES, average, rate
from dcomplete_eval.types import Record


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """Figures of a run; shares in percent, times in milliseconds. None where nothing is known.

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
        "length_error": _rounded(map(abs, lengths), 2),
        "length_right": _rounded((100.0 * (e == 0) for e in lengths), 1),
        "tokens": _rounded((a.tokens for a in answers), 2),
        "steps": _rounded((a.steps for a in answers), 2),
        "forwards": _rounded((a.forwards for a in answers), 2),
        "ms": quantiles([a.ms for a in answers if not a.error]),
    }


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
