"""A pass over a canvas together with what is made of its states, as one recording.

Between two recorded passes the host would launch some sixty operations to choose and write tokens, which
takes longer than a small network's pass. What they are is not known here: a function is given.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dcomplete.models.canvas import VOID, Canvas
from dcomplete.models.recording import Recorder
from dcomplete.models.static_step import StaticStep

Then = Callable[[Tensor, Canvas], None]  # states [R, W, D] and the canvas to be changed by them


class WholeStep:
    """`step` and a `Then` on canvases padded to its size; padding is VOID and closed."""

    def __init__(self, step: StaticStep, like: Canvas) -> None:
        self.step, shape = step, step.ids.shape
        device = step.ids.device
        self._canvas = Canvas(
            step.ids,
            torch.zeros(shape, dtype=torch.bool, device=device),
            torch.full(shape, VOID, dtype=torch.int64, device=device),
            torch.ones(shape, device=device),
            like.mask,
            gaps=like.gaps,
        )
        self._then: Then | None = None
        self._layout: tuple[object, ...] = ()
        self._given: tuple[Tensor, ...] = ()
        self._replay = self._body

    def _body(self) -> None:
        assert self._then is not None
        self.step.body()
        mine = self._canvas
        work = Canvas(mine.ids, mine.open, mine.gap, mine.confidence, mine.mask, gaps=mine.gaps)
        self._then(self.step.states, work)
        mine.ids.copy_(work.ids)
        mine.open.copy_(work.open)
        mine.confidence.copy_(work.confidence)

    def record(self, recorder: Recorder, then: Then) -> None:
        """Raises RuntimeError where that is not possible; the buffers hold nothing of use afterwards."""
        self._then = then
        try:
            self._replay = recorder(self._body)
        finally:
            self._then = None
            self._layout = self._given = ()

    def run(self, canvas: Canvas, edge: Tensor, then: Then) -> None:
        """Change `canvas`, which fits; `then` computes what it computed when this was recorded."""
        self._load(canvas, edge)
        self._then = then
        self._replay()
        self._then = None
        rows, width = canvas.ids.shape
        mine = self._canvas
        self._given = tuple(
            t[:rows, :width].clone() for t in (mine.ids, mine.open, mine.confidence)
        )
        canvas.ids, canvas.open, canvas.confidence = self._given

    def _load(self, canvas: Canvas, edge: Tensor) -> None:
        """Copy what the buffers do not hold already from the step before."""
        rows, width = canvas.ids.shape
        mine, cells = self._canvas, (canvas.ids, canvas.open, canvas.confidence)
        same = len(self._layout) == 2 and self._layout[0] is canvas.gap and self._layout[1] is edge
        if not same:
            mine.gap.fill_(VOID)
            mine.open.fill_(False)
            mine.gap[:rows, :width] = canvas.gap
            self.step.fill(canvas, edge)
            self._layout, self._given = (canvas.gap, edge), ()
        if len(self._given) == 3 and all(a is b for a, b in zip(self._given, cells, strict=True)):
            return
        for buffer, cell in zip((mine.ids, mine.open, mine.confidence), cells, strict=True):
            buffer[:rows, :width] = cell
