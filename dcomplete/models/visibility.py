"""Who sees whom: one integer and one segment per token, in training and at inference alike.

Token q sees token k iff ``group[k] <= group[q]`` and k is shared (segment 0) or in q's own segment.
All groups equal is full attention; rising groups are causal; equal groups per block are block diffusion;
rising context with one equal group for the canvas is dcomplete's own layout. Segments keep several
canvases over one context apart (samples, candidate lengths, the noisy copies of training).
"""

from dataclasses import dataclass, replace
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

    ``mask`` is None where the pattern is simple: everything visible, or ``causal``, the queries being
    the last keys. Fast kernels serve those two. A mask beside ``causal`` says the same for kernels that
    know the triangle of equally many queries and keys only. ``length`` counts the keys in use where they
    stand in a larger buffer: on a GPU it is data, so that one recorded step serves every context.
    """

    mask: Tensor | None  # bool [Tq, Tk] or [B, Tq, Tk]
    causal: bool = False
    block: "BlockMask | None" = None  # the pattern for FlexAttention, in training on a GPU
    # int32 [B], on the device; with `causal` queries are the last of these
    length: Tensor | None = None
    bias: Tensor | None = None  # the mask as numbers to add, [share * Tq, Tk]; see `folded`

    def to(self, device: torch.device) -> "Visibility":
        return self if self.mask is None else replace(self, mask=self.mask.to(device))

    def dense(self, queries: int, keys: int, device: torch.device) -> Tensor | None:
        """The whole pattern, bool [Tq, Tk], [B, Tq, Tk] or [B, 1, Tk]; None where all is visible."""
        mask = self.mask
        if mask is None and self.causal and self.length is not None:
            last = (
                self.length[:, None, None] - queries + torch.arange(queries, device=device)[:, None]
            )
            return torch.arange(keys, device=device) <= last
        if mask is None and self.causal:
            ones = torch.ones(queries, keys, dtype=torch.bool, device=device)
            mask = ones.tril(keys - queries)
        if self.length is None:
            return mask
        used = torch.arange(keys, device=device) < self.length[:, None, None]
        return used if mask is None else mask & used

    def folded(self, share: int, dtype: torch.dtype) -> "Visibility":
        """With the mask as numbers to add, too, for `share` query heads laid end to end as one."""
        if self.mask is None or self.mask.dim() != 2 or self.length is not None:
            return self
        bias = torch.zeros(self.mask.shape, dtype=dtype, device=self.mask.device)
        return replace(self, bias=bias.masked_fill_(~self.mask, float("-inf")).repeat(share, 1))

    @staticmethod
    def between(query: Marks, key: Marks) -> "Visibility":
        """Recognise the simple patterns, else build the mask."""
        mask = visible(query, key)
        if bool(mask.all()):
            return Visibility(None)
        rows, columns = mask.shape[-2:]
        if rows <= columns and mask.dim() == 2:
            triangle = torch.ones_like(mask).tril(columns - rows)
            if bool((mask == triangle).all()):
                return Visibility(None if rows == columns else mask, causal=True)
        return Visibility(mask)
