"""The words of a vote: two answers to one gap, and which of them somebody prefers."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, get_args

Choice = Literal["first", "second", "tie", "neither"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
PERSON = "person"  # the judge of votes that somebody gave; other judges are programs
CHECKS_S = (30, 120, 600)  # when it is looked how much of a chosen answer is still there


class Kind(Enum):
    """What a pair is. Only battles count; Copilot Arena sets the same others apart."""

    BATTLE = "battle"
    IDENTICAL = "identical"  # nobody can see a difference
    ONE_EMPTY = "one-empty"
    BOTH_EMPTY = "both-empty"
    FAILED = "failed"  # one of them met an error
    SELF = "self"  # one contestant against itself


@dataclass(frozen=True, slots=True)
class Side:
    """One answer, and who gave it. `text` is "" where nothing is suggested."""

    contestant: str
    text: str
    latency_ms: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one gap, in the order in which they are shown."""

    first: Side
    second: Side
    session: str  # a sitting: votes of one are not independent
    source: str  # where it is shown: "editor", "terminal", "web", or "auto"
    drawn: str = "chosen"  # the policy that drew the pair; "chosen" is by the person
    language: str = ""
    benchmark: str = ""
    task: str = ""
    group: str = ""  # tasks of one group are not independent
    prefix: str = ""
    suffix: str = ""
    id: str = field(default_factory=new_id)

    @property
    def kind(self) -> Kind:
        """Whether this is a battle, or why not. Trailing white space makes no difference."""
        texts = [_visible(side.text) for side in (self.first, self.second)]
        if self.first.failed or self.second.failed:
            return Kind.FAILED
        if not any(texts):
            return Kind.BOTH_EMPTY
        if not all(texts):
            return Kind.ONE_EMPTY
        if self.first.contestant == self.second.contestant:
            return Kind.SELF
        return Kind.IDENTICAL if texts[0] == texts[1] else Kind.BATTLE


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote as it is read back, with what ranking needs to know of its pair."""

    id: str
    first: str
    second: str
    choice: Choice
    judge: str = PERSON
    session: str = ""
    source: str = ""
    group: str = ""
    language: str = ""
    benchmark: str = ""
    task: str = ""
    first_ms: float = 0.0
    second_ms: float = 0.0
    voted: float = 0.0  # seconds since 1970
    after_ms: float | None = None  # from being shown to the vote

    @property
    def cluster(self) -> str:
        """What is resampled together: a person's sitting, or a problem where a program judges."""
        return self.session if self.judge == PERSON or not self.group else self.group


def _visible(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines).rstrip()
