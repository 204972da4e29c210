"""Contestants whose answers are known, and tasks for them."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dcomplete.votes.store import VoteStore
from dcomplete_eval.arena.dealing import Dealer
from dcomplete_eval.arena.lanes import opened
from dcomplete_eval.arena.pairing import Pairing, Uniform
from dcomplete_eval.types import Answer, Contestant, Task

Write = Callable[[Task], str]


def tasks(count: int = 5) -> list[Task]:
    return [
        Task(
            id=f"t{n}",
            benchmark="scripted",
            group=f"g{n // 2}",
            prefix=f"def f{n}(x):\n    return ",
            suffix="\n\nprint(f)\n",
            gold=f"x + {n}",
        )
        for n in range(count)
    ]


class Scripted:
    """Answers by a function, after a while; remembers when it was asked, and in which threads."""

    def __init__(self, name: str, write: Write | str, takes_s: float = 0.0) -> None:
        self.name = name
        self._write = write
        self._takes_s = takes_s
        self.times: list[tuple[float, float]] = []
        self.threads = {threading.current_thread()}
        self.asked = 0
        self.closed = False

    def settings(self) -> dict[str, Any]:
        return {"planted_setting": self.name}

    def answer(self, task: Task) -> Answer:
        self.threads.add(threading.current_thread())
        self.asked += 1
        begin = time.monotonic()
        time.sleep(self._takes_s)
        text = self._write if isinstance(self._write, str) else self._write(task)
        self.times.append((begin, time.monotonic()))
        if text == "error":
            return Answer("", 1.0, error="It did not work.")
        return Answer(text, 1000 * self._takes_s + 1)

    def close(self) -> None:
        self.threads.add(threading.current_thread())
        self.closed = True


def maker(*arguments: Any, made: list[Scripted] | None = None) -> Callable[[], Contestant]:
    def make() -> Contestant:
        contestant = Scripted(*arguments)
        if made is not None:
            made.append(contestant)
        return contestant

    return make


@contextmanager
def dealing(
    path: Path,
    *makers: Callable[[], Contestant],
    pairing: Pairing | None = None,
    count: int = 5,
    **changes: Any,
) -> Iterator[Dealer]:
    """A dealer with a store of its own."""
    with VoteStore(path / "votes.sqlite3") as store, opened(makers) as lanes:
        chance = random.Random(0)
        drawn = pairing or Uniform()
        yield Dealer(lanes, tasks(count), drawn, store, "test", chance, **changes)


ONE, OTHER = ("planted-one", "x + 1"), ("planted-other", "x + 2")


@contextmanager
def two(path: Path, **changes: Any) -> Iterator[Dealer]:
    """A dealer of two who always differ."""
    with dealing(path, maker(*ONE), maker(*OTHER), **changes) as dealer:
        yield dealer
