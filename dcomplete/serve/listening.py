"""An HTTP server that says nothing, sleeps while nobody asks, and ends when it is told to."""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

_ENDING = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    _ENDING.append(signal.SIGBREAK)  # all that one process can send to another there


def quiet(app: ASGIApp, grace: int) -> uvicorn.Config:
    """How `app` is served; answers under way have `grace` seconds when the server ends."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",  # its tracebacks would hold texts of requests
        access_log=False,
        proxy_headers=False,
        date_header=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=grace,
    )


class Server(uvicorn.Server):
    """Serves until `end`; sleeps meanwhile, where uvicorn's own loop wakes ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    async def main_loop(self) -> None:
        await self._ended.wait()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's own business."""
        yield


@contextlib.contextmanager
def signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> Iterator[None]:
    """Within, Ctrl-C and a request of the system to end do so cleanly. In the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in _ENDING:
        before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
