"""One order on its way through the scheduler, and what is counted and logged about it."""

import re
from collections import Counter
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from dcomplete.errors import Cancelled, DcompleteError, Reason, Refusal
from dcomplete.serve.orders import Choice, Order
from dcomplete.types import CancelToken, Infill, InfillRequest, Watcher

_HALF_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(eq=False, slots=True)
class Job:
    """An order that waits or runs. `future` holds the answer; None for an order to load only."""

    order: Order
    watch: Watcher | None
    submitted: float  # by the scheduler's clock, in seconds
    future: Future[Infill | None] = field(default_factory=Future)
    cancel: CancelToken = field(default_factory=CancelToken)
    choice: Choice | None = None  # resolved when the job begins
    steps: Generator[None, None, Infill] | None = None
    begun: float | None = None
    load_s: float = 0.0  # of waiting that loading took
    stopped: DcompleteError | None = None  # why it must not go on

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # it ends through the scheduler alone


@dataclass(frozen=True, slots=True)
class Record:
    """What became of an order. Times in milliseconds; no text of the order or the answer."""

    id: str
    model: str
    background: bool
    outcome: str
    steps: int
    forwards: int
    tokens_computed: int
    queue_ms: float
    load_ms: float
    prefill_ms: float
    denoise_ms: float
    total_ms: float


def outcome_of(result: Infill | DcompleteError | None) -> str:
    """One word: what became of an order, as it is counted and logged."""
    match result:
        case None | Infill():
            return "done"
        case Cancelled():
            return "cancelled"
        case Refusal(reason=Reason.SUPERSEDED):
            return "superseded"
        case Refusal():
            return "refused"
    return "failed"


def record_of(job: Job, result: Infill | DcompleteError | None, now: float) -> Record:
    """The log's line about a job that ends at `now`."""
    infill = result if isinstance(result, Infill) else None
    begun = now if job.begun is None else job.begun
    return Record(
        id=job.order.id,
        model=infill.model if infill else job.order.model,
        background=job.order.background,
        outcome=outcome_of(result),
        steps=infill.steps if infill else 0,
        forwards=infill.forwards if infill else 0,
        tokens_computed=infill.tokens_computed if infill else 0,
        queue_ms=max(0.0, begun - job.submitted - job.load_s) * 1000,
        load_ms=job.load_s * 1000,
        prefill_ms=infill.timings.prefill if infill else 0.0,
        denoise_ms=infill.timings.denoise if infill else 0.0,
        total_ms=(now - job.submitted) * 1000,
    )


@dataclass(slots=True)
class Counts:
    """What happened since the process started."""

    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    tokens_computed: int = 0

    def add(self, record: Record) -> None:
        self.outcomes[record.outcome] += 1
        self.tokens_computed += record.tokens_computed

    def by_name(self) -> dict[str, int]:
        names = ("done", "cancelled", "superseded", "refused", "failed")
        return {"requests": self.requests, **{name: self.outcomes[name] for name in names}}


def request_of(job: Job, request: InfillRequest, now: float) -> InfillRequest:
    """What the engine gets: half surrogate pairs replaced, waiting counted towards the deadline.

    Loading is not counted: the first suggestion would be what one step makes.
    """
    deadline = request.deadline_ms
    if deadline is not None and deadline > 0:
        waited = max(0.0, now - job.submitted - job.load_s) * 1000
        deadline = max(0.0, deadline - waited)
    return replace(
        request,
        prefix=_whole(request.prefix),
        suffix=_whole(request.suffix),
        preamble=_whole(request.preamble),
        between=tuple(map(_whole, request.between)),
        draft=None if request.draft is None else _whole(request.draft),
        deadline_ms=deadline,
    )


def _whole(text: str) -> str:
    """`text` with U+FFFD for each half surrogate pair: tokenizers take valid Unicode only."""
    return text if text.isascii() else _HALF_PAIR.sub("\ufffd", text)
