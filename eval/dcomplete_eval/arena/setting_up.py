"""From the words of the command line to lanes, tasks and a dealer. What is heavy is imported here."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dcomplete.errors import UserError
from dcomplete.votes.store import VoteStore
from dcomplete_eval.arena.dealing import Dealer
from dcomplete_eval.arena.lanes import opened
from dcomplete_eval.arena.pairing import read_pairing
from dcomplete_eval.types import Benchmark, Contestant, Task, only


@dataclass(frozen=True, slots=True)
class Setup:
    """What a sitting or a round of judging is made from."""

    contestants: Sequence[str]
    benchmark: str
    data: Path | None
    limit: int
    pairing: str
    store: Path | None
    keep_code: bool
    seed: int | None

    def load(self) -> tuple[Benchmark, list[Task]]:
        """The benchmark and the tasks to draw from; raises UserError."""
        from dcomplete_eval.benchmarks import BENCHMARKS
        from dcomplete_eval.contestants import check
        from dcomplete_eval.data import folder

        if len(self.contestants) < 2:
            raise UserError("An arena needs two contestants.")
        for spec in self.contestants:
            check(spec)
        read_pairing(self.pairing)
        benchmark = BENCHMARKS.get(self.benchmark)
        tasks = only(benchmark.tasks(folder(self.data)), self.limit, self.seed or 0)
        if not tasks:
            raise UserError(f"{self.benchmark} has no tasks.")
        return benchmark, tasks

    @contextmanager
    def dealer(
        self, tasks: Sequence[Task], source: str, say: Callable[[str], None]
    ) -> Iterator[Dealer]:
        """A dealer with its contestants at work and the store open; both are closed afterwards."""
        say("Loading contestants ...")
        makers = [partial(_make, spec) for spec in self.contestants]
        with VoteStore(self.store) as store, opened(makers) as lanes:
            chance = random.Random(self.seed)
            pairing = read_pairing(self.pairing)
            yield Dealer(lanes, tasks, pairing, store, source, chance, self.keep_code)


def _make(spec: str) -> Contestant:
    from dcomplete_eval.contestants import contestant

    return contestant(spec)
