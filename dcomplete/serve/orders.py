"""What clients and the engine process say to each other, as values. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dcomplete.errors import DcompleteError
from dcomplete.settings import ModelSettings
from dcomplete.types import Infill, InfillRequest, Watcher

PROTOCOL = 2  # raised when clients and processes of different numbers could not talk
STATES = ("idle", "loading", "ready", "busy")


class EngineFault(DcompleteError):
    """The engine failed on one request by a mistake of its own; its log says where."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which weights, where and in which number format. Empty or "auto": the process's own choice."""

    model: str = ""
    device: str = "auto"
    dtype: str = "auto"

    def over(self, default: "Choice") -> "Choice":
        """This choice, and what it leaves open as `default` says."""
        return Choice(
            self.model or default.model,
            default.device if self.device == "auto" else self.device,
            default.dtype if self.dtype == "auto" else self.dtype,
        )


ANY = Choice()


def choice_of(settings: ModelSettings, model: str = "") -> Choice:
    """What a person has set, or another `model` as it would run there."""
    return Choice(model or settings.name, settings.device, settings.dtype)


@dataclass(frozen=True, slots=True)
class Order:
    """One infill asked of the process. Among orders of the same `key` only the latest is answered.

    `background` orders run while nobody waits for an answer, and are dropped first. An order
    without a request loads the model and computes nothing.
    """

    id: str = ""
    key: str = ""  # "" is never superseded
    model: str = ""
    device: str = "auto"
    dtype: str = "auto"
    background: bool = False
    watch: bool = False
    request: InfillRequest | None = None

    @property
    def choice(self) -> Choice:
        return Choice(self.model, self.device, self.dtype)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Weights in memory; `bytes` counts parameters, as float32 unless they are bfloat16.

    `cached_bytes` are the contexts that were kept as of the last request, a few at most.
    """

    name: str
    device: str
    dtype: str
    bytes: int
    cached_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """How the process does. `state` is one of `STATES`; `memory_bytes` is its resident size."""

    pid: int
    version: str
    protocol: int
    uptime_s: float
    idle_s: float
    state: str
    ending: bool  # takes no more orders
    models: tuple[LoadedModel, ...]
    active: int
    waiting: int
    waiting_background: int
    counts: Mapping[str, int] = field(default_factory=dict)
    tokens_computed: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """Asks the process to end: at once, or when what it has begun is answered."""

    when_idle: bool = False


class AsyncEngine(Protocol):
    """What a server with an event loop talks to: the engine process, or a scheduler of its own."""

    async def infill(
        self,
        request: InfillRequest,
        *,
        key: str = "",
        choice: Choice = ANY,
        background: bool = False,
        watch: Watcher | None = None,
    ) -> Infill:
        """Fill the request's gaps; cancelling the awaiting task gives the request up.

        Raises UserError, Refusal (busy, superseded, no engine), Cancelled, and EngineFault for a
        mistake of the engine's own.
        """
        ...

    async def warm(self, choice: Choice = ANY) -> None:
        """Have the weights loaded. Raises UserError for one that cannot be."""
        ...

    async def status(self) -> Status | None:
        """How the engine does; None where none runs. Starts none."""
        ...

    async def close(self) -> None:
        """Let go of connections, and of weights in this process."""
        ...
