"""Means, ratios and paired differences with their 95 % intervals.

Percentile bootstrap over groups: tasks of one problem, or keystrokes of one stretch, stand and fall
together, so whole groups are drawn with replacement (Davison and Hinkley 1997, section 3.8).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES, LEVEL = 2000, 0.95
_AT_ONCE = 200  # resamples in memory


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it may lie. The ends are None where fewer than two groups were seen."""

    value: float
    low: float | None
    high: float | None

    def scaled(self, factor: float, digits: int) -> dict[str, float | None]:
        """As JSON, times `factor` and rounded."""
        return {
            name: None if x is None else round(x * factor, digits)
            for name, x in asdict(self).items()
        }

    @property
    def apart_from_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def ratio(
    tops: Sequence[float],
    bottoms: Sequence[float],
    groups: Sequence[object],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """The sum of `tops` over the sum of `bottoms`; None where there is nothing to divide by."""
    if not sum(bottoms):
        return None
    numbers = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    places = [numbers[name] for name in groups]
    count = len(numbers)
    above = np.bincount(places, weights=np.asarray(tops, float), minlength=count).astype(float)
    below = np.bincount(places, weights=np.asarray(bottoms, float), minlength=count).astype(float)
    value = float(above.sum() / below.sum())
    if count < 2:
        return Interval(value, None, None)
    found = _resampled(above, below, resamples, np.random.default_rng(seed))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def mean(values: Sequence[float], groups: Sequence[object], seed: int = 0) -> Interval | None:
    """The mean of `values`, one of each task."""
    return ratio(values, [1.0] * len(values), groups, seed=seed)


def difference(
    a: Sequence[float], b: Sequence[float], groups: Sequence[object], seed: int = 0
) -> Interval | None:
    """The mean of a minus b, task by task: what both find hard cancels out."""
    return mean([x - y for x, y in zip(a, b, strict=True)], groups, seed)


def _resampled(
    above: NDArray[np.float64],
    below: NDArray[np.float64],
    resamples: int,
    draw: np.random.Generator,
) -> NDArray[np.float64]:
    """The ratio of every resample that has something below the line."""
    found = []
    for start in range(0, resamples, _AT_ONCE):
        rows = min(_AT_ONCE, resamples - start)
        chosen = draw.integers(0, len(above), size=(rows, len(above)))
        tops, bottoms = above[chosen].sum(axis=1), below[chosen].sum(axis=1)
        found.append(tops[bottoms > 0] / bottoms[bottoms > 0])
    return np.concatenate(found)
