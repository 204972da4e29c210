"""Who sees whom: one integer and one segment per token, in training and at inference alike.

Token q sees token k iff ``group[k] <= group[q]`` and k is shared (segment 0) or in q's own segment.
All groups equal is full attention; rising groups are causal; equal groups per block are block diffusion;
rising context with one equal group for the canvas is dcomplete's own layout. Segments keep several
canvases over one context apart (samples, candidate lengths, the noisy copies of training).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

SHARED = 0  # the segment that everybody may see


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each token stands. Tensors are int64 of shape [T], or [B, T] in training."""

    groups: Tensor
    segments: Tensor

    def __len__(self) -> int:
        return self.groups.shape[-1]

    @staticmethod
    def shared(groups: Tensor) -> "Marks":
        """Marks of tokens that everybody may see."""
        return Marks(groups, torch.full_like(groups, SHARED))

    def to(self, device: torch.device) -> "Marks":
        return Marks(self.groups.to(device), self.segments.to(device))

    def join(self, other: "Marks") -> "Marks":
        """These tokens followed by `other`'s."""
        return Marks(
            torch.cat([self.groups, other.groups], -1),
            torch.cat([self.segments, other.segments], -1),
        )


def visible(query: Marks, key: Marks) -> Tensor:
    """The rule as a dense boolean mask [..., Tq, Tk]."""
    qg, kg = query.groups.unsqueeze(-1), key.groups.unsqueeze(-2)
    qs, ks = query.segments.unsqueeze(-1), key.segments.unsqueeze(-2)
    return (kg <= qg) & ((ks == SHARED) | (ks == qs))


@dataclass(frozen=True, slots=True)
class Visibility:
    """What attention needs to know of one forward pass, worked out once for all layers.

    ``mask`` is None where the pattern is simple: everything visible, or causal with the queries being
    the last keys. Fast kernels serve those two.
    """

    mask: Tensor | None  # bool [Tq, Tk] or [B, Tq, Tk]
    causal: bool = False
    block: "BlockMask | None" = None  # the pattern for FlexAttention, in training on a GPU

    def to(self, device: torch.device) -> "Visibility":
        return self if self.mask is None else Visibility(self.mask.to(device))

    @staticmethod
    def between(query: Marks, key: Marks) -> "Visibility":
        """Recognise the simple patterns, else build the mask."""
        mask = visible(query, key)
        if bool(mask.all()):
            return Visibility(None)
        rows, columns = mask.shape[-2:]
        if rows == columns and mask.dim() == 2:
            triangle = torch.ones(rows, columns, dtype=torch.bool, device=mask.device).tril()
            if bool((mask == triangle).all()):
                return Visibility(None, causal=True)
        return Visibility(mask)
