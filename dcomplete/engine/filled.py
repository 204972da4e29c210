"""What filling a gap comes to: tokens, and what they cost."""

from dataclasses import dataclass

from dcomplete.models.family import Session
from dcomplete.types import Finish


@dataclass(frozen=True, slots=True)
class Filled:
    """Decided tokens, a list per gap, and their mean log-probability in nats; `nats` are those of each
    token of a single gap."""

    gaps: list[list[int]]
    score: float
    finish: Finish
    nats: tuple[float, ...] = ()

    @property
    def tokens(self) -> int:
        return sum(map(len, self.gaps))

    def followed_by(self, rest: "Filled") -> "Filled":
        """This answer with the rest of its last gap."""
        a, b = self.tokens, rest.tokens
        mean = (self.score * a + rest.score * b) / max(1, a + b)
        gaps = [*self.gaps[:-1], self.gaps[-1] + rest.gaps[0]]
        finish = rest.finish if self.finish is Finish.DONE else self.finish
        return Filled(gaps, mean, finish, self.nats + rest.nats)


@dataclass(slots=True)
class Counts:
    """What a request cost so far."""

    steps: int = 0
    forwards: int = 0
    computed: int = 0
    prefill_ms: float = 0.0
    denoise_ms: float = 0.0

    def add(self, session: Session) -> None:
        """What a finished session computed."""
        self.forwards += session.forwards
        self.computed += session.computed
