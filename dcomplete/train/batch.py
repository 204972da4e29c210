"""Rows to a padded batch, and the loss of one batch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcomplete.models.decoder import Decoder
from dcomplete.models.visibility import Marks, Visibility, visible
from dcomplete.train.noise import IGNORE, Row

PAD_SEGMENT = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows padded to one length; tensors [B, T] unless said otherwise."""

    ids: Tensor
    positions: Tensor
    marks: Marks
    targets: Tensor
    weights: Tensor
    middle_at: Tensor  # [B]
    length_bin: Tensor  # [B]
    real: int  # tokens that are no padding

    def to(self, device: torch.device) -> "Batch":
        return Batch(
            self.ids.to(device),
            self.positions.to(device),
            self.marks.to(device),
            self.targets.to(device),
            self.weights.to(device),
            self.middle_at.to(device),
            self.length_bin.to(device),
            self.real,
        )


def collate(rows: list[Row], multiple: int = 8) -> Batch:
    """Pad rows to the longest, rounded up to `multiple`. Padding has a segment that no one sees."""
    longest = -(-max(map(len, rows)) // multiple) * multiple

    def stack(name: str, pad: float) -> Tensor:
        out = np.full((len(rows), longest), pad, getattr(rows[0], name).dtype)
        for i, row in enumerate(rows):
            out[i, : len(row)] = getattr(row, name)
        return torch.from_numpy(out)

    return Batch(
        stack("ids", 0),
        stack("positions", 0),
        Marks(stack("groups", 0), stack("segments", PAD_SEGMENT)),
        stack("targets", IGNORE),
        stack("weights", 0.0),
        torch.tensor([r.middle_at for r in rows]),
        torch.tensor([r.length_bin for r in rows]),
        sum(map(len, rows)),
    )


class See(Protocol):
    """Marks to what attention needs: the dense twin below, or a block mask on a GPU."""

    def __call__(self, marks: Marks) -> Visibility: ...


def dense(marks: Marks) -> Visibility:
    """The visibility rule as a boolean [B, T, T]."""
    return Visibility(visible(marks, marks))


@dataclass(frozen=True, slots=True)
class Losses:
    """Sums over one batch, to be divided by the matching weight."""

    total: Tensor  # what is minimised, already a mean
    canvas: float  # mean nats per masked token that is no filler
    clean: float  # mean nats per token of the causal stream
    length: float  # mean nats of the length head


def losses(
    net: Decoder, length_head: nn.Module, batch: Batch, length_weight: float, see: See
) -> Losses:
    """The objective. The vocabulary is projected to only where something is predicted."""
    hidden = net(batch.ids, batch.positions, see(batch.marks))  # [B, T, D]
    chosen = (batch.targets != IGNORE) & (batch.weights > 0)
    weight, target = batch.weights[chosen], batch.targets[chosen]
    nats = F.cross_entropy(net.head(hidden[chosen]).float(), target, reduction="none")
    rows = torch.arange(len(batch.middle_at), device=hidden.device)
    guess = length_head(hidden[rows, batch.middle_at].float())
    length = F.cross_entropy(guess, batch.length_bin)
    in_canvas = batch.marks.segments[chosen] > 0
    full = in_canvas & (weight == 1.0)
    detached = nats.detach()
    return Losses(
        (nats * weight).sum() / weight.sum() + length_weight * length,
        float(detached[full].mean()) if bool(full.any()) else float("nan"),
        float(detached[~in_canvas].mean()),
        float(length.detach()),
    )
