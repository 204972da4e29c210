"""The process that listens. It is thin: the engine process computes, and is started when needed."""

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass

from dcomplete.dialects.app import make_app
from dcomplete.dialects.desk import Desk, Models
from dcomplete.dialects.guard import Rules
from dcomplete.errors import DcompleteError, UserError, system_words
from dcomplete.serve.client import EngineClient
from dcomplete.serve.listening import Server, quiet, signals
from dcomplete.serve.orders import ANY, AsyncEngine, Choice
from dcomplete.serve.start import StartOptions

_GRACE = 1  # seconds for answers under way when the process ends
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Front:
    """What to run: the engine's defaults, the names of the models, and whom to let in."""

    rules: Rules
    port: int
    models: Models
    choice: Choice = ANY
    branches: int = 0
    confidence: float = 0.0


def serve(front: Front, ready: Say, complain: Say) -> None:
    """Serve until Ctrl-C. `ready` is told the address, `complain` that the model cannot be loaded.

    Raises UserError where the address cannot be had or would let anybody in.
    """
    front.rules.check()
    with listen(front.rules.host, front.port) as listener:
        asyncio.run(_serve(front, listener, ready, complain))


async def _serve(front: Front, listener: socket.socket, ready: Say, complain: Say) -> None:
    engine = EngineClient(StartOptions(front.choice))
    desk = Desk(engine, front.models, front.branches, front.confidence)
    server = Server(quiet(make_app(desk, front.rules), _GRACE))
    with signals(asyncio.get_running_loop(), server.end):
        ready(url_of(front.rules.host, listener.getsockname()[1]))
        warming = asyncio.create_task(_warm(engine, complain))
        try:
            await server.serve(sockets=[listener])
        finally:
            warming.cancel()
            await engine.close()


async def _warm(engine: AsyncEngine, complain: Say) -> None:
    """Have the model loaded before somebody waits for it."""
    try:
        await engine.warm()
    except DcompleteError as error:
        complain(str(error))


def listen(host: str, port: int) -> socket.socket:
    """A socket at that address; raises UserError."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise UserError(f"{host} is no address that is known here.") from None
    try:
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} is in use; choose another with --port, or end what uses it."
            ) from None
        why = system_words(error.errno) if error.errno else str(error)
        raise UserError(f"Cannot listen at {host}, port {port}: {why}.") from None


def url_of(host: str, port: int) -> str:
    """The address as a client writes it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
