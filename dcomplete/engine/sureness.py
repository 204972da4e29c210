"""As much of an answer as is likely: what comes by itself has to be right, or it is in the way.

Read from left to right, the probabilities of an answer's tokens multiply to that of the text so far, and
the weights mean what they say: of beginnings that they give a half or more, three quarters are right
(engine/LOG.md). A wrong character on screen costs p / (1 - p) of what a right one saves,
p being the least probability; so a beginning promises its length times what its probability exceeds p by.
The one that promises most is the answer. It ends before what makes it less likely than p: so does the
computation.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
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


def best_beginning(
    tokens: Sequence[int],
    nats: Sequence[float],
    confidence: float,
    decode: Callable[[Sequence[int]], str],
    length: Callable[[str], int],
) -> tuple[int, str]:
    """How many of `tokens`, which end between two words, promise most, and their text.

    `nats` are their log-probabilities, as many as were decided; `length` counts the characters of a text
    that are seen. Of those that look alike it is the longest.
    """
    most, seen, best = 0.0, 0, (0, "")
    for count, text in _beginnings(tokens, likely(nats, math.log(confidence)), decode):
        spare = math.exp(sum(nats[:count])) - confidence + _ROUNDING
        now = length(text)
        if now == seen or now * spare > most:
            most, seen, best = max(most, now * spare), now, (count, text)
    return best


def _beginnings(
    tokens: Sequence[int], most: int, decode: Callable[[Sequence[int]], str]
) -> Iterator[tuple[int, str]]:
    """At most `most` tokens that do not end inside a word, and their text; shortest first."""
    text = decode(tokens[:1])
    for count in range(1, most + 1):
        last = count == len(tokens)
        longer = text if last else decode(tokens[: count + 1])
        inside = _INSIDE.match(longer, max(0, len(text) - 1))
        if last or not (inside or text.endswith(_HALF)):
            yield count, text
        text = longer
