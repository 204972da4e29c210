"""A sitting in a browser: one page from this machine, for this machine.

``GET /api/pair`` waits for the pair that is to be voted on; ``POST /api/vote`` takes ``{id, choice}`` or
``{id, skip}`` and answers with the names; ``GET /api/ranking`` says where everybody stands, between pairs.
Scripts may use the same three with ``Authorization: Bearer TOKEN``.
"""

import asyncio
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dcomplete.errors import DcompleteError, UserError
from dcomplete_eval.arena import view
from dcomplete_eval.arena.guard import Guard
from dcomplete_eval.arena.lines import take
from dcomplete_eval.arena.sitting import Sitting
from dcomplete_eval.arena.tables import notes
from dcomplete_eval.ranking import MINIMUM, rank

_BEFORE, _AFTER = 40, 20  # lines around the gap; the page scrolls to it
_MOST_BODY = 10_000  # bytes of a vote
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

_Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(sitting: Sitting, port: int, token: str, minimum: int = MINIMUM) -> ASGIApp:
    """The page and its interface, behind the guard."""
    desk = Desk(sitting, minimum)
    routes = [Route(path, _file(*what), methods=["GET"]) for path, what in _FILES.items()]
    routes += [
        Route("/api/pair", _safe(desk.pair), methods=["GET"]),
        Route("/api/vote", _safe(desk.vote), methods=["POST"]),
        Route("/api/ranking", _safe(desk.ranking), methods=["GET"]),
    ]
    return Guard(Starlette(routes=routes), port, token)


class Desk:
    """One method per route."""

    def __init__(self, sitting: Sitting, minimum: int) -> None:
        self._sitting, self._minimum = sitting, minimum

    async def pair(self, request: Request) -> Response:
        shown = await asyncio.wrap_future(self._sitting.show())
        first, second = view.sides(shown, _BEFORE, _AFTER)
        return JSONResponse(
            {
                "id": shown.id,
                "language": shown.task.language,
                "sides": [_lines(first), _lines(second)],
                **self._tally(),
            }
        )

    async def vote(self, request: Request) -> Response:
        answer = await asyncio.to_thread(take, self._sitting, await _json(request))
        return JSONResponse(answer | self._tally())

    async def ranking(self, request: Request) -> Response:
        if not self._sitting.between:
            raise UserError("The ranking has names in it: vote or skip first.")
        ballots = await asyncio.to_thread(self._sitting.dealer.store.ballots)
        names = {*self._sitting.dealer.lanes}
        known = [b for b in ballots if {b.first, b.second} <= names]
        found = await asyncio.to_thread(rank, known, self._minimum)
        return JSONResponse(found.as_json() | {"notes": notes(found)})

    def _tally(self) -> dict[str, Any]:
        apart = {kind.value: count for kind, count in self._sitting.dealer.apart.items()}
        return {"votes": self._sitting.votes, "apart": apart}


class Listener:
    """A socket on loopback, and the address with the token that a person opens."""

    def __init__(self, port: int = 0) -> None:
        """Take a free port, or the one given; raises UserError where that is taken."""
        self.token = secrets.token_urlsafe(24)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.socket.bind(("127.0.0.1", port))
        except OSError as error:
            self.socket.close()
            raise UserError(f"Port {port} cannot be used: {error.strerror}.") from None
        self.socket.listen()  # before the address is told: who comes at once waits, and is not refused
        self.port = int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def serve(self, sitting: Sitting, minimum: int = MINIMUM) -> None:
        """Answer until Ctrl-C."""
        import uvicorn

        config = uvicorn.Config(
            make_app(sitting, self.port, self.token, minimum),
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[self.socket])
        finally:
            self.socket.close()


def _lines(found: list[view.Line]) -> list[dict[str, Any]]:
    return [
        {
            "number": line.number,
            "answer": line.answer,
            "pieces": [[p.text, p.kind, p.answer] for p in line.pieces],
        }
        for line in found
    ]


async def _json(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UserError("Send application/json.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BODY:
            raise UserError("The request is too large.")
        parts.append(part)
    try:
        return json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise UserError("The request is no JSON.") from None


def _file(name: str, kind: str) -> _Endpoint:
    content = files("dcomplete_eval.arena").joinpath("page", name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _safe(route: _Endpoint) -> _Endpoint:
    """`route` with what is raised on purpose as an answer."""

    async def answer(request: Request) -> Response:
        try:
            return await route(request)
        except DcompleteError as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer
