"""Examples of wins and losses: tasks that only one of two contestants solved, texts and all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from dcomplete_eval.report.measures import Pair
from dcomplete_eval.report.runs import Run
from dcomplete_eval.types import Record, Task

BEFORE, AFTER = 6, 4  # lines of context that are shown
_LONGEST = 1500  # characters of a text

Tasks = Mapping[tuple[str, str], Task]  # by benchmark and id
Golds = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Said:
    """One contestant's answer to a task."""

    contestant: str
    text: str
    good: bool
    outcome: str
    ms: float


@dataclass(frozen=True, slots=True)
class Example:
    """A task, its context where it is known, the gold where it is known, and two answers."""

    task: str
    benchmark: str
    kind: str
    before: str
    after: str
    gold: str | None
    answers: tuple[Said, Said]


def golds(runs: Iterable[Run]) -> dict[tuple[str, str], str]:
    """What belongs there: said by the gold's own run, or by whoever got it exactly."""
    found: dict[tuple[str, str], str] = {}
    for run in sorted(runs, key=_is_gold):  # the gold has the last word
        for record in run.records:
            if record.verdict.exact or _is_gold(run):
                found[record.benchmark, record.task] = record.answer.text
    return found


def _is_gold(run: Run) -> bool:
    return bool(run.settings.get("kind", run.contestant) == "gold")


def examples(
    pair: Pair, tasks: Tasks, known: Golds, count: int = 3, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Some wins and some losses of `pair.a`, drawn by a seed, in the order of the run."""
    return (
        [_example(pair, both, tasks, known) for both in _some(pair.wins, count, seed)],
        [_example(pair, both, tasks, known) for both in _some(pair.losses, count, seed)],
    )


def _some(
    found: Sequence[tuple[Record, Record]], count: int, seed: int
) -> list[tuple[Record, Record]]:
    chosen = Random(f"{seed}:examples").sample(range(len(found)), min(count, len(found)))
    return [found[at] for at in sorted(chosen)]


def _example(pair: Pair, both: tuple[Record, Record], tasks: Tasks, known: Golds) -> Example:
    one = both[0]
    task = tasks.get((one.benchmark, one.task))
    gold = task.gold if task else known.get((one.benchmark, one.task))
    return Example(
        task=one.task,
        benchmark=one.benchmark,
        kind=one.kind,
        before=_last(task.prefix, BEFORE) if task else "",
        after=_first(task.suffix, AFTER) if task else "",
        gold=None if gold is None else _cut(gold),
        answers=(_said(pair.a, both[0]), _said(pair.b, both[1])),
    )


def _said(run: Run, record: Record) -> Said:
    verdict = record.verdict
    good = verdict.exact if verdict.passed is None else verdict.passed
    outcome = record.answer.error or verdict.outcome or ("right" if good else "wrong")
    return Said(run.contestant, _cut(record.answer.text), good, outcome, record.answer.ms)


def _last(text: str, lines: int) -> str:
    return _cut("".join(text.splitlines(keepends=True)[-lines:])[-_LONGEST:])


def _first(text: str, lines: int) -> str:
    return _cut("".join(text.splitlines(keepends=True)[:lines]))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
