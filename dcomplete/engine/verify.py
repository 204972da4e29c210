"""Parallel proposal, causal check: the same weights read left to right approve or correct the draft.

The canvas proposes all open cells at once; one causal pass gives each cell's token given everything
to its left. Cells are accepted from the left for as long as both agree; the first cell where they
differ gets the causal token, and the rest stays masked. That is speculative decoding (arXiv
2211.17192) with the canvas as its own draft: the answer is exactly the causal model's, with several
tokens per pass. Sampling keeps this property, because the causal token is the one that is sampled.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dcomplete.engine.policies import Threshold
from dcomplete.engine.step import Move, Policy, Step
from dcomplete.errors import UserError
from dcomplete.models.canvas import PINNED


@dataclass(frozen=True)
class Verify(Policy):
    """`value` is the threshold for gaps that have pinned text to their right: a causal reading
    cannot see that text coming, so the canvas decides there."""

    value: float = 0.9
    causal = True

    def decide(self, step: Step) -> Move:
        draft = replace(step.canvas)
        draft.commit(step.open, step.tokens, step.probability)
        checked = step.check(draft)
        if checked is None:
            raise UserError("This model cannot be read causally; use another policy than verify.")
        tokens, probability = checked
        agrees = (tokens == step.tokens) | ~step.canvas.open
        run = agrees.long().cumprod(-1).bool()  # agreed without a break from the left
        first = ~run & torch.cat([torch.ones_like(run[:, :1]), run[:, :-1]], -1)
        commit = (run | first) & step.open
        blind = _pinned_after(step)
        fallback = Threshold(self.value).decide(step)
        return Move(
            torch.where(blind, fallback.commit, commit),
            torch.where(blind, step.tokens, tokens),
            torch.where(blind, step.probability, probability),
        )


def _pinned_after(step: Step) -> Tensor:
    """[R, 1]: rows in which pinned text stands to the right of the first open cell."""
    pinned = step.canvas.gap == PINNED
    started = step.canvas.open.long().cumsum(-1) > 0
    return (pinned & started).any(-1, keepdim=True)
