"""Attention regimes: where context and canvas stand, and who sees whom (`visibility` has the rule)."""

from collections.abc import Sequence
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

    def onward(self, context: Frame, ids: Sequence[int]) -> Frame | None:
        """`context` and the gap's first tokens behind it, to be read from left to right, or None."""
        ...

    def text(self, prompt: Prompt) -> Frame | None:
        """Only what stands before the gap, to be read on as a text, or None where the weights cannot."""
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

    def onward(self, context: Frame, ids: Sequence[int]) -> Frame | None:
        return context.followed_by(ids)

    def text(self, prompt: Prompt) -> Frame | None:
        s = self.specials
        if s.prefix is None or s.suffix is None:
            return None
        return Frame.shared([*([s.suffix] if self.suffix_first else []), s.prefix, *prompt.prefix])


@dataclass(frozen=True, slots=True)
class Layout:
    """How both sides of the gap become one text in front of it: three runs of ids around them.

    Fill-in-the-middle sentinels are the shortest; a chat turn that shows what follows is another.
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...] = ()
    suffix_first: bool = False

    @staticmethod
    def sentinels(specials: Specials, suffix_first: bool) -> "Layout":
        """The model's own sentinels; raises ModelError where it has none."""
        s = specials
        if s.prefix is None or s.suffix is None or s.middle is None:
            raise ModelError("This model has no fill-in-the-middle sentinels.")
        first, second = (s.suffix, s.prefix) if suffix_first else (s.prefix, s.suffix)
        return Layout((first,), (second,), (s.middle,), suffix_first)

    def ids(self, prompt: Prompt) -> list[int]:
        first, second = prompt.prefix, prompt.suffix
        if self.suffix_first:
            first, second = second, first
        return [*self.before, *first, *self.between, *second, *self.after]


@dataclass(frozen=True, slots=True)
class BlockCausal:
    """Block diffusion: each block of `size` tokens sees itself and the blocks before it.

    The prompt is cut into blocks as well. They are counted from its beginning, so that the gap may
    begin inside a block with the prompt's last tokens (SDAR, Fast-dLLM v2, Stable-DiffCoder), or, with
    `from_end`, from its end (dllm). There is no text after the gap: `layout` has it in the prompt.
    """

    specials: Specials
    size: int
    shift: bool = False
    suffix_first: bool = False
    layout: Layout | None = None
    from_end: bool = False

    def context(self, prompt: Prompt) -> Frame:
        ids = self._ids(prompt)
        whole = len(ids) if self.from_end else len(ids) // self.size * self.size
        return Frame.shared(ids[:whole], self._groups(len(ids), torch.arange(whole)))

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        ids, n, device = self._ids(prompt), len(context), canvas.ids.device
        begun = torch.tensor(
            ids[n:], dtype=torch.int64, device=device
        )  # the block with the gap's start
        tokens = torch.cat([_wide(begun, canvas), canvas.ids], 1)
        places = n + torch.arange(tokens.shape[1], device=device)
        real = torch.ones(tokens.shape, dtype=torch.bool, device=device)
        real[:, len(begun) :] = canvas.gap != VOID
        frame = pack(tokens, places, self._groups(len(ids), places), real)
        at = torch.arange(tokens.numel(), device=device).view(tokens.shape)[:, len(begun) :]
        if self.shift:
            at = at - 1
            if not len(begun):
                at[:, 0] = -1
        return Rows(frame, at)

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        return None

    def onward(self, context: Frame, ids: Sequence[int]) -> Frame | None:
        return None

    def text(self, prompt: Prompt) -> Frame | None:
        return None

    def offset(self, prompt: Prompt) -> int:
        """Tokens of the gap's first block that belong to the prompt."""
        return 0 if self.from_end else len(self._ids(prompt)) % self.size

    def _ids(self, prompt: Prompt) -> list[int]:
        layout = self.layout
        if layout is None and self.specials.middle is None:
            raise ModelError(
                "This model sees nothing after the gap, and its tokenizer has neither "
                "fill-in-the-middle sentinels nor chat turns to show it: it cannot infill."
            )
        return (layout or Layout.sentinels(self.specials, self.suffix_first)).ids(prompt)

    def _groups(self, length: int, places: Tensor) -> Tensor:
        late = -length % self.size if self.from_end else 0
        return (places + late) // self.size


@dataclass(frozen=True, slots=True)
class Full:
    """Everyone sees everyone (LLaDA, Dream): the gap stands in place, nothing can be cached exactly."""

    specials: Specials
    shift: bool = False

    def context(self, prompt: Prompt) -> Frame:
        return Frame.shared([])

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        bos = [] if self.specials.bos is None else [self.specials.bos]
        eos = [] if self.specials.eos is None else [self.specials.eos]
        if self.shift and not bos and not prompt.prefix:
            bos = [self.specials.mask]  # something has to stand before the first cell
        device = canvas.ids.device
        before = torch.tensor([*bos, *prompt.prefix], dtype=torch.int64, device=device)
        after = torch.tensor([*prompt.suffix, *eos], dtype=torch.int64, device=device)
        count = len(before) + canvas.width + len(after)
        ids = torch.cat([_wide(before, canvas), canvas.ids, _wide(after, canvas)], 1)
        real = torch.ones(canvas.rows, count, dtype=torch.bool, device=device)
        inside = slice(len(before), len(before) + canvas.width)
        real[:, inside] = canvas.gap != VOID
        frame = pack(ids, real.long().cumsum(1) - 1, torch.zeros_like(ids), real)
        cells = torch.arange(ids.numel(), device=device).view(ids.shape)[:, inside]
        early = int(self.shift)  # the state of the token before the gap predicts its first cell
        return Rows(frame, cells - early, canvas.rows, (inside.start - early, inside.stop))

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        return None

    def onward(self, context: Frame, ids: Sequence[int]) -> Frame | None:
        return None

    def text(self, prompt: Prompt) -> Frame | None:
        return None


def _wide(ids: Tensor, canvas: Canvas) -> Tensor:
    return ids.unsqueeze(0).expand(canvas.rows, -1)
