"""One computation for all who ask for the same thing at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class _Running(Generic[V]):
    task: "asyncio.Task[V]"
    waiting: int = 0


def begin(work: Coroutine[Any, Any, V]) -> "asyncio.Task[V]":
    """A task whose failure is no news where nobody waits for it any more."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


class Sharing(Generic[V]):
    """minuet sends each request three times. Who leaves does not disturb the others; the last ends it."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Running[V]] = {}

    async def get(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `start` gives, or what a call with the same key that still runs does."""
        running = self._running.get(key)
        if running is None or running.task.done():
            running = self._running[key] = _Running(begin(start()))
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting:
                running.task.cancel()
                if self._running.get(key) is running:
                    del self._running[key]
