"""The weights in memory: loaded when first asked for, a few kept, all dropped when nobody asks."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field, replace
from typing import Protocol

from dcomplete.serve.orders import Choice, LoadedModel
from dcomplete.types import CancelToken, Infill, InfillRequest, Watcher

KEPT = 2


class Stepper(Protocol):
    """An engine whose requests take turns: its generators yield between forward passes."""

    def steps(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Generator[None, None, Infill]:
        """See `types.Engine.infill`; closing the generator gives the request up."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """Weights that answer requests."""

    stepper: Stepper
    facts: LoadedModel
    cached_bytes: Callable[[], int] = lambda: 0


class Loader(Protocol):
    """Where weights come from."""

    def resolve(self, choice: Choice) -> Choice:
        """The same choice for all names of the same weights; raises UserError."""
        ...

    def load(self, choice: Choice) -> Loaded:
        """Read the weights of a resolved choice; raises UserError."""
        ...


@dataclass(frozen=True, slots=True)
class StoredModels:
    """Installed models. `default` fills in what a choice leaves open."""

    default: Choice = field(default_factory=Choice)

    def resolve(self, choice: Choice) -> Choice:
        """See `Loader.resolve`."""
        from dcomplete.engine.load import choose_device
        from dcomplete.models.store import find

        wanted = choice.over(self.default)
        path = find(wanted.model).path.resolve()
        return Choice(str(path), str(choose_device(wanted.device)), wanted.dtype)

    def load(self, choice: Choice) -> Loaded:
        """See `Loader.load`."""
        from dcomplete.engine.load import open_model

        engine = open_model(choice.model, choice.device, choice.dtype)
        return Loaded(engine, LoadedModel(*engine.facts), lambda: engine.cached_bytes)


class ModelPool:
    """At most `kept` models, least recently used out first. For one thread."""

    def __init__(self, loader: Loader, kept: int = KEPT) -> None:
        self._loader, self._kept = loader, kept
        self._models: dict[Choice, Loaded] = {}  # least recently used first
        self.rested = False

    def resolve(self, choice: Choice) -> Choice:
        """See `Loader.resolve`."""
        return self._loader.resolve(choice)

    def find(self, choice: Choice) -> Loaded | None:
        """The weights of a resolved choice, if they are in memory."""
        self.rested = False
        found = self._models.pop(choice, None)
        if found is not None:
            self._models[choice] = found
        return found

    def make_room(self, held: Collection[Choice]) -> bool:
        """Drop a model so that one more may be loaded; False if all are `held`."""
        while len(self._models) >= self._kept:
            free = [choice for choice in self._models if choice not in held]
            if not free:
                return False
            del self._models[free[0]]
            release_memory()
        return True

    def load(self, choice: Choice) -> Loaded:
        """Read the weights of a resolved choice; raises UserError."""
        loaded = self._models[choice] = self._loader.load(choice)
        release_memory()  # unpacking takes more than the weights do
        return loaded

    def rest(self) -> None:
        """Give back what the last requests computed with; the next one takes it again in milliseconds."""
        if not self.rested:
            release_memory()
        self.rested = True

    def clear(self) -> None:
        """Drop all weights."""
        self._models.clear()
        release_memory()

    @property
    def facts(self) -> tuple[LoadedModel, ...]:
        return tuple(
            replace(loaded.facts, cached_bytes=loaded.cached_bytes())
            for loaded in self._models.values()
        )


def release_memory() -> None:
    """Give what is free back to the system: Python, the C library and torch keep it otherwise."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    trim_heap()


def trim_heap() -> bool:
    """Give the C library's free memory back to the system; False where it has no way to."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):  # a C library without malloc_trim
        ctypes.CDLL(None).malloc_trim(0)
        return True
    return False
