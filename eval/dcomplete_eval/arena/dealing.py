"""Draws a task and two contestants, asks both at once, and goes on until their answers differ."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dcomplete.errors import Refusal
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Kind, Pair, Side, new_id
from dcomplete_eval.arena.lanes import Lane, Lanes
from dcomplete_eval.arena.pairing import Pairing
from dcomplete_eval.types import Answer, Task

MOST_APART = 50  # pairs in a row that are no battle, before it is given up


@dataclass(frozen=True, slots=True)
class Found:
    """Two different answers to a task; who is shown first is not decided here."""

    task: Task
    one: Side
    other: Side


@dataclass(slots=True)
class Dealer:
    """Deals battles. To be used from one thread at a time."""

    lanes: Lanes
    tasks: Sequence[Task]
    pairing: Pairing
    store: VoteStore
    source: str
    chance: random.Random
    keep_code: bool = False
    session: str = field(default_factory=new_id)
    apart: Counter[Kind] = field(default_factory=Counter)  # pairs that are no battles, by kind
    _order: Iterator[Task] | None = None

    def find(self, given_up: threading.Event | None = None) -> Found:
        """The next two answers that differ; raises Refusal where none seem to come."""
        for _ in range(MOST_APART):
            task = self._next_task()
            names = self.pairing.draw(list(self.lanes), self.store.latencies(), self.chance)
            one, other = ask_both(self.lanes[names[0]], self.lanes[names[1]], task)
            pair = self.pair(task, one, other)
            if pair.kind is Kind.BATTLE:
                return Found(task, one, other)
            self.apart[pair.kind] += 1
            self.store.add(pair, self.keep_code)
            if given_up is not None and given_up.is_set():
                break
        raise Refusal(
            f"{MOST_APART} pairs in a row were no battles ({self.what_apart()}); "
            "take other contestants or another benchmark."
        )

    def pair(self, task: Task, first: Side, second: Side) -> Pair:
        """As the store keeps it."""
        return Pair(
            first,
            second,
            session=self.session,
            source=self.source,
            drawn=self.pairing.label,
            language=task.language,
            benchmark=task.benchmark,
            task=task.id,
            group=task.group,
            prefix=task.prefix,
            suffix=task.suffix,
        )

    def what_apart(self) -> str:
        """Kinds and numbers of the pairs set apart, in words."""
        return ", ".join(f"{count} {kind.value}" for kind, count in self.apart.items())

    def _next_task(self) -> Task:
        """All tasks in a random order, then all again in another."""
        while True:
            if self._order is not None and (task := next(self._order, None)) is not None:
                return task
            self._order = iter(self.chance.sample(self.tasks, len(self.tasks)))


def ask_both(one: Lane, other: Lane, task: Task) -> tuple[Side, Side]:
    """Ask both at the same time; back when the slower one has answered."""
    asked = [(lane, lane.ask(task)) for lane in (one, other)]
    first, second = (side_of(lane, future.result()) for lane, future in asked)
    return first, second


def side_of(lane: Lane, answer: Answer) -> Side:
    """An answer as the store keeps it."""
    return Side(lane.name, answer.text, answer.ms, lane.settings(), failed=bool(answer.error))
