"""Clients that can also send nonsense: bytes to a server, messages back."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dcomplete.settings import Settings
from dcomplete_lsp.framing import Framer
from dcomplete_lsp.launch import assemble
from dcomplete_lsp.server import Server
from dcomplete_lsp.transport import Inbox
from tests.lsp.fake_server import fake_backend

HERE = Path(__file__).parent
FAKE = [sys.executable, str(HERE / "fake_server.py")]
CAPABILITIES: dict[str, Any] = {"general": {"positionEncodings": ["utf-16"]}}
PATIENCE_S = 20.0


def frame(message: object) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Client:
    """What was said in one conversation, and ways to wait for it."""

    def __init__(self) -> None:
        self.responses: dict[Any, dict[str, Any]] = {}
        self.answered: Counter[Any] = Counter()  # how often each id was
        self.orphans: list[dict[str, Any]] = []  # errors that answer no id
        self.notifications: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}  # to the server's requests, by method
        self._next = 0
        self._news = asyncio.Event()
        self._end: asyncio.Task[None] | None = None  # done when the server says no more

    async def send(self, data: bytes | object) -> None:
        """Send bytes as they are, anything else as a framed JSON message."""
        raise NotImplementedError

    async def notify(self, method: str, params: object) -> None:
        await self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, params: object = None) -> int:
        """Send a request without waiting; returns its id."""
        self._next += 1
        await self.send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        return self._next

    async def request(self, method: str, params: object = None) -> dict[str, Any]:
        """The whole response to a request."""
        return await self.response(await self.ask(method, params))

    async def response(self, id: object) -> dict[str, Any]:
        await self.until(lambda: id in self.responses)
        return self.responses[id]

    async def until(self, condition: Any) -> None:
        """Wait for what the server says to fulfil `condition`."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                if self._end is not None and self._end.done():
                    await self._end
                    raise AssertionError("the server says no more")
                self._news.clear()
                await self._news.wait()

    def notified(self, method: str) -> list[Any]:
        return [n["params"] for n in self.notifications if n["method"] == method]

    async def initialize(self, **more: object) -> dict[str, Any]:
        """Shake hands; returns the response to `initialize`."""
        params = {"processId": None, "rootUri": None, "capabilities": CAPABILITIES, **more}
        response = await self.request("initialize", params)
        await self.notify("initialized", {})
        return response

    async def open(self, uri: str, text: str = "", language: str = "python") -> None:
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        await self.notify("textDocument/didOpen", {"textDocument": item})

    def take(self, message: dict[str, Any]) -> object:
        """Sort in a message of the server; returns the answer if it is a request."""
        self._news.set()
        if "method" not in message:
            if message["id"] is None:
                self.orphans.append(message)
            else:
                self.answered[message["id"]] += 1
                self.responses[message["id"]] = message
        elif "id" in message:
            self.requests.append(message)
            answer = self.answers.get(message["method"])
            return {"jsonrpc": "2.0", "id": message["id"], "result": answer}
        else:
            self.notifications.append(message)
        return None


class Local(Client):
    """A conversation with a server in this event loop."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self._framer = Framer()
        self._inbox = server.inbox = Inbox()
        server.protocol.set_writer(self)
        self._end = asyncio.create_task(self._inbox.deliver(server.protocol))

    async def send(self, data: bytes | object) -> None:
        self._inbox.put(data if isinstance(data, bytes) else frame(data))

    def write(self, data: bytes) -> None:
        for body in self._framer.feed(data):
            assert body is not None
            if (answer := self.take(json.loads(body))) is not None:
                self._inbox.put(frame(answer))

    async def close(self) -> None:
        self._inbox.stop()
        if self._end is not None:
            await self._end
        await self.server.close()


class Wire(Client):
    """A conversation with a server process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self.process = process
        self.errors = b""
        self._end = asyncio.create_task(self._read())
        self._log = asyncio.create_task(self._read_errors())

    async def send(self, data: bytes | object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data if isinstance(data, bytes) else frame(data))
        await self.process.stdin.drain()

    async def ended(self) -> int:
        """Wait for the process to end; returns its exit status."""
        async with asyncio.timeout(PATIENCE_S):
            while self.process.returncode is None:  # `wait` also waits for unread pipes
                await asyncio.sleep(0.02)
        return self.process.returncode

    async def close(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        tasks = [task for task in (self._end, self._log) if task is not None]
        await asyncio.wait(tasks, timeout=1.0)  # a grandchild may hold the pipes
        for task in tasks:
            task.cancel()
        self.process._transport.close()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        framer = Framer()
        try:
            while chunk := await self.process.stdout.read(65536):
                for body in framer.feed(chunk):
                    assert body is not None, "the server wrote something that is no message"
                    if (answer := self.take(json.loads(body))) is not None:
                        await self.send(answer)
        finally:
            asyncio.get_running_loop().call_soon(self._news.set)

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(65536):
            self.errors += chunk


@asynccontextmanager
async def local(base: Settings | None = None) -> AsyncIterator[Local]:
    """A server with the fake backend in this event loop."""
    server, care = assemble(fake_backend, base or Settings())
    client = Local(server)
    try:
        yield client
    finally:
        await care.close()
        await client.close()


@asynccontextmanager
async def running(
    command: list[str] | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[Wire]:
    """A server process; it is gone afterwards."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(command or FAKE), stdin=pipe, stdout=pipe, stderr=pipe,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(env or {})},
    )  # fmt: skip
    wire = Wire(process)
    try:
        yield wire
    finally:
        await wire.close()


def at(uri: str, line: int = 0, character: int = 0, kind: int = 2, **more: object) -> Any:
    """Parameters of `textDocument/inlineCompletion`."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": kind},
        **more,
    }


INLINE = "textDocument/inlineCompletion"
