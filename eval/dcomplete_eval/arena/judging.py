"""Battles without a person: both answers are tested, or compared with the truth.

To a program an answer that is empty is a wrong answer, and counts; one that met an error does not.
Equal answers are set apart as always: they say nothing about who is better.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from dcomplete.errors import UserError
from dcomplete.votes.order import first_is_first
from dcomplete.votes.types import Choice, Kind, Side
from dcomplete_eval.arena.dealing import Dealer, side_of
from dcomplete_eval.arena.pairing import Meeting
from dcomplete_eval.types import Benchmark, Task, Verdict

Right = Callable[[Verdict], bool | None]  # None where this judge cannot say

JUDGES: dict[str, Right] = {
    "tests": lambda verdict: verdict.passed,
    "exact": lambda verdict: verdict.exact,
}


@dataclass(slots=True)
class Tally:
    """What a round of judging came to."""

    tasks: int = 0
    votes: Counter[str] = field(default_factory=Counter)  # by judge
    choices: Counter[str] = field(default_factory=Counter)
    apart: Counter[Kind] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        apart = {kind.value: count for kind, count in self.apart.items()}
        return {
            "tasks": self.tasks,
            "votes": dict(self.votes),
            "choices": dict(self.choices),
            "apart": apart,
        }

    def sentence(self) -> str:
        """For people."""
        votes = ", ".join(f"{count} by {judge}" for judge, count in self.votes.items()) or "none"
        apart = ", ".join(f"{count} {kind.value}" for kind, count in self.apart.items()) or "none"
        return f"{self.tasks} tasks. Votes: {votes}. Pairs set apart: {apart}."


@dataclass(slots=True)
class Judging:
    """Asks contestants for every task and votes by the benchmark's verdicts.

    `everybody` lets all contestants answer every task and meet each other; else the dealer's policy
    draws one pair a task.
    """

    dealer: Dealer
    benchmark: Benchmark
    judges: Sequence[str]
    everybody: bool = True
    jobs: int = 1
    again: bool = False  # also what has been judged before
    tally: Tally = field(default_factory=Tally)
    _met: dict[str, set[tuple[str, frozenset[str]]]] = field(default_factory=dict)  # by judge

    def __post_init__(self) -> None:
        for name in self.judges:
            if name not in JUDGES:
                raise UserError(f"There is no judge {name!r}; there are {', '.join(JUDGES)}.")
        if not self.again:
            store, told = self.dealer.store, (self.benchmark.name, self.dealer.source)
            self._met = {judge: store.met(*told, judge) for judge in self.judges}

    def run(self, tasks: Sequence[Task], done: Callable[[], None] = lambda: None) -> Tally:
        """Judge every task; `done` is called after each. What was judged is in the store at once."""
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.jobs, "judge"))
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)  # on Ctrl-C
            for task in tasks:
                self._judge(task, pool)
                self.tally.tasks += 1
                done()
        return self.tally

    def _judge(self, task: Task, pool: ThreadPoolExecutor) -> None:
        meetings = self._meetings(task)
        names = dict.fromkeys(name for meeting in meetings for name in meeting)
        asked = [(name, self.dealer.lanes[name].ask(task)) for name in names]
        sides = {name: side_of(self.dealer.lanes[name], answer.result()) for name, answer in asked}
        texts = {side.text for side in sides.values() if not side.failed}
        futures = {text: pool.submit(self.benchmark.judge, task, text) for text in texts}
        verdicts = {text: future.result() for text, future in futures.items()}
        for one, other in meetings:
            self._meet(task, sides[one], sides[other], verdicts)

    def _meetings(self, task: Task) -> list[Meeting]:
        """Who meets on a task, without those who have."""
        names = list(self.dealer.lanes)
        if self.everybody:
            meetings = list(combinations(names, 2))
        else:
            seen = self.dealer.store.latencies()
            meetings = [self.dealer.pairing.draw(names, seen, self.dealer.chance)]
        return [m for m in meetings if self._waiting(task, *m)]

    def _waiting(self, task: Task, one: str, other: str) -> list[str]:
        """The judges who have not judged this pair: nobody votes twice where a second one joins."""
        pair = task.id, frozenset((one, other))
        return [
            judge for judge in dict.fromkeys(self.judges) if pair not in self._met.get(judge, ())
        ]

    def _meet(self, task: Task, one: Side, other: Side, verdicts: dict[str, Verdict]) -> None:
        """Keep the pair, in a counterbalanced order as for people, and each judge's vote on it."""
        store = self.dealer.store
        known = store.orders(one.contestant, other.contestant)
        if not first_is_first(*known, self.dealer.chance):
            one, other = other, one
        pair = self.dealer.pair(task, one, other)
        store.add(pair, self.dealer.keep_code)
        if pair.kind not in (Kind.BATTLE, Kind.ONE_EMPTY):
            self.tally.apart[pair.kind] += 1
            return
        for judge in self._waiting(task, one.contestant, other.contestant):
            choice = verdict_choice(judge, verdicts[one.text], verdicts[other.text])
            if choice is not None:
                store.vote(pair.id, choice, judge)
                self.tally.votes[judge] += 1
                self.tally.choices[choice] += 1


def verdict_choice(judge: str, first: Verdict, second: Verdict) -> Choice | None:
    """Who is right where only one is; a tie where both are, neither where none is."""
    right = JUDGES[judge]
    one, other = right(first), right(second)
    if one is None or other is None:
        return None
    if one and other:
        return "tie"
    return "first" if one else "second" if other else "neither"
