"""Rows to batches: padded one by one, or packed end to end into rows of one length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dcomplete.models.visibility import Marks
from dcomplete.train.noise import IGNORE, Row

PAD_SEGMENT = -1
_FILLED = 0.985  # of the room that packing fills
Bin = list[Row]  # training rows that share one row of a batch


@dataclass(frozen=True, slots=True)
class Arrays:
    """A batch before it is made of tensors: what another process can send cheaply."""

    named: dict[str, npt.NDArray[Any]]
    real: int  # tokens that are no padding


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

    @staticmethod
    def of(arrays: Arrays) -> "Batch":
        """The same as tensors."""
        t = {name: torch.from_numpy(value) for name, value in arrays.named.items()}
        marks = Marks(t.pop("groups"), t.pop("segments"))
        return Batch(marks=marks, real=arrays.real, **t)

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


def fitting(rows: Sequence[Row], room: int) -> list[Row]:
    """The first rows that fill `room` tokens but for what packing leaves empty."""
    kept, used = [], 0
    for row in rows:
        if used + len(row) <= room * _FILLED:
            kept.append(row)
            used += len(row)
    return kept


def collate(bins: Sequence[Bin], length: int = 0, multiple: int = 8, *, least: int = 0) -> Arrays:
    """Bins to one batch, padded to `length` or to the longest, rounded up to `multiple`, and to
    `least` rows."""
    longest = max(sum(map(len, b)) for b in bins)
    width = max(length, -(-longest // multiple) * multiple)
    height = max(least, len(bins))

    def stack(name: str, pad: float) -> npt.NDArray[Any]:
        out = np.full((height, width), pad, np.float32 if name == "weights" else np.int64)
        for i, packed in enumerate(bins):
            joined = np.concatenate([getattr(row, name) for row in packed])
            out[i, : len(joined)] = joined
        return out

    documents = np.full((height, width), -1, np.int64)
    middles = []
    for i, packed in enumerate(bins):
        start = 0
        for number, row in enumerate(packed):
            documents[i, start : start + len(row)] = number
            middles.append((i, start + row.middle_at))
            start += len(row)
    return Arrays(
        {
            "ids": stack("ids", 0),
            "positions": stack("positions", 0),
            "groups": stack("groups", 0),
            "segments": stack("segments", PAD_SEGMENT),
            "documents": documents,
            "targets": stack("targets", IGNORE),
            "weights": stack("weights", 0.0),
            "middle_at": np.array(middles, np.int64),
            "length_bin": np.array([row.length_bin for b in bins for row in b], np.int64),
        },
        sum(len(row) for packed in bins for row in packed),
    )
