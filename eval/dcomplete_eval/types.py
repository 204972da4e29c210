"""The words of the harness: what is asked, what is answered, what is found. Standard library only."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Task:
    """One gap to fill. `test` is a program's text that runs behind the filled code; "" = not run.

    `id` is unique within its benchmark. Tasks of one `group` (a problem, a file) are not independent:
    intervals resample groups. `folder` and, in it, `file` say where the text comes from; "" = unknown.
    """

    id: str
    benchmark: str
    group: str
    prefix: str
    suffix: str
    gold: str
    language: str = "python"
    kind: str = ""  # line, block, expression, ...: what reports break numbers down by
    test: str = ""
    entry_point: str = ""
    folder: str = ""
    file: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)  # what a benchmark's own scoring needs


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contestant filled in. Numbers that it cannot know are None."""

    text: str
    ms: float  # wall time from asking to having it
    tokens: int | None = None
    true_tokens: int | None = None  # of the gold, by the contestant's own tokenizer and borders
    steps: int | None = None
    forwards: int | None = None
    score: float | None = None  # mean log-probability, nats
    error: str = ""  # one sentence; the text is "" then


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's findings. `passed` is None where nothing was run."""

    passed: bool | None
    exact: bool
    similarity: float  # 0 to 1, rapidfuzz's normalised indel ratio
    parses: bool | None = None  # None where the language has no grammar here
    identifiers: bool | None = None  # the same identifiers in the same order
    outcome: str = ""  # passed, failed, timeout, memory, ...: why
    begins: bool | None = None  # whether it is right as far as it goes; None where it is empty


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a run's file."""

    task: str
    benchmark: str
    group: str
    kind: str
    language: str
    answer: Answer
    verdict: Verdict


class Contestant(Protocol):
    """Something that fills gaps. Used from one thread; a context manager, closed at the end."""

    @property
    def name(self) -> str:
        """Unique in a report, such as ``engine:smol-135m:threshold``."""
        ...

    def settings(self) -> dict[str, Any]:
        """What decides its answers: model, policy, steps, length, device, dtype, address."""
        ...

    def answer(self, task: Task) -> Answer:
        """Fill the gap. Trouble is an Answer with an `error`; UserError only where all tasks would fail."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Live(Protocol):
    """A contestant with a document that stays open while somebody types into it."""

    def typed(self, task: Task) -> Future[Answer]:
        """The document becomes the task's, whose gap is asked about. Does not wait.

        Who cancels the future gives the request up, as an editor does when the next key comes.
        """
        ...


class Benchmark(Protocol):
    """A set of tasks and how an answer to them is judged."""

    @property
    def name(self) -> str: ...

    def tasks(self, data: Path) -> Sequence[Task]:
        """Read the published format below `data`. Raises UserError with what to do where it is absent."""
        ...

    def judge(self, task: Task, text: str) -> Verdict:
        """Score one answer. May run code, only in the sandbox; called from several threads."""
        ...


def only(tasks: Iterable[Task], limit: int, seed: int = 0) -> list[Task]:
    """A seeded sample of `limit` tasks in their own order; all where `limit` is 0 or too large."""
    import random

    found = list(tasks)
    if not 0 < limit < len(found):
        return found
    chosen = set(random.Random(f"{seed}:tasks").sample(range(len(found)), limit))
    return [task for at, task in enumerate(found) if at in chosen]
