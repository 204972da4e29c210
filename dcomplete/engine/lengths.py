"""How long a gap is: canvas sizes before the loop, resizing inside it."""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from dcomplete.models.canvas import VOID, Canvas
from dcomplete.models.specials import Specials

BUCKETS = (8, 16, 32, 64)
CANVAS = BUCKETS[-1]  # cells of a gap before it is continued on the next canvas
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
    """Filler stands at the end of a gap: once one is decided, all cells right of it are filler too, also
    those that were decided earlier.

    So only the first proposed filler of a gap says anything. Without this rule the surest filler, the
    one farthest right, would be decided first, then its neighbour: a step for each.
    """

    fill: int

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        filler = cells & (tokens == self.fill)
        later = torch.zeros_like(cells)
        for gap in range(canvas.gaps):
            mine = filler & (canvas.gap == gap)
            later |= mine & (mine.long().cumsum(-1) > 1)
        return cells & ~later

    def resize(self, canvas: Canvas) -> None:
        ended = (canvas.ids == self.fill) & ~canvas.open & (canvas.gap >= 0)
        if ended.is_cpu and not bool(ended.any()):  # on a GPU to look costs more than to do
            return
        columns = torch.arange(canvas.width, device=canvas.ids.device).expand(canvas.ids.shape)
        close = torch.zeros_like(canvas.open)
        for gap in range(canvas.gaps):
            mine = canvas.gap == gap
            first = torch.where(ended & mine, columns, canvas.width).min(-1, keepdim=True).values
            close |= mine & (columns > first) & (canvas.open | (canvas.ids != self.fill))
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
        last = max(0, canvas.gaps - 1)
        room = {
            (row, gap): self._room(canvas.ids[row][canvas.gap[row] == gap], canvas.mask)
            for row in range(canvas.rows)
            for gap in range(last)
        }
        if any(room.values()):
            _rebuild(canvas, lambda row, gap: room.get((row, gap), 0))

    def _room(self, cells: Tensor, mask: int) -> int:
        """How many cells a gap gets: none where it has an end, or is as long as it may be."""
        ended = bool(((cells == mask) | (cells == self.close.fill)).any())
        return 0 if ended or not len(cells) else max(0, min(self.step, self.limit - len(cells)))


@dataclass(frozen=True, slots=True)
class EndsWhen:
    """`inner`, and an answer ends with the token that makes it `over`, decided tokens from the left being
    asked: cells behind that are taken away."""

    inner: Length
    over: Callable[[list[int]], bool]

    def worth(self, canvas: Canvas, tokens: Tensor, cells: Tensor) -> Tensor:
        return self.inner.worth(canvas, tokens, cells)

    def resize(self, canvas: Canvas) -> None:
        self.inner.resize(canvas)
        for row in range(canvas.rows):
            decided = int((~canvas.open[row]).int().cumprod(0).sum())
            tokens = canvas.ids[row, :decided].tolist()
            if not self.over(tokens):
                continue
            end = next(n for n in range(1, decided + 1) if self.over(tokens[:n]))
            canvas.gap[row, end:] = VOID
            canvas.open[row, end:] = False


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
    """DreamOn (arXiv 2602.01326): a decided `expand` becomes two masks, a decided `fill` is deleted.

    At most `budget` cells are added to a row; then `expand` is not offered any more. With
    `clear_right` a deletion takes the open cells right of it in its gap along, as the authors'
    evaluation does (pad_eos_to_right).
    """

    specials: Specials
    budget: int
    clear_right: bool = False
    _spent: dict[int, int] = field(default_factory=dict)

    def exhausted(self, row: int) -> bool:
        """Whether `expand` was chosen as often as it may be."""
        return self._spent.get(row, 0) >= self.budget

    def cut_short(self, row: int) -> bool:
        """Whether the row grew until it could not any more."""
        return self._spent.get(row, 0) > 0 and self.exhausted(row)

    def resize(self, canvas: Canvas) -> None:
        s = self.specials
        done = ~canvas.open & (canvas.gap >= 0)
        moved = done & ((canvas.ids == s.expand) | (canvas.ids == s.fill))
        if s.expand is None or not bool(moved.any()):
            return
        rows = [self._row(canvas, row) for row in range(canvas.rows)]
        fresh = Canvas.from_rows([i for i, _, _ in rows], [g for _, g, _ in rows], canvas.mask)
        canvas.replace(fresh, [c for _, _, c in rows])
        for row in range(canvas.rows):
            if self.exhausted(row):
                for column in canvas.open[row].nonzero()[:, 0].tolist():
                    canvas.bans.setdefault((row, column), set()).add(s.expand)

    def _row(self, canvas: Canvas, row: int) -> tuple[list[int], list[int], list[float]]:
        ids, gaps, sure = [], [], []
        cleared = -1  # the gap in which a deletion has been seen
        cells = zip(canvas.ids[row].tolist(), canvas.gap[row].tolist(), strict=True)
        opened, confidence = canvas.open[row].tolist(), canvas.confidence[row].tolist()
        for at, (token, gap) in enumerate(cells):
            deleted = gap >= 0 and token == self.specials.fill
            cleared = gap if deleted and self.clear_right else cleared
            if gap == VOID or deleted or (opened[at] and gap == cleared):
                continue
            new = [token]
            if gap >= 0 and token == self.specials.expand:
                spent = self._spent.get(row, 0)
                new = [canvas.mask] * (2 if spent < self.budget else 1)
                self._spent[row] = spent + 1
            ids += new
            gaps += [gap] * len(new)
            sure += [confidence[at]] * len(new)
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


def length_bias(size: int) -> float:
    """How sure a model is of a masked gap of `size` cells, whatever stands around it (CAL, arXiv
    2602.00476, Appendix A: fitted on LLaDA; its authors use the same numbers for Dream-Coder)."""
    return math.exp(-1.77 * size) + 0.56 * math.exp(-0.06 * size) + 0.24


def search_length(
    limit: int, start: int = 8, tolerance: int = 4
) -> Generator[list[int], Sequence[float], int]:
    """CAL's search for the length of a gap (arXiv 2602.00476, Algorithm 1) with a frozen model.

    Yields sizes to be looked at side by side, is sent for each how sure the model is of an empty
    canvas of that size (the mean of its cells' highest probabilities), and returns the size where that
    is greatest in relation to `length_bias`. From `start` it climbs up, then down, and gives up after
    `tolerance` sizes that are no better; sizes it may not need are looked at in the same pass.
    """
    known: dict[int, float] = {}
    best = start = min(start, limit)
    for way in (1, -1):
        size, worse = start, 0
        while 1 <= size <= limit and worse < tolerance:
            if size not in known:
                reach = range(max(1, size - tolerance), size + tolerance + 1)
                asked = [n for n in reach if n <= limit and n not in known]
                sure = yield asked
                known |= {n: p / length_bias(n) for n, p in zip(asked, sure, strict=True)}
            better = known[size] > known[best]
            best, worse = (size, 0) if better else (best, worse + (size != start))
            size += way
    return best
