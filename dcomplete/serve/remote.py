"""The engine process for callers without an event loop: `types.Engine` in another process."""

import asyncio
import queue
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from dcomplete.serve.client import EngineClient
from dcomplete.serve.orders import Choice
from dcomplete.serve.start import StartOptions
from dcomplete.types import CancelToken, Cell, Infill, InfillRequest, Watcher

T = TypeVar("T")
_POLL_S = 0.02  # how often a waiting caller looks whether it was cancelled
_Frame = tuple[int, list[list[Cell]]]


class RemoteEngine:
    """The user's engine process, started when first needed. See `types.Engine`.

    Raises what `EngineClient.infill` raises. Safe to use from several threads.
    """

    def __init__(self, model: str = "", options: StartOptions | None = None) -> None:
        self._model = model
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine-client")
        self._thread.daemon = True
        self._thread.start()
        self._client = EngineClient(options)

    def infill(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Infill:
        """See `types.Engine.infill`. `watch` is called in the caller's thread."""
        frames: queue.SimpleQueue[_Frame | None] = queue.SimpleQueue()
        answer = self._begin(
            self._client.infill(
                request,
                choice=Choice(self._model),
                watch=None if watch is None else lambda step, rows: frames.put((step, rows)),
            )
        )
        answer.add_done_callback(lambda _: frames.put(None))
        try:
            for step, rows in iter(lambda: self._next(frames, cancel), None):
                if watch is not None:
                    watch(step, rows)
        except BaseException:
            answer.cancel()
            raise
        return answer.result()

    def _next(
        self, frames: "queue.SimpleQueue[_Frame | None]", cancel: CancelToken | None
    ) -> _Frame | None:
        """The next frame, None at the end; raises Cancelled."""
        while True:
            if cancel is not None:
                cancel.check()
            try:
                return frames.get(timeout=_POLL_S)
            except queue.Empty:
                continue

    def warm(self) -> None:
        """Have the model loaded. Raises UserError for one that cannot be."""
        self._begin(self._client.warm(Choice(self._model))).result()

    def close(self) -> None:
        """Close the connections; the process goes on for others."""
        if self._loop.is_closed():
            return
        self._begin(self._client.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> "RemoteEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
