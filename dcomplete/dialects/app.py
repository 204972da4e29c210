"""The routes: bodies to the desk, answers back, and every error in the words of its dialect."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dcomplete.dialects.asked import Flow, Given
from dcomplete.dialects.desk import Desk
from dcomplete.dialects.fields import Fields
from dcomplete.dialects.guard import Guard, Rules
from dcomplete.dialects.sharing import begin
from dcomplete.dialects.table import FACTS, GAPS, Fact, dialect_at, dialect_of
from dcomplete.errors import Cancelled, DcompleteError, Refusal, UserError
from dcomplete.serve import codec
from dcomplete.serve.asking import TooLarge, body_of, until_gone
from dcomplete.serve.faults import place_of

T = TypeVar("T")
_log = logging.getLogger(__name__)
_Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk, rules: Rules) -> ASGIApp:
    """The routes behind their guard."""
    gaps = [Route(path, _safe(_filling(desk)), methods=["POST"]) for path in GAPS]
    facts = [
        Route(path, _safe(_telling(desk, fact)), methods=list(fact.methods))
        for path, fact in FACTS.items()
    ]
    app = Starlette(routes=[*gaps, *facts], exception_handlers={HTTPException: _no_route})
    return Guard(app, rules, _refusal)


def _filling(desk: Desk) -> _Endpoint:
    async def fill(request: Request) -> Response:
        body = Fields.of(codec.parse(await body_of(request)))
        dialect = dialect_of(request.url.path, body)
        try:
            asked = dialect.read(body)
            given = await _while_connected(request, desk.answer(asked))
        except DcompleteError as error:
            return _json(dialect.error(status_of(error), str(error)), status_of(error))
        if not asked.stream:
            return _json(dialect.whole(given))
        return _streamed(dialect.flow, dialect.parts(given), given)

    return fill


def _telling(desk: Desk, fact: Fact) -> _Endpoint:
    async def tell(request: Request) -> Response:
        raw = await body_of(request)
        body = Fields.of(codec.parse(raw)) if raw.strip() else Fields({})
        said = fact.tell(desk.names, body)
        return Response() if said is None else _json(said)

    return tell


def _streamed(flow: Flow, parts: Any, given: Given) -> Response:
    """A stream as clients expect it, sent at once: there is nothing to see before its end."""
    lines = [codec.dump(part) for part in parts]
    if flow is Flow.LINES:
        return Response(b"".join(line + b"\n" for line in lines), media_type="application/x-ndjson")
    if flow is Flow.EVENTS_DONE:
        lines.append(b"[DONE]")
    events = b"".join(b"data: " + line + b"\n\n" for line in lines)
    return Response(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled, and with it the engine's, when the client goes away."""
    working = begin(work)
    async with until_gone(request) as gone:
        try:
            await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            working.cancel()


def status_of(error: DcompleteError) -> int:
    """The HTTP status that says whose turn it is: the client's, or to try again later."""
    match error:
        case TooLarge():
            return 413
        case UserError():
            return 400
        case Refusal() | Cancelled():  # no engine, too much to do, or it was stopped
            return 503
    return 500


def _safe(route: _Endpoint) -> _Endpoint:
    """`route` with every error as an answer; nothing of a request's text in a log."""

    async def answer(request: Request) -> Response:
        path = request.url.path
        try:
            return await route(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except DcompleteError as error:
            return _refusal(path, status_of(error), str(error))
        except asyncio.CancelledError:
            return _refusal(path, 503, "The server ends.")
        except Exception as error:
            _log.error("%s at %s", type(error).__name__, place_of(error))
            return _refusal(path, 500, f"dcomplete failed with {type(error).__name__}.")

    return answer


async def _no_route(request: Request, error: Exception) -> Response:
    """For paths and methods that are nobody's."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    known = ", ".join((*GAPS, *FACTS))
    sentence = f"Nothing is answered here. Known: {known}."
    if status == 405:
        sentence = f"{request.method} is not what is asked here."
    return _refusal(request.url.path, status, sentence)


def _refusal(path: str, status: int, sentence: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return _json(dialect_at(path).error(status, sentence), status, headers)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(codec.dump(value), status, headers, media_type="application/json")
