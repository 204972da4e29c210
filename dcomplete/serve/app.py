"""The process's routes. Nothing is decided here: orders go to the scheduler, answers come back."""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dcomplete import __version__
from dcomplete.errors import Cancelled, DcompleteError, UserError
from dcomplete.serve import codec
from dcomplete.serve.asking import body_of, until_gone
from dcomplete.serve.faults import place_of
from dcomplete.serve.jobs import Job
from dcomplete.serve.orders import Choice, Ending, Order, Status
from dcomplete.serve.schedule import Scheduler
from dcomplete.serve.statuses import status_of
from dcomplete.types import Cell, Infill

_JSON = "application/json"
_log = logging.getLogger(__name__)
_Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Desk:
    """What the routes work with. `end` is called with `when_idle`."""

    scheduler: Scheduler
    end: Callable[[bool], None]
    version: str = __version__
    started: float = field(default_factory=time.monotonic)

    def status(self) -> Status:
        """How the process does."""
        return status_of(self.scheduler, self.started, self.version)


def make_app(desk: Desk, token: str = "") -> ASGIApp:
    """The routes; with a `token`, behind it."""
    routes = Routes(desk)
    app = Starlette(
        routes=[
            Route("/infill", _safe(routes.infill), methods=["POST"]),
            Route("/warm", _safe(routes.warm), methods=["POST"]),
            Route("/status", _safe(routes.status), methods=["GET"]),
            Route("/stop", _safe(routes.stop), methods=["POST"]),
        ]
    )
    return Guard(app, token) if token else app


class Routes:
    """One method per route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def infill(self, request: Request) -> Response:
        order = codec.load(Order, await body_of(request))
        if order.request is None:
            raise UserError("Field request is missing.")
        if order.watch:
            return self._watched(request, order)
        return await self._answered(request, self._desk.scheduler.submit(order))

    async def warm(self, request: Request) -> Response:
        choice = codec.load(Choice, await body_of(request))
        order = Order(model=choice.model, device=choice.device, dtype=choice.dtype)
        return await self._answered(request, self._desk.scheduler.submit(order))

    async def status(self, request: Request) -> Response:
        return _json(self._desk.status())

    async def stop(self, request: Request) -> Response:
        self._desk.end(codec.load(Ending, await body_of(request)).when_idle)
        return _json({"stopping": True})

    async def _answered(self, request: Request, job: Job) -> Response:
        async with self._dropping(request, job):
            answer: asyncio.Future[Infill | None] = asyncio.wrap_future(job.future)
            return _json(await answer)

    def _watched(self, request: Request, order: Order) -> Response:
        loop = asyncio.get_running_loop()
        shown: asyncio.Queue[bytes | None] = asyncio.Queue()

        def show(step: int, rows: list[list[Cell]]) -> None:
            line = codec.dump({"step": step, "rows": codec.rows_to_json(rows)}) + b"\n"
            tell(line)

        def tell(line: bytes | None) -> None:
            with suppress(RuntimeError):  # the loop has ended before the step
                loop.call_soon_threadsafe(shown.put_nowait, line)

        job = self._desk.scheduler.submit(order, show)
        job.future.add_done_callback(lambda _: tell(None))

        async def lines() -> AsyncIterator[bytes]:
            async with self._dropping(request, job):
                while (line := await shown.get()) is not None:
                    yield line
                error = job.future.exception()
                last = {"result": job.future.result()} if error is None else _said(error)
                yield codec.dump(last) + b"\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @asynccontextmanager
    async def _dropping(self, request: Request, job: Job) -> AsyncIterator[None]:
        """Within, the job ends when the client closes its connection."""

        async with until_gone(request) as gone:
            gone.add_done_callback(lambda _: self._desk.scheduler.drop(job))
            try:
                yield
            finally:
                self._desk.scheduler.drop(job)


class Guard:
    """Lets through only requests with the token: a port of this machine is open to all its users.

    A browser sends an Origin; no page may talk to the engine, whatever it knows.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._wanted = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        said = headers.get(b"authorization", b"")
        if hmac.compare_digest(said, self._wanted) and b"origin" not in headers:
            await self._app(scope, receive, send)
        else:
            error = UserError("The token is missing or wrong.")
            await _json(_said(error), 403)(scope, receive, send)


def _json(value: object, status: int = 200) -> Response:
    return Response(codec.dump(value), status, media_type=_JSON)


def _said(error: BaseException) -> dict[str, object]:
    return codec.error_to_json(error)[1]


def _safe(route: _Endpoint) -> _Endpoint:
    """`route` with every error as an answer; nothing of its text in a log."""

    async def answer(request: Request) -> Response:
        try:
            return await route(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except asyncio.CancelledError:  # a step takes longer than the process has when it ends
            status, said = codec.error_to_json(Cancelled("The engine was stopped."))
            return _json(said, status)
        except Exception as error:
            if not isinstance(error, DcompleteError):
                _log.error("%s at %s", type(error).__name__, place_of(error))
            status, said = codec.error_to_json(error)
            return _json(said, status)

    return answer
