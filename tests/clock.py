"""asyncio on a clock that jumps: tests that wait take no time, and no load makes them late."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock on by as much."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:  # nothing is planned: something from outside must happen
            return super().select(None)
        found = super().select(0)
        if not found:
            self.now += max(0.0, timeout)
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(story: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run` in jumping time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(story)
