"""As much of an answer as is likely: what comes by itself has to be right, or it is in the way.

Read from left to right, the probabilities of an answer's tokens multiply to that of the text so far, and
the weights mean what they say: of beginnings that they give a half or more, three quarters are right
(engine/LOG.md). So an answer ends before what makes it less likely than is wanted, between two words. An
answer that was given up at its first unsure token costs the passes up to there.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.engine.lengths import Length
from dcomplete.models.canvas import VOID, Canvas

_ROUNDING = 1e-6  # nats
_HALF = "\ufffd"  # of a character
_INSIDE = re.compile(rf"\w[\w{_HALF}]")  # of a word


@dataclass(frozen=True, slots=True)
class EndsUnsure:
    """`inner`, and an answer ends with the token that makes it less likely than `least`, in nats, decided
    tokens from the left being counted: cells behind that are taken away."""

    inner: Length
    least: float

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        return self.inner.worth(canvas, tokens, cells)

    def resize(self, canvas: Canvas) -> None:
        self.inner.resize(canvas)
        decided = (~canvas.open).long().cumprod(-1).bool()
        total = canvas.confidence.log().cumsum(-1)
        unsure = decided & (total < self.least - _ROUNDING)
        behind = torch.zeros_like(unsure)
        behind[:, 1:] = unsure.long().cumsum(-1)[:, :-1] > 0
        canvas.gap = canvas.gap.masked_fill(behind, VOID)
        canvas.open = canvas.open & ~behind


def likely(nats: Sequence[float], least: float) -> int:
    """How many tokens, from the left, are together no less likely than `least`; both in nats."""
    total = 0.0
    for count, one in enumerate(nats):
        total += one
        if total < least - _ROUNDING:
            return count
    return len(nats)


def beginning_of(
    tokens: Sequence[int], count: int, decode: Callable[[Sequence[int]], str]
) -> tuple[int, str]:
    """The first `count` of `tokens`, or fewer where those would end inside a word; and their text."""
    text = decode(tokens[:count])
    while count and count < len(tokens):
        longer = decode(tokens[: count + 1])
        inside = _INSIDE.match(longer, max(0, len(text) - 1))
        if not (inside or text.endswith(_HALF)):
            break
        count -= 1
        text = decode(tokens[:count])
    return count, text
