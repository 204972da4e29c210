"""What a client asks and is given, whatever its dialect; and what a dialect is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from dcomplete.dialects.fields import Fields
from dcomplete.types import Timings

DEFAULT_TOKENS = 128  # where a client does not say
MOST_TOKENS = 512  # more is no completion, and on a processor a minute of work
MOST_ANSWERS = 16
_LEAST_TEMPERATURE = 0.01  # the engine's; below, drawing is taking the likeliest


@dataclass(frozen=True, slots=True)
class File:
    """Another file, or a piece of one."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The text around the gap, and other files, the most useful last."""

    prefix: str
    suffix: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `model` is what the client calls it, `indent` the least that later lines must have.

    `kept` are the fields that the client wants of its answer; None is all.
    """

    gap: Gap
    model: str = ""
    count: int = 1
    tokens: int = DEFAULT_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stops: tuple[str, ...] = ()
    indent: int = 0
    stream: bool = False
    kept: tuple[str, ...] | None = None

    @property
    def drawn(self) -> bool:
        """Whether answers are drawn, or the likeliest taken."""
        return self.temperature >= _LEAST_TEMPERATURE and self.top_p > 0

    @property
    def empty(self) -> bool:
        """Asks for nothing: clients do so to have a prompt cached, or a model loaded."""
        return self.tokens == 0 or not (self.gap.prefix or self.gap.suffix)


@dataclass(frozen=True, slots=True)
class Piece:
    """One answer. `stop` is the stop sequence that ended it, `cut` whether max_tokens did."""

    text: str
    tokens: int = 0
    stop: str = ""
    cut: bool = False

    @property
    def reason(self) -> str:
        """Why it ended, as OpenAI, Mistral and Ollama say it."""
        return "length" if self.cut else "stop"


@dataclass(frozen=True, slots=True)
class Given:
    """What the engine made of a request; at least one piece."""

    asked: Asked
    pieces: tuple[Piece, ...]
    model: str
    id: str
    moment: float  # seconds since 1970
    context_tokens: int = 0
    timings: Timings = field(default_factory=Timings)

    @property
    def first(self) -> Piece:
        return self.pieces[0]

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


class Flow(Enum):
    """How a dialect streams."""

    EVENTS = "events"  # server-sent events
    EVENTS_DONE = "events-done"  # and a last one that says [DONE]
    LINES = "lines"  # a JSON value per line


class Dialect(Protocol):
    """One dialect. A method gets plain data and gives plain data; nobody else knows its fields."""

    flow: Flow

    def speaks(self, body: Fields) -> bool:
        """Whether a body is of this dialect, where several share a path."""
        ...

    def read(self, body: Fields) -> Asked:
        """The request; raises UserError."""
        ...

    def whole(self, given: Given) -> object:
        """The answer in one piece."""
        ...

    def parts(self, given: Given) -> Sequence[object]:
        """The answer as a stream. A gap is not filled from left to right, so its text comes at once."""
        ...

    def error(self, status: int, sentence: str) -> object:
        """What went wrong."""
        ...


def tokens_of(body: Fields, *names: str) -> int:
    """The most tokens of an answer, by the first of `names` that is there; negative is no limit."""
    for name in names:
        if body.has(name):
            wanted = body.whole(name, 0)
            return MOST_TOKENS if wanted < 0 else min(wanted, MOST_TOKENS)
    return DEFAULT_TOKENS
