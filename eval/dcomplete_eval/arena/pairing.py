"""Which two contestants meet next.

``uniform``
    Every pair is as likely as any other.

``latency:T``
    Copilot Arena's idea (arXiv 2502.09328): people wait for the slower of two answers, so pairs that
    are ready soon are drawn more often. Each contestant's latency is a log-normal variable fitted to
    what was seen; a pair's is the median m of the greater of two. A pair weighs
    exp(-(m / fastest - 1) / T): at T near 0 only the fastest pair meets, at T = inf all do equally. The
    published optimiser is not public; this rule is ours. A tenth of all draws stay uniform, so that
    every pair meets, and until each contestant has been seen a few times all of them do.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, fmean, pstdev
from typing import Protocol

from dcomplete.errors import UserError

Meeting = tuple[str, str]
Latencies = Mapping[str, Sequence[float]]  # milliseconds, by contestant

_SEEN = 5  # latencies of each contestant before they count
_UNIFORM = 0.1
_LEAST_SD = 0.05  # of a log-latency: a clock's own jitter
_NORMAL = NormalDist()


class Pairing(Protocol):
    """A policy for meetings. `label` says which, in the store."""

    @property
    def label(self) -> str: ...

    def draw(self, names: Sequence[str], seen: Latencies, chance: random.Random) -> Meeting:
        """Two different names."""
        ...


@dataclass(frozen=True, slots=True)
class Uniform:
    label: str = "uniform"

    def draw(self, names: Sequence[str], seen: Latencies, chance: random.Random) -> Meeting:
        one, other = chance.sample(list(names), 2)
        return one, other


@dataclass(frozen=True, slots=True)
class LatencyAware:
    """See the module. `temperature` has no unit: 1 means that twice the wait costs a factor e."""

    temperature: float = 1.0

    @property
    def label(self) -> str:
        return f"latency:{self.temperature:g}"

    def draw(self, names: Sequence[str], seen: Latencies, chance: random.Random) -> Meeting:
        shares = self.shares(names, seen)
        (found,) = chance.choices(list(shares), weights=list(shares.values()))
        return found

    def shares(self, names: Sequence[str], seen: Latencies) -> dict[Meeting, float]:
        """How often each pair meets; the shares sum to 1."""
        pairs = list(combinations(names, 2))
        even = 1 / len(pairs)
        if any(len(seen.get(name, ())) < _SEEN for name in names):
            return dict.fromkeys(pairs, even)
        fits = {name: LogNormal.fit(seen[name]) for name in names}
        waits = [median_of_greater(fits[a], fits[b]) for a, b in pairs]
        fastest = max(min(waits), 1e-9)
        weights = [math.exp(-(wait / fastest - 1) / self.temperature) for wait in waits]
        total = math.fsum(weights)
        shares = [_UNIFORM * even + (1 - _UNIFORM) * weight / total for weight in weights]
        return dict(zip(pairs, shares, strict=True))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """The logarithm of a latency in milliseconds: its mean and standard deviation."""

    mean: float
    sd: float

    @staticmethod
    def fit(latencies: Sequence[float]) -> "LogNormal":
        """By maximum likelihood; latencies of less than a microsecond count as one."""
        logs = [math.log(max(ms, 1e-3)) for ms in latencies]
        return LogNormal(fmean(logs), max(pstdev(logs), _LEAST_SD))

    def below(self, log_ms: float) -> float:
        """P(log latency < log_ms)."""
        return _NORMAL.cdf((log_ms - self.mean) / self.sd)


def median_of_greater(a: LogNormal, b: LogNormal) -> float:
    """The median in milliseconds of the greater of two independent latencies, by bisection.

    P(both < m) = P(a < m) P(b < m) = 1/2.
    """
    low = max(a.mean, b.mean)  # there, at most one half is below
    high = max(a.mean + 4 * a.sd, b.mean + 4 * b.sd)
    for _ in range(50):
        middle = (low + high) / 2
        if a.below(middle) * b.below(middle) < 0.5:
            low = middle
        else:
            high = middle
    return math.exp(high)


def read_pairing(text: str) -> Pairing:
    """``uniform``, ``latency`` or ``latency:T``; raises UserError."""
    kind, _, value = text.partition(":")
    if kind == "uniform" and not value:
        return Uniform()
    if kind == "latency":
        try:
            temperature = float(value or "1")
        except ValueError:
            temperature = 0.0
        if temperature > 0:
            return LatencyAware(temperature)
    raise UserError(f"{text!r} says no pairing; use uniform, latency or latency:T with T above 0.")
