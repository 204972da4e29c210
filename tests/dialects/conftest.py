"""The routes on a real port, in front of an engine that says what a test wants it to."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from dcomplete.dialects.app import make_app
from dcomplete.dialects.desk import Desk
from dcomplete.dialects.front import listen, url_of
from dcomplete.dialects.guard import Rules
from dcomplete.errors import Reason, Refusal, UserError
from dcomplete.serve.listening import Server, quiet
from dcomplete.serve.orders import ANY, Choice, EngineFault
from dcomplete.types import Answer, Finish, Infill, InfillRequest, Timings

BEFORE, AFTER = "def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n"
MARKED = f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"


@dataclass
class FakeEngine:
    """Notes what it is asked. The prefix may say how it fails, or that it never ends."""

    texts: tuple[str, ...] = ("a + b",)
    finish: Finish = Finish.DONE
    asked: list[tuple[InfillRequest, Choice]] = field(default_factory=list)
    cancelled: int = 0
    pause: float = 0.0

    async def infill(self, request, *, choice=ANY, **_: object) -> Infill:
        self.asked.append((request, choice))
        match request.prefix:
            case "wrong":
                raise UserError("Steps must be at least 1.")
            case "none":
                raise Refusal("The engine cannot be reached.", Reason.NO_ENGINE)
            case "busy":
                raise Refusal("The engine has too many requests waiting; try again.", Reason.BUSY)
            case "fault":
                raise EngineFault("The engine failed with KeyError; its log says where.")
            case "bug":
                raise KeyError("hunter2_marker")
        try:
            await asyncio.sleep(600 if request.prefix == "endless" else self.pause)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answers = [Answer((text,), len(text), -0.1, self.finish) for text in self.texts]
        return Infill(
            tuple(answers[: request.samples]),
            choice.model or "smol", "cpu", "float32", "verify", 3, 4, 50, 40,
            Timings(1.0, 2.0, 3.0, 4.0, 9.0),
        )  # fmt: skip

    async def warm(self, choice: Choice = ANY) -> None: ...

    async def status(self) -> None: ...

    async def close(self) -> None: ...

    @property
    def request(self) -> InfillRequest:
        """The last one."""
        return self.asked[-1][0]


@dataclass
class House:
    engine: FakeEngine
    url: str
    http: httpx.Client

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def serving(engine: FakeEngine, rules: Rules, *defaults: float) -> Iterator[str]:
    """The address of a server that ends afterwards."""
    listener = listen(rules.host, 0)
    desk = Desk(engine, lambda: {"smol": "smol", "big": "big"}, *defaults)
    server = Server(quiet(make_app(desk, rules), 1))
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield url_of(rules.host, listener.getsockname()[1])
    finally:
        loops[0].call_soon_threadsafe(server.end)
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def opened() -> Iterator[Callable[..., House]]:
    """Starts a server; it ends after the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(
            host: str = "127.0.0.1", token: str = "", branches: int = 0, confidence: float = 0.0
        ) -> House:
            engine = FakeEngine()
            rules = Rules(host, token)
            url = stack.enter_context(serving(engine, rules, branches, confidence))
            http = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=20))
            return House(engine, url, http)

        yield start


@pytest.fixture
def house(opened: Callable[..., House]) -> House:
    """A server for this machine, without a token."""
    return opened()


def events(text: str) -> list[str]:
    """The data of a stream of server-sent events."""
    blocks = text.split("\n\n")
    assert blocks.pop() == "" and all(block.startswith("data: ") for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]
