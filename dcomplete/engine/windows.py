"""Which open cells may be worked on now."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.models.canvas import Canvas

Window = Callable[[Canvas], Tensor]  # the open cells in reach, [R, W]


def whole(canvas: Canvas) -> Tensor:
    """All of them."""
    return canvas.open


@dataclass(frozen=True, slots=True)
class LeftToRightBlocks:
    """The first block of `size` cells, in each row, that is not finished (block diffusion).

    `offset` tokens of the first block stand before the canvas.
    """

    size: int
    offset: int = 0

    def __call__(self, canvas: Canvas) -> Tensor:
        block = (self.offset + torch.arange(canvas.width, device=canvas.ids.device)) // self.size
        waiting = torch.where(canvas.open, block, torch.iinfo(block.dtype).max)
        return canvas.open & (block == waiting.min(-1, keepdim=True).values)
