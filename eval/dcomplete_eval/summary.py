"""What a run comes to: rates with intervals by group, length error, times."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dcomplete_eval.intervals import Interval, mean
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
    times = [a.ms for a in answers if not a.error]
    return {
        "tasks": len(records),
        "errors": sum(bool(a.error) for a in answers),
        "pass": _share(records, lambda r: r.verdict.passed),
        "exact": _share(records, lambda r: r.verdict.exact),
        "similarity": _share(records, lambda r: r.verdict.similarity),
        "parses": _share(records, lambda r: r.verdict.parses),
        "identifiers": _share(records, lambda r: r.verdict.identifiers),
        "length_error": _mean((abs(e) for e in lengths), 2),
        "length_right": _mean((100.0 * (e == 0) for e in lengths), 1),
        "tokens": _mean((a.tokens for a in answers), 2),
        "steps": _mean((a.steps for a in answers), 2),
        "forwards": _mean((a.forwards for a in answers), 2),
        "ms": quantiles(times),
    }


def _share(
    records: Sequence[Record], value: Callable[[Record], float | None]
) -> dict[str, float | None] | None:
    """A mean in percent with its 95 % interval."""
    known = [(float(v), r.group) for r in records if (v := value(r)) is not None]
    found: Interval | None = mean([v for v, _ in known], [g for _, g in known])
    return None if found is None else found.scaled(100, 2)


def _mean(values: Iterable[float | None], digits: int) -> float | None:
    known = [v for v in values if v is not None]
    return round(statistics.fmean(known), digits) if known else None


def quantiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p90 and p99, interpolated."""
    if not values:
        return None
    if len(values) == 1:
        return {f"p{p}": round(values[0], 1) for p in (50, 90, 99)}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{p}": round(cuts[p - 1], 1) for p in (50, 90, 99)}
