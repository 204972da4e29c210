"""The canvas: every cell of the gaps being filled. The only thing that changes while a request runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

PINNED, VOID = -1, -2  # in `gap`: text that stays; padding of a shorter row


@dataclass(slots=True)
class Canvas:
    """Rows of cells. One row is one attempt: a sample, or a candidate length.

    ids [R, W] int64: the tokens, `mask` where open.  open [R, W] bool: still to be denoised.
    gap [R, W] int64: the gap's number, PINNED or VOID.  confidence [R, W] float32: the probability
    with which a token was committed.  bans: tokens refused by a constraint, never offered again.
    """

    ids: Tensor
    open: Tensor
    gap: Tensor
    confidence: Tensor
    mask: int
    bans: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    gaps: int = 0  # how many there are, so that nobody has to ask the device

    @staticmethod
    def build(rows: Sequence[Sequence[int | Sequence[int]]], mask: int) -> "Canvas":
        """Each row alternates gap lengths and pinned token ids: ``[8, [5, 6], 16]`` is a gap of 8
        cells, two pinned tokens, a gap of 16."""
        ids, gap = [], []
        for row in rows:
            row_ids: list[int] = []
            row_gap: list[int] = []
            for number, part in enumerate(row):
                cells = [mask] * part if isinstance(part, int) else list(part)
                row_ids += cells
                row_gap += [number // 2 if isinstance(part, int) else PINNED] * len(cells)
            ids.append(row_ids)
            gap.append(row_gap)
        return Canvas.from_rows(ids, gap, mask)

    @staticmethod
    def from_rows(ids: list[list[int]], gap: list[list[int]], mask: int) -> "Canvas":
        """Rows of possibly different lengths; cells of a gap are open where they hold `mask`."""
        width = max(map(len, ids), default=0)
        padded = (
            [r + [mask] * (width - len(r)) for r in ids],
            [r + [VOID] * (width - len(r)) for r in gap],
        )
        i, g = (torch.tensor(p, dtype=torch.int64).view(len(ids), width) for p in padded)
        gaps = 1 + max((n for row in gap for n in row), default=-1)
        return Canvas(i, (i == mask) & (g >= 0), g, torch.ones(i.shape), mask, gaps=max(0, gaps))

    @property
    def rows(self) -> int:
        return self.ids.shape[0]

    @property
    def width(self) -> int:
        return self.ids.shape[1]

    def to(self, device: torch.device) -> "Canvas":
        ids, opened, gap, sure = (
            t.to(device) for t in (self.ids, self.open, self.gap, self.confidence)
        )
        return Canvas(ids, opened, gap, sure, self.mask, self.bans, self.gaps)

    def commit(self, where: Tensor, tokens: Tensor, probability: Tensor) -> None:
        """Write `tokens` where `where`; all [R, W]."""
        self.ids = torch.where(where, tokens, self.ids)
        self.confidence = torch.where(where, probability, self.confidence)
        self.open = self.open & ~where

    def reopen(self, where: Tensor) -> None:
        """Mask the cells `where` [R, W] again; pinned cells cannot be."""
        where = where & (self.gap >= 0)
        self.ids = self.ids.masked_fill(where, self.mask)
        self.open = self.open | where

    def behind(self, ids: Sequence[int], gap: Sequence[int]) -> "Canvas":
        """The same cells behind decided ones of these tokens and gaps, of whose last gap they are more."""
        before, gaps = (
            torch.tensor(x, device=self.ids.device).expand(self.rows, -1) for x in (ids, gap)
        )
        mine = torch.where(self.gap >= 0, self.gap + int(gap[-1]), self.gap)
        return Canvas(
            torch.cat([before, self.ids], 1),
            torch.cat([torch.zeros_like(before, dtype=torch.bool), self.open], 1),
            torch.cat([gaps, mine], 1),
            torch.cat([torch.ones_like(before, dtype=torch.float32), self.confidence], 1),
            self.mask,
            gaps=self.gaps + int(gap[-1]),
        )

    def above(self, other: "Canvas") -> "Canvas":
        """These rows and below them `other`'s, the shorter padded."""
        width = max(self.width, other.width)

        def both(mine: Tensor, theirs: Tensor, padding: float) -> Tensor:
            parts = (mine, theirs)
            return torch.cat([F.pad(t, (0, width - t.shape[1]), value=padding) for t in parts])

        return Canvas(
            both(self.ids, other.ids, self.mask),
            both(self.open, other.open, False),
            both(self.gap, other.gap, VOID),
            both(self.confidence, other.confidence, 1.0),
            self.mask,
            gaps=max(self.gaps, other.gaps),
        )

    def replace(self, fresh: "Canvas", confidence: Sequence[Sequence[float]]) -> None:
        """Take over another layout of the same rows; bans belong to cells and are forgotten."""
        device = self.ids.device
        self.ids, self.open, self.gap = (t.to(device) for t in (fresh.ids, fresh.open, fresh.gap))
        self.gaps = fresh.gaps
        self.confidence = torch.ones(fresh.ids.shape, device=device)
        for row, values in enumerate(confidence):
            self.confidence[row, : len(values)] = torch.tensor(values, device=device)
        self.bans.clear()

    def filled(self, row: int, gap: int, without: int | None = None) -> list[int]:
        """The decided tokens of one gap, left to right, filler (`without`) and open cells left out."""
        cells = (self.gap[row] == gap) & ~self.open[row]
        return [t for t in self.ids[row][cells].tolist() if t != without]
