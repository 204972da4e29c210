"""Names to things, loaded when first asked for."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import Generic, TypeVar, cast

from dcomplete.errors import UserError

T = TypeVar("T")


class Registry(Generic[T]):
    """A table from a name to a value or to a lazy ``"module:attribute"`` address."""

    def __init__(self, kind: str, entries: dict[str, T | str]) -> None:
        self.kind = kind
        self._entries = entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> T:
        """The entry called `name`; raises UserError naming the known (and the nearest) names."""
        if name not in self._entries:
            near = get_close_matches(name, self._entries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(self._entries)
            raise UserError(f"Unknown {self.kind} {name!r}.{hint} Known: {known}.")
        entry = self._entries[name]
        if isinstance(entry, str):
            module, attribute = entry.split(":")
            entry = cast(T, getattr(import_module(module), attribute))
            self._entries[name] = entry
        return entry


Factory = Callable[..., T]
