"""The same interface without a second process: a scheduler and its thread in this one."""

import asyncio
import threading
import time
import uuid
from contextlib import suppress

from dcomplete.serve.limits import Limits
from dcomplete.serve.orders import ANY, Choice, Order, Status
from dcomplete.serve.pool import Loader, ModelPool, StoredModels
from dcomplete.serve.schedule import Scheduler
from dcomplete.serve.statuses import status_of
from dcomplete.types import Cell, Infill, InfillRequest, Watcher

_PATIENCE_S = 3.0  # for a step that runs when the engine is closed


class InProcess:
    """An engine in this process. See `orders.AsyncEngine`; torch is imported by the first request.

    A worker that broke, or was stopped, is replaced when the next request comes.
    """

    def __init__(
        self,
        default: Choice | None = None,
        limits: Limits | None = None,
        loader: Loader | None = None,
    ) -> None:
        self._loader, self._limits = loader or StoredModels(default or Choice()), limits
        self._scheduler = self._new_scheduler()
        self._worker: threading.Thread | None = None
        self._closed = False
        self._started = time.monotonic()

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
        order = Order(
            id=uuid.uuid4().hex[:12],
            key=key,
            model=choice.model,
            device=choice.device,
            dtype=choice.dtype,
            background=background,
            request=request,
        )
        answer = await self._answer(order, watch)
        assert answer is not None
        return answer

    async def warm(self, choice: Choice = ANY) -> None:
        """See `orders.AsyncEngine.warm`."""
        await self._answer(
            Order(model=choice.model, device=choice.device, dtype=choice.dtype), None
        )

    async def status(self) -> Status | None:
        """See `orders.AsyncEngine.status`."""
        return status_of(self._scheduler, self._started)

    async def stop(self, when_idle: bool = False) -> bool:
        """Give up what runs, or with `when_idle` answer it first, and drop the weights.

        Requests that come later start anew, unless `close` was called.
        """
        self._scheduler.close(finish=when_idle)
        worker = self._worker
        if worker is not None:
            await asyncio.to_thread(worker.join, None if when_idle else _PATIENCE_S)
        return worker is not None

    async def close(self) -> None:
        """See `orders.AsyncEngine.close`."""
        self._closed = True
        await self.stop()

    def _new_scheduler(self) -> Scheduler:
        return Scheduler(ModelPool(self._loader), self._limits)

    def _start(self) -> None:
        """Have a worker whose scheduler takes orders, if there may be one."""
        ended, before = self._scheduler.now().ending, self._worker
        if self._closed or (before is not None and not ended):
            return
        if ended:
            self._scheduler = self._new_scheduler()
        scheduler = self._scheduler

        def work() -> None:
            if before is not None:  # its weights go first: there may be no place for two
                before.join(_PATIENCE_S)
            scheduler.run()

        self._worker = threading.Thread(target=work, name="engine", daemon=True)
        self._worker.start()

    async def _answer(self, order: Order, watch: Watcher | None) -> Infill | None:
        loop = asyncio.get_running_loop()

        def show(step: int, rows: list[list[Cell]]) -> None:
            assert watch is not None
            with suppress(RuntimeError):  # the loop has ended before the step
                loop.call_soon_threadsafe(watch, step, rows)

        self._start()
        scheduler = self._scheduler
        job = scheduler.submit(order, show if watch else None)
        answer: asyncio.Future[Infill | None] = asyncio.wrap_future(job.future)
        try:
            return await answer
        finally:
            scheduler.drop(job)
