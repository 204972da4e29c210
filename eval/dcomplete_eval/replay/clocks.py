"""Two clocks for one typist: time that is counted, and time that passes."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Protocol

from dcomplete_eval.types import Answer, Contestant, Live, Task


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request. `answer` is None where the contestant never gave one."""

    answer: Answer | None
    ms: float | None  # from the keystroke, debounce included; None where it was not waited for
    stale: bool


class Clock(Protocol):
    """Passes the time between keystrokes and asks the contestant."""

    def stroke(self, after: float) -> None:
        """A keystroke is made, `after` seconds behind the one before."""
        ...

    def strike(self) -> None:
        """A keystroke is made now: the author accepts, or time begins to count."""
        ...

    def ask(self, task: Task, wait: float, patience: float) -> Reply:
        """Ask `wait` seconds behind the last keystroke; the next comes `patience` seconds behind it."""
        ...

    def close(self) -> None: ...


class VirtualClock:
    """Every request finds the contestant idle; its own time, or the one given, decides who is late.

    With a given latency who is late anyway is not asked.
    """

    def __init__(self, contestant: Contestant, latency_ms: float | None = None) -> None:
        self._contestant, self._latency = contestant, latency_ms

    def stroke(self, after: float) -> None:
        pass

    def strike(self) -> None:
        pass

    def ask(self, task: Task, wait: float, patience: float) -> Reply:
        if self._latency is not None and wait * 1000 + self._latency > patience * 1000:
            return Reply(None, wait * 1000 + self._latency, True)
        answer = self._contestant.answer(task)
        ms = wait * 1000 + (answer.ms if self._latency is None else self._latency)
        return Reply(answer, ms, ms > patience * 1000)

    def close(self) -> None:
        self._contestant.close()


class RealClock:
    """The contestant works in a thread while time passes. A request is given up at the next keystroke.

    One whose document stays open (`types.Live`) is then told so, and may go on for whoever types what
    it is about to say. Of others, one that runs cannot be stopped, so the next waits for it, as at a
    busy server.
    """

    def __init__(self, make: Callable[[], Contestant]) -> None:
        self._pool = ThreadPoolExecutor(1, "contestant")
        self._contestant = self._pool.submit(make).result()
        self._running: Future[Answer] | None = None
        self._now = time.perf_counter()

    @property
    def contestant(self) -> Contestant:
        return self._contestant

    def stroke(self, after: float) -> None:
        self._sleep_until(self._now + after)
        self._now += after
        self._give_up()

    def strike(self) -> None:
        self._now = time.perf_counter()
        self._give_up()

    def ask(self, task: Task, wait: float, patience: float) -> Reply:
        self._sleep_until(self._now + wait)
        self._running = self._begin(task)
        left = self._now + patience - time.perf_counter()
        wait_for([self._running], None if math.isinf(left) else max(0.0, left))
        if not self._running.done():
            return Reply(None, None, True)
        return Reply(self._running.result(), (time.perf_counter() - self._now) * 1000, False)

    def _begin(self, task: Task) -> Future[Answer]:
        if isinstance(self._contestant, Live):
            return self._contestant.typed(task)
        return self._pool.submit(self._contestant.answer, task)

    def _give_up(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def close(self) -> None:
        self._give_up()
        self._pool.submit(self._contestant.close).result()
        self._pool.shutdown()

    def _sleep_until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.perf_counter()))
