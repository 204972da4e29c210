"""Suggestions that the person did not want do not come back by themselves."""

from collections import OrderedDict
from typing import TypeVar

from dcomplete.document import Snapshot
from dcomplete.types import Suggestion

K = TypeVar("K")
V = TypeVar("V")
_REMEMBERED = 64  # suggestions whose acceptance or dismissal means something; documents asked about


class Recent(OrderedDict[K, V]):
    """The entries that were set last, and no more than some."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > _REMEMBERED:
            self.popitem(last=False)


class Dismissals:
    """What was shown, and what of it was dismissed: known by the document and the lines it would make,
    which stay the same while somebody types the suggestion, and seldom are at another place."""

    def __init__(self) -> None:
        self._shown: Recent[str, tuple[str, str]] = Recent()  # by id
        self._dismissed: Recent[tuple[str, str], None] = Recent()

    def shown(self, snapshot: Snapshot, suggestion: Suggestion) -> None:
        self._shown[suggestion.id] = _made(snapshot, suggestion)

    def dismissed(self, id: str) -> None:
        """The person did not want suggestion `id`."""
        if id in self._shown:
            self._dismissed[self._shown[id]] = None

    def accepted(self, id: str) -> None:
        """The person took it, or a part: it may come back."""
        self._dismissed.pop(self._shown.get(id, ("", "")), None)

    def __contains__(self, asked: tuple[Snapshot, Suggestion]) -> bool:
        return _made(*asked) in self._dismissed


def _made(snapshot: Snapshot, suggestion: Suggestion) -> tuple[str, str]:
    line = snapshot.text.rfind("\n", 0, suggestion.start) + 1
    return snapshot.uri, snapshot.text[line : suggestion.start] + suggestion.text
