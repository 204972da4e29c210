"""The gold gate: a benchmark is believed only where its own answers pass, and an empty answer does not.

The lm-evaluation-harness's single-line task scores the gold 44.5 %; such a fault shows here first.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from dcomplete_eval.types import Benchmark, Task, Verdict

Told = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gold and the empty answer come to."""

    benchmark: str
    tasks: int
    seconds: float  # for the gold alone
    failed: dict[str, str] = field(default_factory=dict)  # gold that does not pass: why
    empty: int | None = None  # empty answers that pass, the floor; None where not asked

    @property
    def passed(self) -> int:
        return self.tasks - len(self.failed)

    @property
    def holds(self) -> bool:
        return not self.failed

    def line(self, tasks: Sequence[Task], jobs: int, whole: bool) -> dict[str, Any]:
        """A line for ``eval/results``, with what the numbers need beside them."""
        from dcomplete.provenance import commit, processor
        from dcomplete_eval import sandbox
        from dcomplete_eval.run import digest

        return {
            "benchmark": self.benchmark,
            "tasks": self.tasks,
            "whole": whole,
            "gold_passed": self.passed,
            "gold_failed": self.failed,
            "empty_passed": self.empty,
            "seconds": round(self.seconds, 1),
            "jobs": jobs,
            "commit": commit(),
            "machine": processor(),
            "data": digest(tasks),
            "sandbox": sandbox.chosen().mode if any(task.test for task in tasks) else "",
        }


def check(
    benchmark: Benchmark,
    tasks: Sequence[Task],
    jobs: int = 0,
    floor: bool = True,
    told: Told = lambda: None,
) -> Gate:
    """Judge the gold of every task, then the empty answer; `told` is called after each judgement.

    Where nothing is run the gold has to be an exact match. Raises UserError where there is no sandbox.
    """
    jobs = jobs or os.cpu_count() or 1
    start = time.monotonic()
    found = zip(tasks, _judged(benchmark, tasks, [t.gold for t in tasks], jobs, told), strict=True)
    failed = {t.id: v.outcome or "no exact match" for t, v in found if not _right(v)}
    seconds = time.monotonic() - start
    empty = None
    if floor:
        empty = sum(map(_right, _judged(benchmark, tasks, [""] * len(tasks), jobs, told)))
    return Gate(benchmark.name, len(tasks), seconds, failed, empty)


def _judged(
    benchmark: Benchmark, tasks: Sequence[Task], texts: Sequence[str], jobs: int, told: Told
) -> Iterator[Verdict]:
    """Verdicts in order. What waits is dropped when one fails or the user interrupts."""
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="gold")
    try:
        for verdict in pool.map(benchmark.judge, tasks, texts):
            told()
            yield verdict
    finally:
        pool.shutdown(cancel_futures=True)


def _right(verdict: Verdict) -> bool:
    return verdict.exact if verdict.passed is None else verdict.passed
