"""What one forward pass is given, and which of its leading tokens an earlier pass already computed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.models.visibility import SHARED, Marks


@dataclass(frozen=True, slots=True)
class Frame:
    """Tokens with their rotary positions and marks; int64 tensors of shape [T]."""

    ids: Tensor
    positions: Tensor
    marks: Marks

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def shared(ids: Sequence[int], groups: Tensor | None = None) -> "Frame":
        """A context: positions count up, everybody may see it; causal unless `groups` says else."""
        count = torch.arange(len(ids))
        marks = Marks.shared(count if groups is None else groups)
        return Frame(torch.tensor(ids, dtype=torch.int64), count, marks)

    def __getitem__(self, part: slice) -> "Frame":
        marks = Marks(self.marks.groups[part], self.marks.segments[part])
        return Frame(self.ids[part], self.positions[part], marks)

    def join(self, other: "Frame") -> "Frame":
        """These tokens followed by `other`'s."""
        ids = torch.cat([self.ids.to(other.ids.device), other.ids])
        positions = torch.cat([self.positions.to(other.ids.device), other.positions])
        return Frame(ids, positions, self.marks.to(other.ids.device).join(other.marks))

    def followed_by(self, ids: Sequence[int]) -> "Frame":
        """These tokens and then `ids`, read causally."""
        more = Frame.shared(ids)
        places = more.positions + len(self)
        return self.join(Frame(more.ids, places, Marks.shared(places)))

    def reusable(self, cached: "Frame") -> int:
        """How many leading tokens have exactly the keys and values that they had in `cached`.

        The longest common prefix (ids, positions, groups), cut back until it is closed in both
        frames: nothing in it can see past its end.
        """
        n = min(len(self), len(cached))
        mine, other = self[:n], cached[:n]
        same = (mine.ids == other.ids) & (mine.positions == other.positions)
        same &= mine.marks.groups == other.marks.groups
        n = n if bool(same.all()) else int(same.int().argmin())
        while n and not (self._closed(n) and cached._closed(n)):
            n -= 1
        return n

    def _closed(self, n: int) -> bool:
        groups = self.marks.groups
        return n in (0, len(self)) or int(groups[:n].max()) < int(groups[n:].min())


@dataclass(frozen=True, slots=True)
class Rows:
    """The canvases of one denoise step, packed into one frame.

    `at` [rows, width] is, for each cell of the canvas, the index in the frame of the state that
    predicts it; -1 means the last state of the context. `batch` above 0 says that the frame is so many
    rows of equal length with a text of their own each, and no context; `inside` are then the columns
    (first, end) that change between steps.
    """

    frame: Frame
    at: Tensor
    batch: int = 0
    inside: tuple[int, int] = (0, 0)


def pack(ids: Tensor, positions: Tensor, groups: Tensor, real: Tensor) -> Frame:
    """A frame of [rows, width] cells, each row a segment; cells that are not `real` stand alone."""
    rows, width = ids.shape
    own = torch.arange(1, rows + 1, device=ids.device).unsqueeze(1).expand(rows, width)
    alone = rows + 1 + torch.arange(rows * width, device=ids.device).view(rows, width)
    segments = torch.where(real, own, alone)
    assert SHARED == 0
    marks = Marks(groups.expand(rows, width).flatten(), segments.flatten())
    return Frame(ids.flatten(), positions.expand(rows, width).flatten(), marks)
