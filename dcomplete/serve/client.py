"""The engine process as an editor's server sees it. Light: no torch, no server, httpx when needed."""

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dcomplete.errors import Cancelled, DcompleteError, Reason, Refusal, UserError
from dcomplete.serve import codec
from dcomplete.serve.orders import ANY, Choice, EngineFault, Order, Status
from dcomplete.serve.places import Address
from dcomplete.serve.start import (
    StartOptions,
    absolute_model,
    ensure_engine,
    read_status,
    stop_engine,
)
from dcomplete.serve.transport import open_async_client
from dcomplete.types import Infill, InfillRequest, Watcher

if TYPE_CHECKING:
    import httpx

_FIRST_S, _LONGEST_S = 0.25, 10.0  # back-off after failures in a row: doubled each time


class EngineClient:
    """The user's engine process, started when first needed. See `orders.AsyncEngine`.

    For one event loop. When the process dies, the requests it had are refused (no engine) once a new
    one runs; while none can be started, requests are refused without trying each time.
    """

    def __init__(self, options: StartOptions | None = None) -> None:
        self._options = options or StartOptions()
        self._http: httpx.AsyncClient | None = None
        self._starting: asyncio.Task[None] | None = None
        self._closed = threading.Event()
        self._failures = 0
        self._retry_at = 0.0
        self._problem = "The engine cannot be reached."

    async def infill(
        self,
        request: InfillRequest,
        *,
        key: str = "",
        choice: Choice = ANY,
        background: bool = False,
        watch: Watcher | None = None,
    ) -> Infill:
        """See `orders.AsyncEngine.infill`."""
        wanted = self._wanted(choice)
        order = Order(
            id=uuid.uuid4().hex[:12],
            key=key,
            model=wanted.model,
            device=wanted.device,
            dtype=wanted.dtype,
            background=background,
            watch=watch is not None,
            request=request,
        )
        raw = await self._ask("/infill", codec.dump(order), watch)
        try:
            return codec.read(Infill, raw, strict=False)
        except UserError as error:
            raise EngineFault(f"The engine's answer cannot be read: {error}") from None

    async def warm(self, choice: Choice = ANY) -> None:
        """See `orders.AsyncEngine.warm`; starts the process if need be."""
        await self._ask("/warm", codec.dump(self._wanted(choice)), None)

    async def status(self) -> Status | None:
        """See `orders.AsyncEngine.status`."""
        return await asyncio.to_thread(read_status)

    async def stop(self, when_idle: bool = False) -> bool:
        """End the process; False where none ran or it did not end in time."""
        return await asyncio.to_thread(stop_engine, when_idle)

    async def close(self) -> None:
        """Close the connections; the process goes on for others."""
        self._closed.set()
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, DcompleteError):
                await self._starting
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _wanted(self, choice: Choice) -> Choice:
        wanted = choice.over(self._options.default)
        return replace(wanted, model=absolute_model(wanted.model))

    async def _ask(self, path: str, body: bytes, watch: Watcher | None) -> object:
        """The answer to a request. One that the process never got, or refuses as it ends, goes to
        the next process.
        """
        import httpx

        for last in (False, True):
            http = await self._reach()
            try:
                answer = await self._exchange(http, path, body, watch)
            except httpx.ConnectError:
                self._forget(http)
                if last:
                    break
            except httpx.TransportError:
                raise await self._died(http) from None
            except Cancelled as why:  # not by us: somebody has stopped the engine
                self._forget(http)
                raise Refusal(str(why), Reason.NO_ENGINE) from None
            except Refusal as refusal:
                if refusal.reason is not Reason.NO_ENGINE or last:
                    raise
                self._forget(http)
            else:
                self._failures = 0
                return answer
        raise Refusal(self._problem, Reason.NO_ENGINE)

    async def _exchange(
        self, http: "httpx.AsyncClient", path: str, body: bytes, watch: Watcher | None
    ) -> object:
        async with http.stream("POST", path, content=body) as answer:
            if watch is None or answer.status_code != 200:
                said = _parsed(await answer.aread())
                if answer.status_code != 200:
                    raise codec.error_from_json(said)
                return said
            return await _watched(answer.aiter_lines(), watch)

    async def _reach(self) -> "httpx.AsyncClient":
        """Connections to a process that runs; raises Refusal (no engine) or UserError."""
        if self._http is None:
            if self._starting is None and time.monotonic() < self._retry_at:
                raise Refusal(self._problem, Reason.NO_ENGINE)
            await self._restart(0.0)
        assert self._http is not None
        return self._http

    async def _died(self, http: "httpx.AsyncClient") -> Refusal:
        """The process broke off in the middle of a request: have a new one for the next."""
        if self._http is http:
            self._http = None
            self._failed("The engine process ended unexpectedly.")
        if self._http is None:
            with contextlib.suppress(Refusal, UserError):
                await self._restart(self._retry_at - time.monotonic())
        return Refusal("The engine process ended unexpectedly.", Reason.NO_ENGINE)

    def _failed(self, problem: str) -> None:
        delay = min(_LONGEST_S, _FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        self._retry_at, self._problem = time.monotonic() + delay, problem

    async def _restart(self, delay: float) -> None:
        """One start at a time, whoever asks; who is cancelled meanwhile does not stop it."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(max(0.0, delay)))
        await asyncio.shield(self._starting)

    async def _start(self, delay: float) -> None:
        try:
            await asyncio.sleep(delay)
            address: Address = await asyncio.to_thread(ensure_engine, self._options, self._closed)
            self._http = open_async_client(address)
        except (Refusal, UserError) as error:
            self._failed(str(error))
            raise
        finally:
            self._starting = None

    def _forget(self, http: "httpx.AsyncClient") -> None:
        """Not closed: others may still get their answers through it."""
        if self._http is http:
            self._http = None


def _parsed(raw: bytes) -> object:
    try:
        return codec.parse(raw)
    except UserError:  # the mistake is none of the caller's
        raise EngineFault("The engine's answer cannot be read.") from None


async def _watched(lines: AsyncIterator[str], watch: Watcher) -> object:
    """Show the steps of a streamed answer; its last line is the answer or an error."""
    async for line in lines:
        said = _parsed(line.encode("ascii", "replace"))
        if not isinstance(said, dict):
            break
        if "result" in said:
            return said["result"]
        if "error" in said:
            raise codec.error_from_json(said)
        watch(int(said.get("step", 0)), codec.rows_from_json(said.get("rows")))
    raise EngineFault("The engine's answer broke off.")
