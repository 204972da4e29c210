"""The words of the house: what flows between its rooms. Standard library only."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from dcomplete.errors import Cancelled

ENOUGH_BRANCHES = 8  # for whoever asks and waits (engine/LOG.md)


class CancelToken:
    """Asked between denoise steps whether the caller still waits. Safe to cancel from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raise Cancelled if `cancel` was called."""
        if self._event.is_set():
            raise Cancelled("The request was cancelled.")


class Finish(Enum):
    """Why denoising ended."""

    DONE = "done"  # every cell was decided
    LENGTH = "length"  # max_tokens was reached before the model ended the gap
    STEPS = "steps"  # the step limit forced the last cells
    DEADLINE = "deadline"  # the time limit forced the last cells
    UNSURE = "unsure"  # what follows is less likely than was wanted


@dataclass(frozen=True, slots=True)
class InfillRequest:
    """Text around one or more gaps.

    `between` is the text between consecutive gaps: k texts mean k + 1 gaps, denoised together, and
    each text stays as it is. `length` is "auto", "candidates" (single gap only) or a number of tokens,
    which is kept whatever `max_tokens` says. With `max_tokens` 0 nothing is wanted but that the context
    is computed, for a request that comes next. `draft` is an earlier answer to start from (single gap of
    unknown length only; models that cannot end a gap themselves do without it). `line`: no more than
    the rest of a line, or else the next one with text, is wanted, so a single gap's answer may end there.
    `confidence`: of a single gap's answer that beginning is wanted, between two words, whose length times
    what its probability by the model's own reading (where it is drawn, among what may be) exceeds this by
    is greatest, and no branches; 0: all of it.
    """

    prefix: str
    suffix: str = ""
    between: tuple[str, ...] = ()
    max_tokens: int = 64
    steps: int = 64
    policy: str = ""  # "" is the model's own default
    length: str = "auto"
    samples: int = 1
    branches: int = 0  # other answers tried beside the first: `engine.branches`
    branch_ms: float | None = None  # after which no further one of these is begun
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    deadline_ms: float | None = None
    draft: str | None = None
    line: bool = False
    confidence: float = 0.0
    context_tokens: int = 1024
    heal: bool = True
    reuse: bool = True  # False computes everything anew: the slow twin of the cache
    stale: int = 1  # steps that a full-attention model's context is kept for; 1 is exact
    preamble: str = ""  # other text worth knowing, before the prefix; clipped to a third
    beside: int | None = None  # characters of the prefix, its last, that a preamble leaves room for

    @property
    def gaps(self) -> int:
        return len(self.between) + 1

    @property
    def told(self) -> int | None:
        """The gap's tokens where they are told, None where the model has to find out."""
        return int(self.length) if self.length.isdecimal() else None

    @property
    def ahead(self) -> bool:
        """Whether only the context is to be computed, and no answer is wanted."""
        return self.max_tokens == 0 and self.told is None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of wall time."""

    load: float = 0.0
    tokenize: float = 0.0
    prefill: float = 0.0
    denoise: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: a text per gap. `score` is the mean log-probability of its tokens, in nats."""

    texts: tuple[str, ...]
    tokens: int
    score: float
    finish: Finish

    @classmethod
    def none(cls, gaps: int) -> "Answer":
        """What those get who want none."""
        return cls(("",) * gaps, 0, 0.0, Finish.LENGTH)


@dataclass(frozen=True, slots=True)
class Infill:
    """What the engine returns, with what made it. Answers come best first."""

    answers: tuple[Answer, ...]
    model: str
    device: str
    dtype: str
    policy: str
    steps: int  # denoise steps
    forwards: int  # forward passes, prefill and checks included
    tokens_computed: int  # tokens that went through the network
    context_tokens: int
    timings: Timings = field(default_factory=Timings)

    @property
    def best(self) -> Answer:
        return self.answers[0]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the canvas as a watcher sees it; `text` is None while it is masked."""

    text: str | None
    pinned: bool


Watcher = Callable[[int, list[list[Cell]]], None]  # (step, rows of cells), after each denoise step


class Engine(Protocol):
    """Fills gaps. One method, so that a process elsewhere fits as well as one here."""

    def infill(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Infill:
        """Fill the request's gaps.

        Raises UserError for a request that does not fit the model, Cancelled when `cancel` was
        called; a deadline is no error: the answer is what there is by then.
        """
        ...


class Shape(Enum):
    """How much is missing at the gap."""

    LINE = "line"  # the rest of a line, or a part of it
    BLOCK = "block"  # one line or several, down to where the indentation ends
    SPAN = "span"  # whatever replaces a given span


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of other text that helps to fill the gap. `path` is relative to the workspace."""

    path: str
    text: str
    source: str  # the name of the context source
    score: float = 0.0  # greater is more useful; comparable within a source only


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What an editor shows: `text` replaces the code points `start` to `end` of the document."""

    id: str
    text: str
    start: int
    end: int
    shape: Shape
    score: float  # mean log-probability of its tokens, in nats
    source: str  # "model" or "cache"
    infill: Infill | None = None  # None where it came from the cache
    unsure: bool = False  # whether more was cut off, which the model was not sure of


class Stopwatch:
    """Milliseconds since it was made, or since the last `lap`."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed * 1000

    def total(self) -> float:
        return (time.perf_counter() - self._start) * 1000
