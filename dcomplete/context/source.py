"""Where other text comes from: one protocol, one time budget each, one table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dcomplete.document import Snapshot
from dcomplete.registry import Registry
from dcomplete.types import Snippet

if TYPE_CHECKING:
    from dcomplete.context.workspace import Workspace

GRACE = 2.0  # a source that takes this many times its budget is dropped


@dataclass(frozen=True, slots=True)
class Visited(Snippet):
    """A snippet whose line `at` matters most: it is the last to go where room is short."""

    at: int = 0


class Deadline:
    """A point in time; loops ask whether it has passed."""

    def __init__(self, budget_ms: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = clock()
        self._budget = budget_ms / 1000
        self.asked_late = False

    def over(self) -> bool:
        """Whether the budget is spent; remembers having said so."""
        late = self.spent() > self._budget
        self.asked_late = self.asked_late or late
        return late

    def spent(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def missed(self) -> bool:
        """Whether the source went on far beyond its budget."""
        return self.spent() > GRACE * self._budget


class Source(Protocol):
    """Finds snippets. Changes nothing but its own caches, and asks `deadline` in its loops."""

    name: str
    budget_ms: float

    def snippets(
        self, snapshot: Snapshot, workspace: "Workspace", deadline: Deadline
    ) -> list[Snippet]:
        """Snippets for the gap, best first; those found in time."""
        ...


SOURCES: Registry[Callable[[], Source]] = Registry(
    "context source",
    {
        "imports": "dcomplete.context.imports:Imports",
        "recent": "dcomplete.context.recent:Recent",
        "neighbours": "dcomplete.context.neighbours:Neighbours",
    },
)


def ask(
    names: Iterable[str], snapshot: Snapshot, workspace: "Workspace"
) -> tuple[list[Snippet], bool]:
    """What the sources called `names` find, in this order, and whether all had the time they needed.

    A source that raises or overruns gives nothing this time and is counted in
    `workspace.slow_sources`; it never costs the suggestion.
    """
    found: list[Snippet] = []
    complete = True
    for name in names:
        source = SOURCES.get(name)()
        deadline = Deadline(source.budget_ms, workspace.clock)
        try:
            snippets = source.snippets(snapshot, workspace, deadline)
        except Exception:
            workspace.slow_sources[name] += 1
            continue
        if deadline.missed():
            workspace.slow_sources[name] += 1
            complete = False
            continue
        complete = complete and not deadline.asked_late
        found.extend(snippets)
    return found, complete
