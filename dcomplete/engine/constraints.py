"""What an answer may contain. The loop asks at every step; grammars fit the same two methods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from dcomplete.engine.tokens import Ids
from dcomplete.models.canvas import Canvas


class Constraint(Protocol):
    """`mask` is cheap and sees all proposals at once; `accepts` may look at the whole canvas.

    `strict` says whether `accepts` ever refuses: only then is it asked, one cell at a time.
    """

    @property
    def strict(self) -> bool: ...

    def mask(self, canvas: Canvas, logits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Logits [N, V] for the cells (rows[i], columns[i]), with -inf for what may not stand there."""
        ...

    def accepts(self, canvas: Canvas, row: int, column: int, token: int) -> bool:
        """Whether `token` may be committed now. A refused token is not offered there again."""
        ...


class Free:
    """Everything is allowed."""

    strict: bool = False

    def mask(self, canvas: Canvas, logits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        return logits

    def accepts(self, canvas: Canvas, row: int, column: int, token: int) -> bool:
        return True


class Banned(Free):
    """Some ids never."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = tuple(int(i) for i in ids)

    def mask(self, canvas: Canvas, logits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        return logits.index_fill(-1, _placed(self.ids, logits.device), float("-inf"))


@cache
def _placed(ids: tuple[int, ...], device: torch.device) -> Tensor:
    """`ids` on the device, copied once: every copy waits for a GPU.

    Kept for good: recordings read this tensor, and know nothing of Python's references to it.
    """
    return torch.tensor(ids, dtype=torch.int64, device=device)


class FirstOf(Free):
    """A cell of the canvas, its first, holds one of these ids: how a healed token is given back."""

    def __init__(self, ids: Sequence[int] | Ids, column: int = 0) -> None:
        self._ids, self._column = torch.as_tensor(ids, dtype=torch.int64), column

    def mask(self, canvas: Canvas, logits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        first = columns == self._column
        ids = self._ids = self._ids.to(logits.device)
        if not logits.is_cpu:  # without a look at which rows these are
            allowed = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
            allowed.index_fill_(0, ids, True)
            return logits.masked_fill(first[:, None] & ~allowed, float("-inf"))
        if not bool(first.any()):
            return logits
        only = torch.full_like(logits[first], float("-inf"))
        only[:, ids] = logits[first][:, ids]
        return logits.index_put((first.nonzero()[:, 0],), only)


@dataclass(frozen=True, slots=True)
class Every:
    """All of several constraints."""

    parts: tuple[Constraint, ...]

    @property
    def strict(self) -> bool:
        return any(part.strict for part in self.parts)

    def mask(self, canvas: Canvas, logits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        for part in self.parts:
            logits = part.mask(canvas, logits, rows, columns)
        return logits

    def accepts(self, canvas: Canvas, row: int, column: int, token: int) -> bool:
        return all(part.accepts(canvas, row, column, token) for part in self.parts)
