"""The engine process: one per user, for as long as somebody needs it."""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from filelock import FileLock, Timeout

from dcomplete import __version__
from dcomplete.errors import UserError
from dcomplete.serve.app import Desk, make_app
from dcomplete.serve.journal import Journal
from dcomplete.serve.limits import Limits
from dcomplete.serve.listening import Server, quiet, signals
from dcomplete.serve.orders import Choice, Order, Status
from dcomplete.serve.places import RUNTIME_VARIABLE, TRANSPORT_VARIABLE, Address, Places, log_file
from dcomplete.serve.pool import Loader, ModelPool, StoredModels
from dcomplete.serve.schedule import Scheduler
from dcomplete.serve.start import read_status

_GRACE = 3  # seconds for answers under way when the process ends
_SWITCH = 0.001  # seconds that a thread computes before another may
_LOOK = 0.5  # seconds between two status lines


@dataclass(frozen=True, slots=True)
class Options:
    """How a process runs. Seconds without requests until weights and then the process go."""

    default: Choice = field(default_factory=Choice)
    unload_after: float = 300.0
    exit_after: float = 900.0
    preload: bool = False


class EngineProcess:
    """Serves until it is stopped, or nobody asked for `exit_after` seconds."""

    def __init__(
        self,
        options: Options,
        loader: Loader | None = None,
        show: Callable[[Status], None] | None = None,
        version: str = __version__,
    ) -> None:
        self._options, self._show = options, show
        self._loader = loader or StoredModels(options.default)
        self._places = Places.find()
        self._version = version
        self._end: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._when_idle = False
        self._own: object = None  # what clients find us by

    def run(self) -> bool:
        """Serve; False if a computation could not be stopped in time, so that the thread lives on.

        Raises UserError where a process runs already or the folder is not private.
        """
        self._places.secure()
        lock = self._lock()
        journal = Journal(log_file())
        try:
            return self._run(journal)
        finally:
            self._places.clear(self._own)
            journal.say(f"ended pid={os.getpid()}")
            journal.close()
            lock.release()

    def _lock(self) -> FileLock:
        """Held from now on; raises UserError where another process holds it and is not to end.

        One that ends takes no more orders, but may compute for as long as its two graces last.
        """
        lock = FileLock(self._places.engine_lock)
        deadline = time.monotonic() + 2 * _GRACE + 1
        while True:
            try:
                lock.acquire(timeout=1)  # a client that waited for the last one holds it a moment
            except Timeout:
                said = read_status(self._places)
                if (said is not None and not said.ending) or time.monotonic() > deadline:
                    raise UserError(
                        "An engine runs already; see 'dcomplete serve --status'."
                    ) from None
            else:
                return lock

    def _run(self, journal: Journal) -> bool:
        limits = Limits(unload_after=self._options.unload_after)
        scheduler = Scheduler(ModelPool(self._loader), limits, journal.write)
        worker = threading.Thread(target=self._work, args=(scheduler,), name="engine", daemon=True)
        # The worker's Python code must not keep the event loop waiting: answers are small.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        journal.say(f"started pid={os.getpid()} version={self._version}")
        try:
            asyncio.run(self._serve(scheduler, worker))
        finally:
            sys.setswitchinterval(interval)
            scheduler.close()
            if worker.ident is not None:  # it was started
                worker.join(_GRACE)
        return not worker.is_alive()

    def _work(self, scheduler: Scheduler) -> None:
        """The worker's life; without it the process answers nobody, so both end together."""
        try:
            scheduler.run()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended before
                self._loop.call_soon_threadsafe(self._end.set)

    async def _serve(self, scheduler: Scheduler, worker: threading.Thread) -> None:
        self._end = asyncio.Event()
        loop = self._loop = asyncio.get_running_loop()
        desk = Desk(scheduler, self._stop, self._version)
        listener, address = self._listen()
        server = Server(quiet(make_app(desk, address.token), _GRACE))
        with signals(loop, self._end.set):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            self._places.publish(address)
            self._own = self._places.entrance()
            worker.start()
            if self._options.preload:
                scheduler.submit(Order())
            await self._watch(desk, serving)
            scheduler.close(finish=self._when_idle)
            while self._when_idle and scheduler.idle_for() == 0 and not serving.done():
                await asyncio.sleep(0.02)
            self._places.clear(self._own)  # before the last answers: new clients must not come here
            server.end()
            await serving

    def _stop(self, when_idle: bool) -> None:
        self._when_idle = when_idle
        self._end.set()

    async def _watch(self, desk: Desk, serving: "asyncio.Task[None]") -> None:
        """Until the process should end."""
        while not self._end.is_set() and not serving.done():
            rest = self._options.exit_after - desk.scheduler.idle_for()
            if rest <= 0:
                return
            if self._show is not None:
                self._show(desk.status())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), rest if self._show is None else _LOOK)

    def _listen(self) -> tuple[socket.socket, Address]:
        """A socket that only this user can reach, or a port that only the token opens.

        Raises UserError where the folder's file system has no sockets, as a home on a network may.
        """
        if self._places.tcp:
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            return listener, Address(port=port, token=secrets.token_urlsafe(32))
        path = self._places.socket
        path.unlink(missing_ok=True)  # left by a killed process: we hold the lock
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
        except OSError as error:
            listener.close()
            raise UserError(
                f"No socket can be made in {path.parent} ({error.strerror}): set {RUNTIME_VARIABLE} to "
                f"a folder on a disk of this machine, or {TRANSPORT_VARIABLE}=tcp for every program."
            ) from None
        path.chmod(0o600)
        listener.listen(128)
        return listener, Address(socket=str(path))
