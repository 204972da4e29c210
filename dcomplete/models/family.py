"""A checkpoint as the denoise loop sees it: contexts are opened, canvases get logits."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dcomplete.models.batched import Batch
from dcomplete.models.cache import CachePool, ContextCache
from dcomplete.models.canvas import Canvas
from dcomplete.models.decoder import Decoder
from dcomplete.models.frame import Frame, Rows
from dcomplete.models.graphs import StaticSteps
from dcomplete.models.regimes import ContextCanvas, Prompt, Regime
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage
from dcomplete.models.visibility import Visibility
from dcomplete.models.whole_step import Then

_JOINT = 64  # new context tokens that share a pass with the canvas
# tokens of context computed at once: nobody waits longer for their turn, and a GPU is filled
_CHUNK = {"cpu": 256, "cuda": 2048}


@dataclass(slots=True)
class Family:
    """Weights with what is needed to use them for infilling."""

    name: str
    net: Decoder
    regime: Regime
    specials: Specials
    length_head: nn.Linear | None = None  # hidden to bins
    vocabulary: int | None = None  # tokens that have a text; the network may be padded beyond them
    label: str = "float32"  # how the weights are held: for people and logs
    usage: Usage = field(default_factory=Usage)
    few: int = 0  # tokens whose pass costs a fraction of a canvas's, or none
    static: StaticSteps | None = None  # steps of fixed shape, for `ContextCanvas` on a GPU
    _banned: Tensor | None = None
    pool: CachePool = field(init=False)

    def __post_init__(self) -> None:
        self.pool = CachePool(self.net.config, self.dtype, self.device)

    @property
    def dtype(self) -> torch.dtype:
        return self.net.norm.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.net.norm.weight.device

    @property
    def banned(self) -> Tensor:
        """Ids that are never proposed, on the device: to copy them there at every step would wait."""
        if self._banned is None:
            self._banned = torch.tensor(self.specials.banned, dtype=torch.int64, device=self.device)
        return self._banned

    def open(self, prompt: Prompt, reuse: bool = True, stale: int = 1) -> "Session":
        """Start a request. `reuse=False` computes everything anew: the slow twin of the cache.

        `stale` above 1 is the approximate cache of `models.batched`, for full-attention families.
        """
        return Session(self, prompt, reuse, stale)

    def read(self, prompt: Prompt, reuse: bool = True) -> "Session | None":
        """A session that knows only what is before the gap and reads on from there, by `causal_states`:
        the gap's text and then what follows it. None where the weights cannot."""
        text = self.regime.text(prompt)
        return None if text is None else Session(self, prompt, reuse, context=text)


class Session:
    """One request: its context in a cache, its counters, and the logits of its canvases.

    To be used in a `with` statement: the cache is its own until the end.
    """

    def __init__(
        self,
        family: Family,
        prompt: Prompt,
        reuse: bool = True,
        stale: int = 1,
        context: Frame | None = None,
    ) -> None:
        self.family, self.prompt, self.reuse = family, prompt, reuse
        self.forwards = 0
        self.computed = 0  # tokens that went through the network
        self._batch = Batch(family.net, stale)
        self.edge: Tensor | None = None  # [D], the context's last state
        self._seen: tuple[Tensor, Tensor] | None = None
        self._token = object()  # stands for this request
        self.context = family.regime.context(prompt) if context is None else context
        self.cache, self._valid = self._take()
        if 0 < self._valid == len(self.context) == self.cache.length:
            self.edge = self.cache.last  # the request before had this very context
        self.cache.keep(self.context, self._valid)  # nothing of the request before is seen

    def _take(self) -> tuple[ContextCache, int]:
        if self.reuse:
            return self.family.pool.take(self.context)
        return ContextCache(self.family.net.config, self.family.dtype, self.family.device), 0

    def _begin(self) -> int:
        """Where the part of the context that the cache lacks begins, and drop what is stale behind it.

        At least the last token is computed anew: its state predicts the first cell.
        """
        start = min(self._valid, len(self.context) - 1)
        groups = self.context.marks.groups
        while start and int(groups[start]) <= int(groups[:start].max()):
            start -= 1  # never begin inside a group
        self.cache.keep(self.context, start)
        return start

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exception: object) -> None:
        """Give the cache back; the session must not be used any more."""
        if self.reuse:
            self.cache.last = None if self.edge is None else self.edge.clone()
            self.family.pool.give(self.cache)

    def warm(self) -> Iterator[None]:
        """Compute what the cache lacks of the context, if it is much; yields after each part.

        Given up midway, what is done stays cached.
        """
        much = self.edge is None and len(self.context) > _JOINT
        if much and len(self.context) - self._begin() > _JOINT:
            yield from self._prefill()

    def _prefill(self) -> Iterator[None]:
        at, groups = self._begin(), self.context.marks.groups
        while at < len(self.context):
            end = min(at + _CHUNK[self.family.device.type], len(self.context))
            while end < len(self.context) and groups[end] == groups[end - 1]:
                end -= 1  # never end inside a group either
            hidden = self._compute(self.context[at:end])
            self.cache.keep(self.context, end)
            if end == len(self.context):
                self.edge = hidden[-1]
            at = end
            yield

    @torch.inference_mode()
    def _compute(self, part: Frame) -> Tensor:
        return self._forward(part)

    def read(self, frame: Frame, known: int) -> Tensor:
        """States [T, D] behind the first `known` tokens of `frame`, the context and what was read since."""
        self.cache.keep(frame, known)
        hidden = self._forward(frame[known:])
        self.cache.keep(self.context, len(self.context))
        return hidden

    def prefill(self) -> None:
        """Compute what the cache lacks of the context."""
        for _ in self._prefill() if self.edge is None and len(self.context) else ():
            pass

    def _together(self, rows: Frame) -> Tensor:
        """New context tokens and the canvas in one pass: a keystroke costs no forward of its own."""
        missing = self.context[self._begin() :]
        if len(missing) > _JOINT:
            self.prefill()
            return self._forward(rows)
        hidden = self._forward(missing.join(rows))
        self.cache.keep(self.context, len(self.context))
        self.edge = hidden[len(missing) - 1]
        return hidden[len(missing) :]

    def _forward(self, frame: Frame) -> Tensor:
        """Run `frame` behind the cached context; [T, D]."""
        device = self.family.device
        self.cache.room(len(frame))
        keys = self.cache.frame.marks.to(frame.marks.groups.device).join(frame.marks)
        see = Visibility.between(frame.marks, keys).to(device)
        self.forwards += 1
        self.computed += len(frame)
        ids, positions = frame.ids.to(device), frame.positions.to(device)
        hidden = self.family.net(ids[None], positions[None], see, self.cache)
        return hidden[0]  # type: ignore[no-any-return]

    def _states(self, rows: Rows) -> Tensor:
        """The state that predicts each cell, [R, W, D]."""
        if rows.batch:
            before = self._batch.computed
            found = self._batch.states(rows)
            self.forwards += 1
            self.computed += self._batch.computed - before
            return found
        fresh = self.edge is None and len(self.context) > 0
        hidden = self._together(rows.frame) if fresh else self._forward(rows.frame)
        edge = hidden[:1] if self.edge is None else self.edge[None]
        return torch.cat([hidden, edge])[rows.at]  # index -1 is the edge

    @torch.inference_mode()
    def states(self, canvas: Canvas) -> Tensor:
        """One denoise forward: states [R, W, D], to be turned into logits where they are needed.

        Asked again for the same cells, the answer is remembered: the engine looks at a canvas of the
        most likely size while it learns which size is wanted.
        """
        if (recorded := self._recorded(canvas)) is not None:
            return recorded
        cells = torch.stack([canvas.ids, canvas.gap])
        if self._seen is None or not torch.equal(self._seen[0], cells):
            rows = self.family.regime.rows(self.prompt, self.context, canvas)
            self._seen = (cells, self._states(rows))
        return self._seen[1]

    @property
    def seen(self) -> Tensor | None:
        """The states [R, W, D] of the canvas that was looked at last."""
        return None if self._seen is None else self._seen[1]

    def _recorded(self, canvas: Canvas) -> Tensor | None:
        """`states` by a step of fixed shape, where the family has one and the context is computed."""
        steps = self._static()
        if steps is None:
            return None
        assert self.edge is not None
        found = steps.states(self._token, self.cache, self.edge, canvas)
        if found is not None:
            self.forwards += 1
            self.computed += canvas.ids.numel()
        return found

    @torch.inference_mode()
    def advance(self, canvas: Canvas, recipe: Hashable | None, then: Then) -> None:
        """One denoise forward, and `then` changes `canvas` by its states.

        Both by one recording where that is possible; `then` computes the same for every canvas with
        this `recipe`, which is None where it is not to be recorded.
        """
        steps = None if recipe is None else self._static()
        if steps is not None:
            assert self.edge is not None
            if steps.advance(self._token, self.cache, self.edge, canvas, recipe, then):
                self.forwards += 1
                self.computed += canvas.ids.numel()
                return
        then(self.states(canvas), canvas)

    def _static(self) -> StaticSteps | None:
        """The family's steps of fixed shape, where it has some and the context is computed."""
        steps, regime = self.family.static, self.family.regime
        if steps is None or not isinstance(regime, ContextCanvas):
            return None
        return None if self.edge is None and not self._read(steps) else steps

    def _read(self, steps: StaticSteps) -> bool:
        """Compute the few context tokens that the cache lacks by a recorded pass, if they are few."""
        missing = self.context[self._begin() :]
        if not 0 < len(missing) <= _JOINT:
            return False
        self.edge = steps.read(self._token, self.cache, missing.ids)
        if self.edge is None:
            return False
        self.cache.keep(self.context, len(self.context))
        self.forwards += 1
        self.computed += len(missing)
        return True

    @torch.inference_mode()
    def causal_states(self, canvas: Canvas) -> Tensor | None:
        """The decided cells read left to right by the same weights; None where they cannot."""
        fill = self.family.specials.fill
        rows = self.family.regime.causal(self.context, canvas, fill)
        return None if rows is None else self._states(rows)

    @torch.inference_mode()
    def logits(self, states: Tensor) -> Tensor:
        """States [N, D] to float32 logits [N, vocab]; special tokens and padding are never proposed."""
        return self._offered(self.family.net.head(states).float())

    @torch.inference_mode()
    def narrow_logits(self, states: Tensor) -> Tensor:
        """`logits` in the network's own dtype: half the bytes, for who sums in float32."""
        return self._offered(self.family.net.head(states))

    def _offered(self, logits: Tensor) -> Tensor:
        logits.index_fill_(1, self.family.banned, float("-inf"))
        if self.family.vocabulary is not None:
            logits[:, self.family.vocabulary :] = float("-inf")
        return logits

    @torch.inference_mode()
    def length_odds(self) -> Tensor | None:
        """The length head's probabilities [bins] for this context, or None without such a head."""
        self.prefill()
        if self.family.length_head is None or self.edge is None:
            return None
        odds: Tensor = self.family.length_head(self.edge.float()).softmax(-1)
        return odds
