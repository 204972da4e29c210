"""A suggestion on its way, for whoever types on meanwhile.

Where a keystroke comes sooner than an answer, giving each request up for the next one would mean that
nothing ever appears while somebody types. So a newer request waits for the running computation as
long as what was typed since may still be the beginning of its answer. The canvas is watched: once its
first cells are decided and say something else, the computation ends at once. A left-to-right model
could tell as much from its first tokens; what is decided late in a canvas stays open longer.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from dcomplete.document import CLOSERS, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.types import Cell, Suggestion

T = TypeVar("T")
MOST_TYPED = 40  # characters since the request after which its answer is of no use
GRACE_S = 0.3  # between a request that is given up and the next one for the same computation


class Flight:
    """One computation, and the text typed since it was asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.task: asyncio.Task[list[Suggestion]] | None = None
        self._heads, self._whole = (
            {""},
            set[str](),
        )  # of the rows now, and whole answers before them
        self._typed, self._waiting = "", 0
        self._grace: asyncio.TimerHandle | None = None

    def start(
        self, work: Coroutine[Any, Any, list[Suggestion]]
    ) -> "asyncio.Task[list[Suggestion]]":
        """Begin `work`, which calls `see` after every denoise step."""
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(_look)
        return self.task

    def result(self) -> list[Suggestion]:
        """The answer of a computation that is over; raises what it raised.

        One that was stopped raises Refusal (superseded).
        """
        if self.task is None or self.task.cancelled():
            raise Refusal("A newer request took its place.", Reason.SUPERSEDED)
        return self.task.result()

    @property
    def over(self) -> bool:
        return self.task is None or self.task.done()

    def see(self, step: int, rows: list[list[Cell]]) -> None:
        """Look at the canvas after a step; see `types.Watcher`. Any row may become the answer."""
        self._heads = {_decided(row) for row in rows}
        self._whole |= {_decided(row) for row in rows[1:] if row and row[-1].text is not None}
        if not self._may_become(self._typed):
            self.stop()

    def joins(self, snapshot: Snapshot) -> bool:
        """Whether the answer may still be what `snapshot` asks for."""
        typed = typed_since(self.snapshot, snapshot)
        if self.over or typed is None:
            return False
        typed = typed.replace("\r\n", "\n")  # as the canvas has it
        if not self._may_become(typed):
            return False
        self._typed = typed
        return True

    def same(self, snapshot: Snapshot) -> bool:
        """Whether nothing was typed since."""
        return typed_since(self.snapshot, snapshot) == ""

    async def wait(self) -> None:
        """Until the computation is over. When nobody waits any more, it soon ends."""
        assert self.task is not None
        self._waiting += 1
        if self._grace is not None:
            self._grace.cancel()
        try:
            await asyncio.wait({self.task})
        finally:
            self._waiting -= 1
            if not self.over and not self._waiting:
                self._grace = asyncio.get_running_loop().call_later(GRACE_S, self.stop)

    def stop(self) -> None:
        """End the computation."""
        if self.task is not None:
            self.task.cancel()

    def _may_become(self, typed: str) -> bool:
        return any(typed.startswith(h) or h.startswith(typed) for h in self._heads | self._whole)


@dataclass(slots=True)
class Ahead:
    """The next suggestion, being computed while one is on screen, and for which place."""

    task: "asyncio.Task[None] | None" = None
    snapshot: Snapshot | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin `work`."""
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(_look)
        return self.task

    def goes_on_from(self, place: Snapshot) -> bool:
        """Whether it is being computed, for this place."""
        known = self.snapshot
        there = known is not None and (known.gap, known.text) == (place.gap, place.text)
        return there and self.running

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()

    def stop(self) -> None:
        """End it."""
        if self.task is not None:
            self.task.cancel()

    async def wait(self) -> None:
        """Until it is over, also by being stopped."""
        if self.task is not None:
            await asyncio.wait({self.task})


def drop(table: dict[str, T], uri: str, value: T) -> None:
    """Take out what is over, unless something newer has its place."""
    if table.get(uri) is value:
        del table[uri]


def typed_since(before: Snapshot, after: Snapshot) -> str | None:
    """What was typed at the gap between two snapshots; None if anything else is different.

    Closers behind it, which an editor inserts by itself, are no difference.
    """
    start, end = before.gap.start, after.gap.start
    if before.uri != after.uri or after.gap.end != end or not 0 <= end - start <= MOST_TYPED:
        return None
    if before.text[:start] != after.text[:start]:
        return None
    typed = after.text[start:end]
    inserted = len(after.text) - end - (len(before.text) - before.gap.end)
    if not 0 <= inserted <= len(typed):
        return None
    closers = after.text[end : end + inserted]
    if not all(CLOSERS.get(closer, "\0") in typed for closer in closers):
        return None
    return typed if before.text[before.gap.end :] == after.text[end + inserted :] else None


def _decided(row: list[Cell]) -> str:
    """The text from the gap's beginning to its first cell that is still masked."""
    head = ""
    for cell in row:
        if cell.text is None:
            break
        head += cell.text
    return head


def _look(task: "asyncio.Task[Any]") -> None:
    """Look at the error of a computation that nobody waits for: asyncio would report it."""
    if not task.cancelled():
        task.exception()
