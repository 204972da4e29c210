"""How long a gap is: canvas sizes before the loop, resizing inside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dcomplete.models.canvas import VOID, Canvas
from dcomplete.models.specials import Specials

BUCKETS = (8, 16, 32, 64)
# First length of each bin of the length head; borders of BUCKETS are borders of bins.
LENGTH_BINS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)


class Length(Protocol):
    """How a family ends and resizes gaps while they are denoised."""

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        """Those of `cells` [R, W] whose proposed `tokens` say something; at least one in a row with any."""
        ...

    def resize(self, canvas: Canvas) -> None:
        """Called after every step."""
        ...


class KeepSize:
    """The canvas stays as it is."""

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        return cells

    def resize(self, canvas: Canvas) -> None:
        return


@dataclass(frozen=True, slots=True)
class CloseAfterFill:
    """Filler stands at the end of a gap: once one is decided, all open cells right of it are filler.

    So only the first proposed filler of a gap says anything. Without this rule the surest filler, the
    one farthest right, would be decided first, then its neighbour: a step for each.
    """

    fill: int

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        filler = cells & (tokens == self.fill)
        later = torch.zeros_like(cells)
        for gap in range(int(canvas.gap.max()) + 1 if canvas.width else 0):
            mine = filler & (canvas.gap == gap)
            later |= mine & (mine.long().cumsum(-1) > 1)
        return cells & ~later

    def resize(self, canvas: Canvas) -> None:
        ended = (canvas.ids == self.fill) & ~canvas.open & (canvas.gap >= 0)
        if not bool(ended.any()):
            return
        columns = torch.arange(canvas.width, device=canvas.ids.device).expand(canvas.ids.shape)
        close = torch.zeros_like(canvas.open)
        for gap in range(int(canvas.gap.max()) + 1):
            mine = canvas.gap == gap
            first = torch.where(ended & mine, columns, canvas.width).min(-1, keepdim=True).values
            close |= mine & canvas.open & (columns > first)
        fills = torch.full_like(canvas.ids, self.fill)
        canvas.commit(close, fills, torch.ones_like(canvas.confidence))


@dataclass(frozen=True, slots=True)
class GrowFull:
    """After CloseAfterFill: a gap before pinned text that was filled to the brim gets more cells.

    The last gap is not grown: the engine continues it with the next canvas.
    """

    close: CloseAfterFill
    step: int
    limit: int  # cells of one gap

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        return self.close.worth(canvas, tokens, cells)

    def resize(self, canvas: Canvas) -> None:
        self.close.resize(canvas)
        last = int(canvas.gap.max()) if canvas.width else 0
        full = {
            (row, gap)
            for row in range(canvas.rows)
            for gap in range(last)
            if self._full(canvas.ids[row][canvas.gap[row] == gap], canvas.mask)
        }
        if full:
            _rebuild(canvas, lambda row, gap: self.step if (row, gap) in full else 0)

    def _full(self, cells: Tensor, mask: int) -> bool:
        ended = bool(((cells == mask) | (cells == self.close.fill)).any())
        return 0 < len(cells) < self.limit and not ended


def _rebuild(canvas: Canvas, grow: Callable[[int, int], int]) -> None:
    """Append `grow(row, gap)` masks to each gap, everything else as it is."""
    ids, gaps, sure = [], [], []
    for row in range(canvas.rows):
        cells = list(zip(canvas.ids[row].tolist(), canvas.gap[row].tolist(), strict=True))
        new_ids: list[int] = []
        new_gaps: list[int] = []
        new_sure: list[float] = []
        for at, (token, gap) in enumerate(cells):
            new_ids.append(token)
            new_gaps.append(gap)
            new_sure.append(float(canvas.confidence[row, at]))
            ends = gap >= 0 and (at + 1 == len(cells) or cells[at + 1][1] != gap)
            more = grow(row, gap) if ends else 0
            new_ids += [canvas.mask] * more
            new_gaps += [gap] * more
            new_sure += [1.0] * more
        keep = [i for i, gap in enumerate(new_gaps) if gap != VOID]
        ids.append([new_ids[i] for i in keep])
        gaps.append([new_gaps[i] for i in keep])
        sure.append([new_sure[i] for i in keep])
    canvas.replace(Canvas.from_rows(ids, gaps, canvas.mask), sure)


@dataclass(slots=True)
class ExpandDelete(KeepSize):
    """DreamOn (2025): a decided `expand` becomes two masks, a decided `fill` is deleted from the gap.

    At most `budget` cells are added; an expansion beyond it leaves one mask.
    """

    specials: Specials
    budget: int

    def resize(self, canvas: Canvas) -> None:
        s = self.specials
        done = ~canvas.open & (canvas.gap >= 0)
        moved = done & ((canvas.ids == s.expand) | (canvas.ids == s.fill))
        if s.expand is None or not bool(moved.any()):
            return
        rows = [self._row(canvas, row) for row in range(canvas.rows)]
        fresh = Canvas.from_rows([i for i, _, _ in rows], [g for _, g, _ in rows], canvas.mask)
        canvas.replace(fresh, [c for _, _, c in rows])

    def _row(self, canvas: Canvas, row: int) -> tuple[list[int], list[int], list[float]]:
        ids, gaps, sure = [], [], []
        pairs = zip(canvas.ids[row].tolist(), canvas.gap[row].tolist(), strict=True)
        for (token, gap), confidence in zip(pairs, canvas.confidence[row].tolist(), strict=True):
            if gap == VOID or (gap >= 0 and token == self.specials.fill):
                continue
            cells = [token]
            if gap >= 0 and token == self.specials.expand:
                cells = [canvas.mask] * (2 if self.budget > 0 else 1)
                self.budget -= 1
            ids += cells
            gaps += [gap] * len(cells)
            sure += [confidence] * len(cells)
        return ids, gaps, sure


def bucket(odds: Tensor | None, sure: float, limit: int) -> int:
    """The smallest canvas that holds the gap and one filler with probability `sure`.

    odds [bins] come from the length head; without one the second bucket is a fair start, since a
    full canvas is continued. Never more than `limit` cells.
    """
    sizes = [b for b in BUCKETS if b < limit] + [limit]
    if odds is None:
        return sizes[min(1, len(sizes) - 1)]
    for size in sizes:
        below = sum(1 for start in LENGTH_BINS if start < size)
        if float(odds[:below].sum()) >= sure:
            return size
    return sizes[-1]


def candidate_sizes(limit: int) -> Sequence[int]:
    """The canvases tried side by side where the length is chosen by scoring."""
    return [b for b in BUCKETS if b <= limit] or [limit]
