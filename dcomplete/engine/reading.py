"""What the weights, read from left to right, think of tokens that stand already."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session


@dataclass(frozen=True, slots=True)
class Reading:
    """Each [R, W], for the cells that were asked for, 0 and False elsewhere.

    nats: the log-probability of the cell's own token given everything to its left; best: whether no
    other token is more probable.
    """

    nats: Tensor
    best: Tensor


def read(session: Session, canvas: Canvas, cells: Tensor) -> Reading | None:
    """One causal pass over the decided cells, read at `cells` [R, W]; None where the weights cannot."""
    states = session.causal_states(canvas)
    if states is None:
        return None
    at = cells.nonzero(as_tuple=True)
    logits = session.logits(states[at])
    own = canvas.ids[at]
    nats = logits.log_softmax(-1).gather(1, own[:, None])[:, 0]
    dense = torch.zeros(cells.shape, device=nats.device).index_put(at, nats)
    return Reading(dense, torch.zeros_like(cells).index_put(at, logits.argmax(-1) == own))
