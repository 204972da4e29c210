"""Bytes in and out: standard streams or one TCP connection.

Standard input is read, and standard output written, by a thread each. An editor that writes much
before it reads cannot block the server so, and the process can end while a read is still waiting.
"""

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from dcomplete_lsp.framing import Framer
from dcomplete_lsp.thrift import Thrift

_CHUNK = 64 * 1024


class Receiver(Protocol):
    """Takes message bodies."""

    def receive(self, body: bytes | None) -> bool:
        """Handle one body (None: noise on the line); False if it is no JSON."""
        ...


class Inbox:
    """What arrives, in order, until the stream ends or `stop` is called."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._stopped = False

    def put(self, chunk: bytes) -> None:
        """Add bytes from any thread; none at all means the end."""
        try:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._stopped = True

    def stop(self) -> None:
        """End `deliver` after the message that is being handled."""
        self._stopped = True
        self._chunks.put_nowait(b"")

    async def deliver(self, receiver: Receiver) -> None:
        """Hand every message to `receiver` until the end."""
        framer, thrift = Framer(), Thrift()
        while not self._stopped and (chunk := await self._chunks.get()):
            for body in framer.feed(chunk):
                if not receiver.receive(body) and body is not None:
                    framer.unread(body)
                # A request's task takes its snapshot before the next message changes the text.
                await asyncio.sleep(0)
                thrift.tick()
                if self._stopped:
                    return


class Outbox:
    """Writes to a file descriptor from a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="lsp-out", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        """Write what is left, for half a second at most."""
        self._queue.put(None)
        self._thread.join(timeout=0.5)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:  # the editor is gone; its end of standard input tells the rest
                return


def read_in_thread(descriptor: int, put: Callable[[bytes], None]) -> None:
    """Read a file descriptor to its end in a thread."""

    def run() -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = os.read(descriptor, _CHUNK)
            except OSError:
                chunk = b""
            put(chunk)

    threading.Thread(target=run, name="lsp-in", daemon=True).start()


def take_standard_streams() -> tuple[int, int]:
    """Descriptors of the editor's streams; prints and stray reads no longer reach them."""
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, sink


async def read_socket(reader: asyncio.StreamReader, put: Callable[[bytes], None]) -> None:
    """Read a connection to its end."""
    chunk = b"-"
    while chunk:
        try:
            chunk = await reader.read(_CHUNK)
        except OSError:
            chunk = b""
        put(chunk)
