"""Denoise steps of fixed shape, recorded as CUDA graphs: one for each number of rows and of cells.

A small network's step is a few hundred launches that take the host longer than the card. Recorded
once, it is one launch. Shapes and addresses are fixed, so canvases are padded to a bucket; the
context's length is data on the device, so that one recording serves every context. Without a GPU, or
where recording fails, the same step runs launch by launch.
"""

import logging
from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.errors import first_line
from dcomplete.models.cache import ContextCache
from dcomplete.models.canvas import Canvas
from dcomplete.models.decoder import Decoder
from dcomplete.models.recording import Graphs, Recorder, plain
from dcomplete.models.static_cache import StaticCache
from dcomplete.models.static_step import StaticRead, StaticStep
from dcomplete.models.whole_step import Then, WholeStep

_log = logging.getLogger(__name__)
_MOST_WHOLES = 32  # recordings of whole steps, the oldest of which goes first


@dataclass(frozen=True, slots=True)
class Buckets:
    """Ascending sizes that steps are recorded for: cells and rows of a canvas, tokens of a context.

    One context size suffices for kernels that take the length as data; others compute over the whole
    buffer, and want several.
    """

    widths: tuple[int, ...] = (8, 16, 32, 64)
    rows: tuple[int, ...] = (1, 2, 4, 8)
    contexts: tuple[int, ...] = (8192,)

    def fit(self, rows: int, width: int, context: int) -> tuple[int, int, int] | None:
        """The smallest bucket (rows, width, context) that holds them, or None."""
        sizes = ((rows, self.rows), (width, self.widths), (context, self.contexts))
        found = [next((b for b in sorted(known) if b >= n), 0) for n, known in sizes]
        return (found[0], found[1], found[2]) if all(found) else None


class StaticSteps:
    """All steps of one network, made when first needed; falls back by itself and says so in the log."""

    def __init__(
        self,
        net: Decoder,
        buckets: Buckets | None = None,
        recorder: Recorder | None = None,
        whole: bool = True,
    ) -> None:
        self.net, self.buckets = net, buckets or Buckets()
        self.whole = whole  # whether what follows a pass may be recorded with it
        self._record = recorder or Graphs()
        self._caches: dict[tuple[int, int], StaticCache] = {}
        self._steps: dict[tuple[int, int, int], StaticStep] = {}
        self._reads: dict[tuple[int, int], StaticRead] = {}
        self._wholes: dict[Hashable, WholeStep] = {}
        self.trouble = ""  # why steps are not recorded, or not made at all

    @property
    def bytes(self) -> int:
        return sum(cache.bytes for cache in self._caches.values())

    def states(
        self, owner: object, context: ContextCache, edge: Tensor, canvas: Canvas
    ) -> Tensor | None:
        """The state that predicts each cell, [R, W, D], valid until the next call; None: no bucket fits.

        `owner` stands for the request: its context is copied when the buffers last held another's.
        """
        bucket = self.buckets.fit(canvas.rows, canvas.width, context.length)
        if bucket is None:
            return None
        step = self._steps.get(bucket) or self._make(*bucket)
        if step is None:
            return None
        if step.cache.owner is not owner:
            step.cache.load(context, owner)
        step.fill(canvas, edge)
        step.run()
        return step.states[: canvas.rows, : canvas.width]

    def advance(
        self,
        owner: object,
        context: ContextCache,
        edge: Tensor,
        canvas: Canvas,
        recipe: Hashable,
        then: Then,
    ) -> bool:
        """Compute the states of `canvas` and let `then` change it by them, as one recording.

        `then` computes the same for every canvas of this `recipe`, and never waits for the device.
        False where no bucket fits or it cannot be recorded: nothing has happened.
        """
        bucket = self.buckets.fit(canvas.rows, canvas.width, context.length)
        if bucket is None or not self.whole:
            return False
        whole = self._wholes.get((bucket, recipe)) or self._make_whole(bucket, recipe, canvas, then)
        if whole is None:
            return False
        if whole.step.cache.owner is not owner:
            whole.step.cache.load(context, owner)
        whole.run(canvas, edge, then)
        return True

    def read(self, owner: object, context: ContextCache, ids: Tensor) -> Tensor | None:
        """Add the tokens `ids` [T] to `context`'s buffers, for the caller to `keep`.

        Returns their last state [D], which predicts the first cell; None: no bucket fits.
        """
        bucket = self.buckets.fit(1, len(ids), context.length)
        if bucket is None:
            return None
        _, width, size = bucket
        read = self._reads.get((width, size)) or self._make_read(width, size)
        if read is None:
            return None
        if read.cache.owner is not owner:
            read.cache.load(context, owner)
        read.ids[0, : len(ids)] = ids.to(read.ids.device, non_blocking=True)
        read.run()
        read.cache.save(context, len(ids))
        return read.states[0, len(ids) - 1].clone()

    def _make_read(self, width: int, context: int) -> StaticRead | None:
        cache = self._cache(1, context)
        if cache is None:
            return None
        read = StaticRead(self.net, cache, width)
        self._reads[(width, context)] = read
        self._recorded(read)
        return read

    def _make(self, rows: int, width: int, context: int) -> StaticStep | None:
        cache = self._cache(rows, context)
        if cache is None:
            return None
        step = StaticStep(self.net, cache, width)
        self._steps[(rows, width, context)] = step
        self._recorded(step)
        return step

    def _make_whole(
        self, bucket: tuple[int, int, int], recipe: Hashable, canvas: Canvas, then: Then
    ) -> WholeStep | None:
        rows, width, context = bucket
        cache = self._cache(rows, context)
        if cache is None:
            return None
        made = WholeStep(StaticStep(self.net, cache, width), canvas)
        cache.length.zero_()
        cache.owner = None
        try:
            made.record(self._record, then)
        except Exception as error:  # whatever the given function does that cannot be recorded
            self._say(f"what follows a pass runs launch by launch: {first_line(error)}")
            self.whole = False
            return None
        while len(self._wholes) >= _MOST_WHOLES:
            del self._wholes[next(iter(self._wholes))]
        self._wholes[(bucket, recipe)] = made
        return made

    def _cache(self, rows: int, context: int) -> StaticCache | None:
        like = self.net.norm.weight
        if (rows, context) in self._caches:
            return self._caches[(rows, context)]
        capacity = context + max(self.buckets.widths)
        try:
            made = StaticCache(self.net.config, rows, capacity, like.dtype, like.device)
        except torch.OutOfMemoryError:
            sizes = tuple(n for n in self.buckets.rows if n < rows)
            self._say(f"no memory for steps of {rows} rows; they run without fixed buffers")
            self.buckets = Buckets(self.buckets.widths, sizes, self.buckets.contexts)
            return None
        self._caches[(rows, context)] = made
        return made

    def _recorded(self, step: StaticStep | StaticRead) -> None:
        step.cache.length.zero_()  # warm-ups write behind it, and the buffers may be full
        try:
            step.run = self._record(step.body)
        except RuntimeError as error:
            self._say(f"steps run launch by launch, not as CUDA graphs: {first_line(error)}")
            self._record = plain
        step.cache.owner = None  # a recording has written into the buffers

    def _say(self, sentence: str) -> None:
        self.trouble = sentence
        _log.warning("%s", sentence)
