"""Rows to batches: padded one by one, or packed end to end into rows of one length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dcomplete.models.visibility import Marks
from dcomplete.train.noise import IGNORE, Row

PAD_SEGMENT = -1
Bin = list[Row]  # training rows that share one row of a batch


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors [B, T] unless said otherwise."""

    ids: Tensor
    positions: Tensor
    marks: Marks
    documents: Tensor  # which training row a token belongs to; -1 is padding
    targets: Tensor
    weights: Tensor
    middle_at: Tensor  # [N, 2]: row and column of every <middle>
    length_bin: Tensor  # [N]
    real: int  # tokens that are no padding

    def to(self, device: torch.device) -> "Batch":
        return Batch(
            self.ids.to(device, non_blocking=True),
            self.positions.to(device, non_blocking=True),
            self.marks.to(device),
            self.documents.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            self.weights.to(device, non_blocking=True),
            self.middle_at.to(device, non_blocking=True),
            self.length_bin.to(device, non_blocking=True),
            self.real,
        )


def pack(rows: Sequence[Row], length: int) -> list[Bin]:
    """First-fit decreasing into bins of `length` tokens; 0 gives every row a bin of its own."""
    if not length:
        return [[row] for row in rows]
    bins: list[Bin] = []
    free: list[int] = []
    for row in sorted(rows, key=len, reverse=True):
        at = next((i for i, room in enumerate(free) if room >= len(row)), None)
        if at is None:
            at = len(bins)
            bins.append([])
            free.append(max(length, len(row)))
        bins[at].append(row)
        free[at] -= len(row)
    return bins


def collate(bins: Sequence[Bin], length: int = 0, multiple: int = 8) -> Batch:
    """Bins to one batch, padded to `length` or to the longest, rounded up to `multiple`."""
    longest = max(sum(map(len, b)) for b in bins)
    width = max(length, -(-longest // multiple) * multiple)

    def stack(name: str, pad: float) -> Tensor:
        out = np.full((len(bins), width), pad, np.float32 if name == "weights" else np.int64)
        for i, packed in enumerate(bins):
            joined = np.concatenate([getattr(row, name) for row in packed])
            out[i, : len(joined)] = joined
        return torch.from_numpy(out)

    documents = np.full((len(bins), width), -1, np.int64)
    middles = []
    for i, packed in enumerate(bins):
        start = 0
        for number, row in enumerate(packed):
            documents[i, start : start + len(row)] = number
            middles.append((i, start + row.middle_at))
            start += len(row)
    return Batch(
        stack("ids", 0),
        stack("positions", 0),
        Marks(stack("groups", 0), stack("segments", PAD_SEGMENT)),
        torch.from_numpy(documents),
        stack("targets", IGNORE),
        stack("weights", 0.0),
        torch.tensor(middles),
        torch.tensor([row.length_bin for packed in bins for row in packed]),
        sum(len(row) for packed in bins for row in packed),
    )
