"""One thread for each contestant, so that two of them can be asked at the same time."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from dcomplete.errors import UserError
from dcomplete_eval.types import Answer, Contestant, Task

T = TypeVar("T")

_PATIENCE_S = 5.0  # for an answer that is under way when a lane closes


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
        self._thread = threading.Thread(target=self._run, name="contestant", daemon=True)
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

    def close(self) -> None:
        """Close the contestant after what it is doing, or give it up."""
        self._work.put(None)
        self._thread.join(_PATIENCE_S)

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
        for lane in lanes:
            lane.close()


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
