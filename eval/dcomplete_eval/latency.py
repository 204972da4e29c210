"""Latency under load: requests arrive when they arrive, whether or not the one before is answered.

A client that waits for each answer before it asks again asks a slow server less, and so hides how slow it
is (coordinated omission; Tene, "How NOT to measure latency"). Here the arrivals are fixed beforehand, and
a latency counts from the intended arrival: waiting behind others is part of it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any, Protocol

from dcomplete.errors import UserError
from dcomplete_eval.replay.trace import Trace, is_typing
from dcomplete_eval.types import Contestant, Task

LONGEST_PAUSE_S = 2.0  # pauses in a trace are cut to it, as in replays
_MOST_US = 3_600_000_000  # an hour
_DIGITS = 3  # a quantile is exact to a thousandth


@dataclass(frozen=True, slots=True)
class Request:
    """A gap, and when it is asked for, in seconds from the start."""

    at: float
    task: Task


class Clock(Protocol):
    """Seconds; tests count them."""

    def now(self) -> float: ...

    def wait(self, until: float) -> None: ...


class RealClock:
    """Time as it passes."""

    def now(self) -> float:
        return time.perf_counter()

    def wait(self, until: float) -> None:
        time.sleep(max(0.0, until - self.now()))


class Histogram:
    """Milliseconds in an HdrHistogram."""

    def __init__(self) -> None:
        try:
            library = import_module("hdrh.histogram")
        except ImportError:
            raise UserError(
                "Latency is kept in HdrHistograms: pip install 'dcomplete[eval]'."
            ) from None
        self._kept: Any = library.HdrHistogram(1, _MOST_US, _DIGITS)

    def add(self, seconds: float) -> None:
        self._kept.record_value(min(_MOST_US, max(1, round(seconds * 1e6))))

    def as_json(self) -> dict[str, Any] | None:
        """Quantiles and the whole histogram, in HdrHistogram's own encoding; None of nothing."""
        if not self._kept.get_total_count():
            return None
        quantiles = {f"p{p}": self._kept.get_value_at_percentile(p) for p in (50, 90, 99)}
        values = quantiles | {
            "max": self._kept.get_max_value(),
            "mean": self._kept.get_mean_value(),
        }
        told = {name: round(value / 1000, 2) for name, value in values.items()}
        return told | {"histogram": self._kept.encode().decode("ascii")}


@dataclass(slots=True)
class Measured:
    """What became of the requests.

    `latency` counts from the intended arrival, `service` from the moment of asking. Stale answers came
    after the next request's arrival; cancelled requests were overtaken before they were asked.
    """

    latency: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    answered: int = 0
    stale: int = 0
    cancelled: int = 0
    errors: int = 0
    busy: float = 0.0  # seconds
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "answered": self.answered,
            "stale": self.stale,
            "cancelled": self.cancelled,
            "errors": self.errors,
            "busy": round(self.busy / self.seconds, 3) if self.seconds else 0.0,
            "seconds": round(self.seconds, 2),
            "latency_ms": self.latency.as_json(),
            "service_ms": self.service.as_json(),
        }


def poisson(tasks: Sequence[Task], rate: float, count: int, seed: int = 0) -> list[Request]:
    """`count` arrivals with exponential gaps, `rate` a second; tasks in a seeded order, over and over."""
    draw = random.Random(seed)
    order = list(tasks)
    draw.shuffle(order)
    found, now = [], 0.0
    for number in range(count):
        now += draw.expovariate(rate)
        found.append(Request(now, order[number % len(order)]))
    return found


def typed(trace: Trace, speed: float, count: int, seed: int = 0) -> list[Request]:
    """A request at each keystroke of a recorded author at which an editor asks, in its document."""
    moments = trace.moments(LONGEST_PAUSE_S, random.Random(seed))
    return list(islice(_typed(trace, moments, speed), count))


def _typed(trace: Trace, moments: Sequence[float], speed: float) -> Iterator[Request]:
    everything = zip(trace.keystrokes, trace.texts(), moments, strict=True)
    for number, (stroke, text, moment) in enumerate(everything):
        if is_typing(stroke):
            cursor = stroke[0].at + len(stroke[0].text)
            name = f"{trace.name}/{number}"
            around = text[:cursor], text[cursor:]
            yield Request(
                moment / speed, Task(name, "typing", trace.name, *around, "", trace.language)
            )


def drive(
    contestant: Contestant,
    requests: Sequence[Request],
    latest: bool = False,
    clock: Clock | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> Measured:
    """Ask at the requests' times, one at a time, the others waiting in a queue.

    With `latest` a request is cancelled where a newer one waits, as in an editor; one that is being
    answered is not. `told` hears how many requests are through.
    """
    clock, found = clock or RealClock(), Measured()
    began, place = clock.now(), 0
    while place < len(requests):
        clock.wait(began + requests[place].at)
        asked = clock.now() - began
        following = place + 1
        while latest and following < len(requests) and requests[following].at <= asked:
            found.cancelled += 1
            place, following = following, following + 1
        answer = contestant.answer(requests[place].task)
        ended = clock.now() - began
        found.busy += ended - asked
        if answer.error:
            found.errors += 1
        else:
            found.answered += 1
            found.stale += following < len(requests) and requests[following].at < ended
            found.latency.add(ended - requests[place].at)
            found.service.add(ended - asked)
        place = following
        told(place)
    found.seconds = clock.now() - began
    return found
