"""An engine of fake steps, a clock that stands still, and a real process's insides in a thread."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dcomplete import __version__
from dcomplete.errors import UserError
from dcomplete.serve.jobs import Record
from dcomplete.serve.limits import Limits
from dcomplete.serve.orders import Choice, LoadedModel, Order
from dcomplete.serve.places import LOG_VARIABLE, RUNTIME_VARIABLE
from dcomplete.serve.pool import Loaded, ModelPool
from dcomplete.serve.process import EngineProcess, Options
from dcomplete.serve.schedule import Scheduler
from dcomplete.serve.start import read_status, stop_engine
from dcomplete.types import (
    Answer,
    CancelToken,
    Cell,
    Finish,
    Infill,
    InfillRequest,
    Timings,
    Watcher,
)

SECRET = "hunter2_marker"


class TensorTrouble(Exception):
    """What no part of the house expects; its text is that of a request."""


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@dataclass
class FakeStepper:
    """Takes `request.steps` steps; the prefix may say how it fails. Notes whose step it was."""

    name: str
    trace: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    pause: float = 0.0  # seconds of a step

    def steps(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Generator[None, None, Infill]:
        try:
            self.deadlines.append(request.deadline_ms)
            for step in range(request.steps):
                self._fail(request.prefix)
                time.sleep(self.pause)
                self.trace.append(request.prefix)
                if watch is not None:
                    watch(step, [[Cell(request.prefix, False), Cell(None, True)]])
                yield
                if cancel is not None:
                    cancel.check()
        finally:
            self.closed.append(request.prefix)
        return infill_of(request.prefix + "!", self.name, request.steps)

    def _fail(self, prefix: str) -> None:
        match prefix:
            case "bug":
                raise TensorTrouble(SECRET)
            case "memory":
                raise MemoryError
            case "cuda-memory":
                raise OutOfMemoryError
            case "wrong":
                raise UserError("Steps must be at least 1.")


def infill_of(text: str, model: str = "fake", steps: int = 1) -> Infill:
    answer = Answer((text,), 1, -0.5, Finish.DONE)
    return Infill((answer,), model, "cpu", "float32", "p", steps, steps + 1, 7, 3, Timings())


@dataclass
class FakeLoader:
    """Models by any name but "missing"; "" is "fake"."""

    loads: list[str] = field(default_factory=list)
    steppers: dict[str, FakeStepper] = field(default_factory=dict)
    pause: float = 0.0
    on_load: Callable[[], None] = lambda: None

    def resolve(self, choice: Choice) -> Choice:
        if choice.model == "missing":
            raise UserError("Unknown model 'missing'.")
        return Choice(choice.model or "fake", "cpu", choice.dtype)

    def load(self, choice: Choice) -> Loaded:
        self.on_load()
        self.loads.append(choice.model)
        stepper = self.steppers.setdefault(choice.model, FakeStepper(choice.model))
        stepper.pause = self.pause
        return Loaded(stepper, LoadedModel(choice.model, "cpu", "float32", 1))

    @property
    def trace(self) -> str:
        return "".join(self.steppers["fake"].trace)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """A scheduler without a thread: the test takes the turns."""

    loader: FakeLoader
    clock: Clock
    scheduler: Scheduler
    records: list[Record]

    def order(self, prefix: str = "a", steps: int = 3, **changes: object):
        request = InfillRequest(prefix, steps=steps)
        return self.scheduler.submit(Order(**{"request": request, **changes}))

    def turns(self, most: int = 1000) -> int:
        for done in range(most):
            if not self.scheduler.turn():
                return done
        return most


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def make_bench(limits: Limits | None = None) -> Bench:
    loader, clock, records = FakeLoader(), Clock(), []
    pool = ModelPool(loader, kept=2)
    return Bench(loader, clock, Scheduler(pool, limits, records.append, clock), records)


@pytest.fixture
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder and a log of the test's own."""
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / "run"))
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "log"))
    return tmp_path


@dataclass
class Served:
    """A real process's insides in a thread of the test."""

    loader: FakeLoader
    thread: threading.Thread
    results: list[bool]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log" / "engine.log").read_text()


@pytest.fixture
def serve(own_places: Path) -> Iterator[Callable[..., Served]]:
    """Starts one; it is stopped after the test."""
    with starting(own_places) as start:
        yield start


@contextmanager
def starting(folder: Path) -> Iterator[Callable[..., Served]]:
    """See `serve`; `folder` is where the environment says."""
    threads = []

    def start(pause: float = 0.0, version: str = __version__, **changes: object) -> Served:
        loader, results = FakeLoader(pause=pause), []
        options = Options(**{"exit_after": 60.0, **changes})
        process = EngineProcess(options, loader, version=version)
        thread = threading.Thread(target=lambda: results.append(process.run()))
        thread.start()
        threads.append(thread)
        until(lambda: read_status() is not None)
        return Served(loader, thread, results, folder)

    yield start
    stop_engine()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def until(true: Callable[[], object], within: float = 10.0) -> None:
    """Wait for `true`; fails when it does not come."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
