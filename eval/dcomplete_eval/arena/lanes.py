"""One thread for each contestant, so that two of them can be asked at the same time."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from dcomplete.errors import UserError
from dcomplete_eval.types import Answer, Contestant, Task

T = TypeVar("T")


def in_background(work: Callable[[], T], name: str) -> "Future[T]":
    """Run `work` in a thread that does not keep the program from ending."""
    future: Future[T] = Future()

    def run() -> None:
        _settle(future, work)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


class Lane:
    """A contestant in a thread of its own, in which it is also made and closed."""

    def __init__(self, make: Callable[[], Contestant]) -> None:
        """Begin to make the contestant; `ready` waits for it."""
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._made: Future[Contestant] = Future()
        self._make = make
        # No daemon: a program that ends while a network computes in a thread is aborted.
        self._thread = threading.Thread(target=self._run, name="contestant")
        self._thread.start()

    def ready(self) -> Self:
        """Wait until the contestant is there; raises what making it raised."""
        self._made.result()
        return self

    @property
    def name(self) -> str:
        return self._made.result().name

    def settings(self) -> dict[str, Any]:
        return self._made.result().settings()

    def ask(self, task: Task) -> "Future[Answer]":
        """Have a gap filled. What goes wrong unexpectedly is an answer with an error, too."""
        contestant = self._made.result()
        future: Future[Answer] = Future()

        def work() -> None:
            _settle(future, lambda: _answer(contestant, task))

        self._work.put(work)
        return future

    def end(self) -> None:
        """Have the contestant closed when it has done what it is doing."""
        self._work.put(None)

    def close(self) -> None:
        """Wait until it is closed."""
        self.end()
        self._thread.join()

    def _run(self) -> None:
        _settle(self._made, self._make)
        if self._made.exception() is not None:
            return
        contestant = self._made.result()
        while (work := self._work.get()) is not None:
            work()
        contestant.close()


Lanes = Mapping[str, Lane]


@contextmanager
def opened(makers: Sequence[Callable[[], Contestant]]) -> Iterator[dict[str, Lane]]:
    """Lanes by the contestants' names, at least two; raises UserError where two names are equal."""
    lanes = [Lane(make) for make in makers]
    try:
        found: dict[str, Lane] = {}
        for lane in lanes:
            name = lane.ready().name
            if name in found:
                raise UserError(f"Two contestants are called {name}; give one name=... of its own.")
            found[name] = lane
        if len(found) < 2:
            raise UserError("An arena needs two contestants.")
        yield found
    finally:
        _close(lanes)


def _close(lanes: Sequence[Lane]) -> None:
    """Close all of them; who presses Ctrl-C while an answer is waited for leaves at once."""
    for lane in lanes:
        lane.end()
    try:
        for lane in lanes:
            lane.close()
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)


def _answer(contestant: Contestant, task: Task) -> Answer:
    try:
        return contestant.answer(task)
    except UserError:
        raise
    except Exception as error:  # a bug of one contestant must not end a sitting
        return Answer("", 0.0, error=f"{type(error).__name__}: {error}")


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
