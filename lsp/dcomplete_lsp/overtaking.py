"""Latest wins: a newer request for a document takes the place of the older one."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from dcomplete.errors import Reason, Refusal

T = TypeVar("T")


class Overtaking:
    """Runs at most one piece of work of a kind for each document.

    The waiter of an overtaken one is told at once, also if the work is slow to stop.
    """

    def __init__(self) -> None:
        self._overtaken: dict[tuple[str, str], asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._overtaken)

    async def run(self, uri: str, work: Coroutine[Any, Any, T], kind: str = "") -> T:
        """The result of `work`; raises Refusal (superseded) if newer work or `end` came first."""
        task, key = asyncio.ensure_future(work), (uri, kind)
        self._tell(key)
        overtaken = self._overtaken[key] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((task, overtaken), return_when=asyncio.FIRST_COMPLETED)
            if overtaken.done():
                raise Refusal("A newer request took the place of this one.", Reason.SUPERSEDED)
            return task.result()
        finally:
            if self._overtaken.get(key) is overtaken:
                del self._overtaken[key]
            if not task.done():
                task.add_done_callback(_forget)
                task.cancel()
            else:
                _forget(task)

    def end(self, uri: str) -> None:
        """Stop all work for a document, if there is some."""
        for key in [key for key in self._overtaken if key[0] == uri]:
            self._tell(key)

    def _tell(self, key: tuple[str, str]) -> None:
        if (old := self._overtaken.pop(key, None)) is not None:
            old.set_result(None)


def _forget(task: "asyncio.Future[Any]") -> None:
    """Look at the error of abandoned work, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()
