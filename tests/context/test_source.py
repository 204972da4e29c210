"""Sources that fail or dawdle cost nothing but themselves."""

import pytest

from dcomplete.context import SOURCES, Source, Workspace, gather
from dcomplete.context.source import Deadline, ask
from dcomplete.document import Gap, Snapshot
from dcomplete.registry import Registry
from dcomplete.settings import Settings
from dcomplete.types import Snippet

SNAPSHOT = Snapshot("untitled:a", "python", 1, "x = ", Gap(4, 4))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Told:
    """Gives one snippet after a while, or fails."""

    name = "told"
    budget_ms = 10.0

    def __init__(
        self, clock: Clock, takes_ms: float = 0.0, fails: bool = False, asks: bool = False
    ):
        self.clock, self.takes_ms, self.fails, self.asks = clock, takes_ms, fails, asks

    def snippets(self, snapshot, workspace, deadline):
        self.clock.now += self.takes_ms / 1000
        if self.fails:
            raise RuntimeError("broken")
        if self.asks and deadline.over():
            return [Snippet("half.py", "half", self.name)]
        return [Snippet("a.py", "text", self.name)]


@pytest.mark.parametrize(
    ("options", "paths", "complete", "slow"),
    [
        ({}, ["a.py"], True, 0),
        ({"fails": True}, [], True, 1),
        ({"takes_ms": 15.0, "asks": True}, ["half.py"], False, 0),
        ({"takes_ms": 100.0}, [], False, 1),
    ],
)
def test_a_source_is_given_its_time_and_no_more(monkeypatch, options, paths, complete, slow):
    clock = Clock()
    told = Told(clock, **options)
    sources = Registry("context source", {"told": lambda: told})
    monkeypatch.setattr("dcomplete.context.source.SOURCES", sources)
    workspace = Workspace(clock=clock)
    found, all_done = ask(["told"], SNAPSHOT, workspace)
    assert [snippet.path for snippet in found] == paths
    assert all_done == complete
    assert workspace.slow_sources["told"] == slow


def test_a_broken_source_does_not_break_the_request(monkeypatch):
    class Broken:
        name = "recent"
        budget_ms = 1.0

        def snippets(self, snapshot, workspace, deadline):
            raise ValueError("broken")

    monkeypatch.setattr("dcomplete.context.recent.Recent.snippets", Broken.snippets)
    workspace = Workspace()
    assert gather(SNAPSHOT, workspace, Settings()).prefix == "x = "
    assert workspace.slow_sources == {"recent": 1}


@pytest.mark.parametrize("name", list(SOURCES))
def test_every_source_keeps_the_contract(name):
    source: Source = SOURCES.get(name)()
    assert source.name == name
    assert source.budget_ms > 0
    workspace = Workspace(clock=lambda: 0.0)
    deadline = Deadline(source.budget_ms, workspace.clock)
    for text in ("", "\ud800", "from . import \0\n", "import " * 500, '#include "\0"\n'):
        for uri in ("untitled:a", "file:///nowhere/%00/a.py", "file:///nowhere/a.c", ""):
            snapshot = Snapshot(uri, "", 1, text, Gap(0, len(text)))
            assert source.snippets(snapshot, workspace, deadline) == []
