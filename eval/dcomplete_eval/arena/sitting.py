"""One person, one pair at a time. Who is who is told after the vote, by `vote` alone."""

import random
import threading
from concurrent.futures import Future
from dataclasses import dataclass

from dcomplete.errors import UserError
from dcomplete.types import Stopwatch
from dcomplete.votes.order import first_is_first
from dcomplete.votes.types import Choice, Pair, Side
from dcomplete_eval.arena.dealing import Dealer, Found
from dcomplete_eval.arena.lanes import in_background
from dcomplete_eval.types import Task


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be seen before the vote: an id, the gap, and two texts."""

    id: str
    task: Task
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """What may be seen after it."""

    choice: Choice
    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class _Open:
    shown: Shown
    pair: Pair
    since: Stopwatch


class Sitting:
    """Shows pairs and takes votes. Safe to use from several threads.

    While one pair is looked at, the next one is already asked for.
    """

    def __init__(self, dealer: Dealer) -> None:
        self.dealer = dealer
        self.votes = 0
        self._lock = threading.Lock()
        self._ahead: Future[Found] | None = None
        self._current: Future[_Open] | None = None
        self._over = threading.Event()
        self._order = random.SystemRandom()

    def show(self) -> "Future[Shown]":
        """The pair that is to be voted on: the same one until there is a vote, or it is skipped."""
        with self._lock:
            if self._current is None or (self._current.done() and self._current.exception()):
                self._current = in_background(self._open, "show")
            return _then(self._current)

    def vote(self, id: str, choice: Choice) -> Revealed:
        """Keep the vote and say who was who; raises UserError where `id` is not what is shown."""
        open = self._find(id)
        self.dealer.store.vote(id, choice, after_ms=open.since.total())
        self.votes += 1
        self._leave(open)
        return Revealed(choice, open.pair.first, open.pair.second)

    def skip(self, id: str) -> None:
        """Leave a pair without a vote; it stays in the store as shown."""
        self._leave(self._find(id))

    @property
    def between(self) -> bool:
        """Whether no pair is shown or asked for: the time when names may be seen."""
        with self._lock:
            return self._current is None

    def close(self) -> None:
        """Stop asking for pairs."""
        self._over.set()

    def _find(self, id: str) -> _Open:
        with self._lock:
            current = self._current
            if current is None or not current.done() or current.exception() is not None:
                raise UserError("No pair is shown.")
            if current.result().shown.id != id:
                raise UserError("This pair is not shown any more.")
            return current.result()

    def _leave(self, open: _Open) -> None:
        with self._lock:
            if self._current is not None and self._current.result() is open:
                self._current = None

    def _open(self) -> _Open:
        """In a thread: take the pair that was asked for ahead, order it, and keep that it is shown."""
        found = self._next()
        store = self.dealer.store
        known = store.orders(found.one.contestant, found.other.contestant)
        sides = (found.one, found.other)
        if not first_is_first(*known, self._order):
            sides = sides[::-1]
        pair = self.dealer.pair(found.task, *sides)
        store.add(pair, self.dealer.keep_code)
        shown = Shown(pair.id, found.task, pair.first.text, pair.second.text)
        return _Open(shown, pair, Stopwatch())

    def _next(self) -> Found:
        ahead = self._ahead or self._look_ahead()
        try:
            found = ahead.result()
        finally:
            self._ahead = None
        if not self._over.is_set():
            self._ahead = self._look_ahead()
        return found

    def _look_ahead(self) -> "Future[Found]":
        return in_background(lambda: self.dealer.find(self._over), "deal")


def _then(current: "Future[_Open]") -> "Future[Shown]":
    """A future of what may be seen of a pair."""
    shown: Future[Shown] = Future()

    def pass_on(done: "Future[_Open]") -> None:
        if not shown.set_running_or_notify_cancel():  # the asker has gone
            return
        error = done.exception()
        if error is not None:
            shown.set_exception(error)
        else:
            shown.set_result(done.result().shown)

    current.add_done_callback(pass_on)
    return shown
