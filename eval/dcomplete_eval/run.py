"""One contestant on one benchmark: answers come one by one, and several threads judge them beside that."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from dcomplete.errors import UserError
from dcomplete.provenance import commit, processor
from dcomplete_eval import sandbox
from dcomplete_eval.types import Answer, Benchmark, Contestant, Record, Task

_WAITING = 4  # answers for each judging thread; more would only lie in memory
_FAILURES = 20  # errors in a row after which something is broken

Told = Callable[[Record], None]


class Runner(Protocol):
    """Has tasks answered by one contestant, and judged."""

    @property
    def name(self) -> str: ...

    @property
    def nodes(self) -> int:
        """How many contestants answer side by side."""
        ...

    def settings(self) -> dict[str, Any]: ...

    def run(self, benchmark: Benchmark, tasks: Sequence[Task], keep: Told) -> None:
        """Hand a record of every task to `keep`, in any order and thread. Raises UserError."""
        ...

    def close(self) -> None: ...


class Local:
    """A runner in this process; `jobs` threads judge, with 0 jobs each answer before the next."""

    nodes = 1

    def __init__(self, contestant: Contestant, jobs: int = 1) -> None:
        self._who, self._jobs = contestant, jobs
        self.name, self.settings, self.close = (
            contestant.name,
            contestant.settings,
            contestant.close,
        )

    def run(self, benchmark: Benchmark, tasks: Sequence[Task], keep: Told) -> None:
        """See `Runner.run`."""
        Judging(benchmark, keep, self._jobs).run(self._who, tasks)


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges answers in `jobs` threads and hands each record to `keep`, in those threads.

    Without jobs an answer is judged before the next is asked for, so that its time is undisturbed.
    """

    benchmark: Benchmark
    keep: Told
    jobs: int = 1

    def run(self, contestant: Contestant, tasks: Iterable[Task]) -> None:
        """Have every task answered, here, and judged.

        What was answered is judged and kept, also when interrupted. Raises UserError where all
        answers fail.
        """
        threads = max(1, self.jobs)
        room = threading.Semaphore(threads * _WAITING)
        failures = 0
        with ThreadPoolExecutor(threads, thread_name_prefix="judge") as pool:
            waiting: set[Future[None]] = set()
            for task in tasks:
                if not self.jobs:
                    wait(waiting)
                answer = contestant.answer(task)
                failures = failures + 1 if answer.error else 0
                room.acquire()
                future = pool.submit(self.judge, task, answer)
                future.add_done_callback(lambda _: room.release())
                waiting.add(future)
                waiting = _checked(waiting)
                if failures >= _FAILURES:
                    raise UserError(f"{failures} answers in a row failed; the last: {answer.error}")
        _checked(waiting)

    def judge(self, task: Task, answer: Answer) -> None:
        self.keep(record(self.benchmark, task, answer))


def _checked(futures: set[Future[None]]) -> set[Future[None]]:
    """Those that are not done; raises what went wrong in one that is."""
    done = {future for future in futures if future.done()}
    for future in done:
        future.result()
    return futures - done


def record(benchmark: Benchmark, task: Task, answer: Answer) -> Record:
    """The line of an answer. No answer passes nothing, also where an empty text would."""
    verdict = benchmark.judge(task, answer.text)
    if answer.error:
        passed = None if verdict.passed is None else False
        verdict = replace(verdict, passed=passed, exact=False, outcome="no answer")
    return Record(task.id, task.benchmark, task.group, task.kind, task.language, answer, verdict)


def digest(tasks: Sequence[Task]) -> str:
    """What the tasks are, in 16 digits: runs of different data must not be compared."""
    found = hashlib.sha256()
    for task in tasks:
        found.update(repr(sorted(asdict(task).items(), key=lambda pair: pair[0])).encode())
    return found.hexdigest()[:16]


def head(
    benchmark: Benchmark,
    runner: Runner,
    tasks: Sequence[Task],
    chosen: Sequence[Task],
    judges: int = 0,
) -> dict[str, Any]:
    """What a run's numbers need beside them; `chosen` are those of `tasks` that are asked.

    `judges` threads work beside the contestant and may slow it down; 0: they take turns.

    Opens the sandbox where tests are run. Raises UserError where there is none.
    """
    settings = runner.settings()
    return {
        "benchmark": benchmark.name,
        "contestant": runner.name,
        "settings": settings,
        "commit": commit(),
        "machine": processor(),
        "nodes": runner.nodes,
        "judges": judges,
        "device": settings.get("device"),
        "dtype": settings.get("dtype"),
        "data": digest(tasks),
        "tasks": len(chosen),
        "of": len(tasks),
        "sandbox": sandbox.chosen().mode if any(task.test for task in tasks) else "nothing is run",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
