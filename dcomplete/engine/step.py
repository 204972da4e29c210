"""What a policy is shown at one denoise step, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.engine.sampling import Measure
from dcomplete.models.canvas import Canvas

# A canvas to (tokens, probabilities), each [R, W], as the weights predict them reading left to right;
# None where the family cannot be read causally.
Check = Callable[[Canvas], "tuple[Tensor, Tensor] | None"]


@dataclass(frozen=True, slots=True)
class Step:
    """Proposals for the `open` cells; all tensors [R, W], scores -inf and probabilities 0 elsewhere.

    A policy that `revisits` gets proposals for decided cells too. `generator` is the request's.
    """

    index: int
    limit: int  # steps allowed in all
    canvas: Canvas
    open: Tensor
    tokens: Tensor
    probability: Tensor
    score: Tensor
    check: Check
    generator: torch.Generator | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Cells to commit with which tokens, and decided cells to mask again."""

    commit: Tensor
    tokens: Tensor
    probability: Tensor
    reopen: Tensor | None = None

    @staticmethod
    def of(step: Step, commit: Tensor) -> "Move":
        """Commit proposals as they are."""
        return Move(commit, step.tokens, step.probability)


class Policy:
    """Decides what to commit. A policy commits at least one open cell in every row that has one."""

    measure: Measure = Measure.CONFIDENCE
    revisits: bool = False  # whether it looks at decided cells again
    causal: bool = False  # whether its answer is what the weights write from left to right

    def decide(self, step: Step) -> Move:
        raise NotImplementedError


def best_per_row(step: Step) -> Tensor:
    """The surest open cell of each row, as a mask [R, W]."""
    best = step.score.argmax(-1, keepdim=True)
    chosen = step.open.new_zeros(step.open.shape).scatter_(-1, best, True)
    return chosen & step.open
