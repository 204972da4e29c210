"""Attention regimes: where context and canvas stand, and who sees whom (`visibility` has the rule)."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.canvas import VOID, Canvas
from dcomplete.models.frame import Frame, Rows, pack
from dcomplete.models.specials import Specials


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids on both sides of the gap."""

    prefix: list[int]
    suffix: list[int]


class Regime(Protocol):
    """Lays out one request. `context` is computed once and cached; `rows` at every step."""

    def context(self, prompt: Prompt) -> Frame: ...

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows: ...

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        """The canvas's decided tokens read left to right, or None where the weights cannot."""
        ...


@dataclass(frozen=True, slots=True)
class ContextCanvas:
    """Causal context with sentinels, bidirectional canvas: dcomplete's own layout.

    The state at <middle> predicts the first cell, the state of cell j the cell j + 1 (the
    autoregressive shift is kept), so the same weights read causally are a fill-in-the-middle model.
    """

    specials: Specials
    suffix_first: bool = True

    def context(self, prompt: Prompt) -> Frame:
        s = self.specials
        if s.prefix is None or s.suffix is None or s.middle is None:
            raise ModelError("This model has no fill-in-the-middle sentinels.")
        before, after = [s.prefix, *prompt.prefix], [s.suffix, *prompt.suffix]
        ids = [*after, *before] if self.suffix_first else [*before, *after]
        return Frame.shared([*ids, s.middle])

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        n, cells = len(context), torch.arange(canvas.width, device=canvas.ids.device)
        same = torch.full_like(cells, n - 1)
        frame = pack(canvas.ids, n + cells, same, canvas.gap != VOID)
        at = torch.arange(canvas.ids.numel(), device=canvas.ids.device).view(canvas.ids.shape) - 1
        at[:, 0] = -1
        return Rows(frame, at)

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        n = len(context)
        real = (canvas.gap != VOID) & ~canvas.open
        if fill is not None:
            real &= canvas.ids != fill
        place = n - 1 + real.long().cumsum(1)
        cells = torch.arange(canvas.ids.numel(), device=canvas.ids.device).view(canvas.ids.shape)
        frame = pack(canvas.ids, place, place, real)
        nearest = torch.where(real, cells, -1).cummax(1).values  # last real cell up to here
        at = torch.full_like(cells, -1)
        at[:, 1:] = nearest[:, :-1]
        return Rows(frame, at)


@dataclass(frozen=True, slots=True)
class BlockCausal:
    """Block diffusion after a causal prompt: each block of `size` cells sees itself and what is before."""

    specials: Specials
    size: int
    shift: bool = False
    suffix_first: bool = False

    def context(self, prompt: Prompt) -> Frame:
        return ContextCanvas(self.specials, self.suffix_first).context(prompt)

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        n, cells = len(context), torch.arange(canvas.width, device=canvas.ids.device)
        frame = pack(canvas.ids, n + cells, n + cells // self.size, canvas.gap != VOID)
        at = torch.arange(canvas.ids.numel(), device=canvas.ids.device).view(canvas.ids.shape)
        if self.shift:
            at = at - 1
            at[:, 0] = -1
        return Rows(frame, at)

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        return None


@dataclass(frozen=True, slots=True)
class Full:
    """Everyone sees everyone (LLaDA, Dream): the gap stands in place, nothing can be cached exactly."""

    specials: Specials
    shift: bool = False

    def context(self, prompt: Prompt) -> Frame:
        return Frame.shared([])

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        bos = [] if self.specials.bos is None else [self.specials.bos]
        if self.shift and not bos and not prompt.prefix:
            raise ModelError("This model needs some text before the gap.")
        device = canvas.ids.device
        before = torch.tensor([*bos, *prompt.prefix], dtype=torch.int64, device=device)
        after = torch.tensor(prompt.suffix, dtype=torch.int64, device=device)
        count = len(before) + canvas.width + len(after)
        ids = torch.cat([_wide(before, canvas), canvas.ids, _wide(after, canvas)], 1)
        real = torch.ones(canvas.rows, count, dtype=torch.bool, device=device)
        inside = slice(len(before), len(before) + canvas.width)
        real[:, inside] = canvas.gap != VOID
        frame = pack(ids, real.long().cumsum(1) - 1, torch.zeros_like(ids), real)
        cells = torch.arange(ids.numel(), device=device).view(ids.shape)[:, inside]
        return Rows(frame, cells - 1 if self.shift else cells)

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        return None


def _wide(ids: Tensor, canvas: Canvas) -> Tensor:
    return ids.unsqueeze(0).expand(canvas.rows, -1)
