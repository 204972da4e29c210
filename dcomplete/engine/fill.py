"""One task from empty canvas to decided tokens: lengths, the denoise loop, continuation, scores."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor

from dcomplete.engine.constraints import Banned, Constraint, Every, FirstOf
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import (
    CloseAfterFill,
    ExpandDelete,
    GrowFull,
    KeepSize,
    Length,
    bucket,
    candidate_sizes,
    search_length,
)
from dcomplete.engine.prompt import Task
from dcomplete.engine.tokens import Ids
from dcomplete.engine.windows import LeftToRightBlocks
from dcomplete.models.canvas import PINNED, Canvas
from dcomplete.models.family import Family, Session
from dcomplete.models.judging import judge
from dcomplete.models.regimes import BlockCausal, Full, Prompt
from dcomplete.types import Finish, InfillRequest, Stopwatch

CANVAS = 64  # cells of a gap before it is continued on the next canvas
_SURE = 0.5  # how surely the first canvas should hold the whole gap; a full one is continued
_GROW = 8
_LIKELY = 16  # cells of the canvas that is looked at before the length is known
_AROUND = 2  # candidate lengths on both sides of the most likely one (PILL)

T = TypeVar("T")
Steps = Generator[None, None, T]  # yields where others may have their turn, returns a result
Look = Callable[[int, Canvas], None]  # (step, canvas) after every denoise step


@dataclass(frozen=True, slots=True)
class Filled:
    """Decided tokens, a list per gap, and their mean log-probability in nats."""

    gaps: list[list[int]]
    score: float
    finish: Finish

    @property
    def tokens(self) -> int:
        return sum(map(len, self.gaps))


@dataclass(slots=True)
class Counts:
    """What a request cost so far."""

    steps: int = 0
    forwards: int = 0
    computed: int = 0
    prefill_ms: float = 0.0
    denoise_ms: float = 0.0

    def add(self, session: Session) -> None:
        """What a finished session computed."""
        self.forwards += session.forwards
        self.computed += session.computed


@dataclass(slots=True)
class Filler:
    """Fills the gaps of one task; `plan` says how, `request` how much."""

    family: Family
    request: InfillRequest
    plan: Plan
    look: Look = lambda step, canvas: None
    counts: Counts = field(default_factory=Counts)

    def fill(
        self, task: Task, first: Sequence[int] | Ids, draft: list[int] | None
    ) -> Steps[list[Filled]]:
        """Answers, best first. `first` are the ids that may stand in the first cell ([] = any)."""
        rows = 1 if self.request.branches else self.request.samples
        opened = self.family.open(task.prompt, self.request.reuse, self.request.stale)
        with opened as session:
            canvas = yield from self._begin(session, task, rows, draft)
            finish = yield from self.denoised(session, canvas, self.planned(first, task, canvas))
            scores = self._scores(session, canvas)
            order = self._order(task, canvas, scores)[:rows]
        self.counts.add(session)
        filled = []
        for row in order:
            answer = yield from self._continued(task, canvas, row, scores[row], finish)
            filled.append(answer)
        return filled

    def _begin(
        self, session: Session, task: Task, rows: int, draft: list[int] | None
    ) -> Steps[Canvas]:
        watch = Stopwatch()
        for _ in session.warm():
            self.plan.cancel.check()
            yield
        if draft is None and not task.pinned and self._asks_the_head():
            likely = Canvas.build([[self._likely()]] * rows, self.family.specials.mask)
            session.states(likely.to(self.family.device))  # with the context, in one pass
        canvas = yield from self._canvas(session, task, rows, draft)
        self.counts.prefill_ms += watch.lap()
        return canvas

    def _canvas(
        self, session: Session, task: Task, rows: int, draft: list[int] | None
    ) -> Steps[Canvas]:
        mask = self.family.specials.mask
        if draft is not None and not task.pinned:
            return self._drafted(session, draft, rows)
        layouts = []
        sizes = yield from self._sizes(session, task)
        for size in sizes:
            layout: list[int | list[int]] = [size]
            for pinned in task.pinned:
                layout += [pinned, size]
            layouts += [layout] * rows
        return Canvas.build(layouts, mask).to(self.family.device)

    def _asks_the_head(self) -> bool:
        return self.request.length == "auto" and self.family.length_head is not None

    def _likely(self) -> int:
        return min(_LIKELY, self.request.max_tokens)

    def _sizes(self, session: Session, task: Task) -> Steps[list[int]]:
        limit = min(CANVAS, self.request.max_tokens)
        several = self.request.length == "candidates"
        if self.request.length.isdigit():
            return [int(self.request.length)]
        if task.pinned:
            return [min(16, limit)]
        if self._endless():
            likely = yield from self._searched(session, limit)
            spread = _AROUND if several else 0
            return [n for n in range(likely - spread, likely + spread + 1) if 1 <= n <= limit]
        if several:
            return list(candidate_sizes(limit))
        if self.family.usage.canvas:
            return [min(self.family.usage.canvas, limit)]
        return [bucket(session.length_odds(), _SURE, limit)]

    def _endless(self) -> bool:
        """Whether the model cannot end a gap itself, so that its length must be found beforehand."""
        return self.family.specials.fill is None and self.family.specials.expand is None

    def _searched(self, session: Session, limit: int) -> Steps[int]:
        """The gap's length by CAL: a few passes over empty canvases of several sizes each."""
        search = search_length(limit)
        sizes = next(search)
        while True:
            self.plan.cancel.check()
            yield
            try:
                sizes = search.send(self._sureness(session, sizes))
            except StopIteration as found:
                return int(found.value)

    def _sureness(self, session: Session, sizes: Sequence[int]) -> list[float]:
        """The mean of the cells' highest probabilities on an empty canvas of each size."""
        canvas = Canvas.build([[size] for size in sizes], self.family.specials.mask)
        canvas = canvas.to(self.family.device)
        rows, columns = canvas.open.nonzero(as_tuple=True)
        states = session.states(canvas)[rows, columns]
        best = self.family.net.head(states).float().softmax(-1).max(-1).values
        total = torch.zeros(len(sizes), device=best.device).index_add(0, rows, best)
        return [float(x) / size for x, size in zip(total, sizes, strict=True)]

    def _drafted(self, session: Session, draft: list[int], rows: int) -> Canvas:
        """Warm start: the draft's tokens stay where a causal reading finds them likely."""
        limit = min(CANVAS, self.request.max_tokens)
        draft = draft[:limit]
        size = next((b for b in candidate_sizes(limit) if b > len(draft)), limit)
        mask = self.family.specials.mask
        ids = draft + [mask] * (size - len(draft))
        canvas = Canvas.from_rows([ids] * rows, [[0] * size] * rows, mask).to(self.family.device)
        doubtful = self._doubtful(session, canvas)
        if doubtful is None:
            doubtful = torch.ones_like(canvas.open)
        canvas.reopen(doubtful)
        return canvas

    def _doubtful(self, session: Session, canvas: Canvas) -> Tensor | None:
        states = session.causal_states(canvas)
        if states is None:
            return None
        logits = session.logits(states.flatten(0, 1)).view(*canvas.ids.shape, -1)
        p = logits.softmax(-1)
        own = p.gather(-1, canvas.ids.unsqueeze(-1)).squeeze(-1)
        return ~canvas.open & (own < 0.5) & (p.argmax(-1) != canvas.ids)

    def planned(self, first: Sequence[int] | Ids, task: Task, canvas: Canvas) -> Plan:
        """The plan with what this task and its canvas add to it."""
        s = self.family.specials
        constraints: list[Constraint] = [self.plan.constraint]
        if len(first):
            constraints.append(FirstOf(first))
        if self.request.length.isdigit():
            endings = [i for i in (s.fill, s.expand) if i is not None]
            constraints.append(Banned(endings))
        constraint = constraints[0] if len(constraints) == 1 else Every(tuple(constraints))
        plan = replace(self.plan, constraint=constraint, length=self._length(canvas))
        if not self.family.usage.window:
            return plan
        regime = self.family.regime
        offset = regime.offset(task.prompt) if isinstance(regime, BlockCausal) else 0
        return replace(plan, window=LeftToRightBlocks(self.family.usage.window, offset))

    def _length(self, canvas: Canvas) -> Length:
        s = self.family.specials
        if self.request.length.isdigit() or s.fill is None:
            return KeepSize()
        if s.expand is not None:
            most = self.request.max_tokens * self.request.gaps
            spare = most - int((canvas.gap >= 0).sum(-1).max())
            return ExpandDelete(s, max(0, spare), self.family.usage.clear_right)
        return GrowFull(CloseAfterFill(s.fill), _GROW, min(CANVAS, self.request.max_tokens))

    def denoised(self, session: Session, canvas: Canvas, plan: Plan) -> Steps[Finish]:
        """The loop, watched and timed."""
        watch = Stopwatch()
        finish = Finish.DONE
        self.look(self.counts.steps, canvas)
        for ended in denoise(session, canvas, plan):
            if ended is not Finish.DONE:
                self.counts.steps += 1
                self.look(self.counts.steps, canvas)
            finish = ended or finish
            yield
        self.counts.denoise_ms += watch.lap()
        return finish

    def _scores(self, session: Session, canvas: Canvas) -> list[float]:
        """Mean log-probability of each row's cells; by one causal pass where rows compete."""
        chance = canvas.confidence
        counted = (canvas.gap >= 0) & ~canvas.open
        if canvas.rows > 1 and (states := session.causal_states(canvas)) is not None:
            logits = session.logits(states.flatten(0, 1)).view(*canvas.ids.shape, -1)
            chance = logits.softmax(-1).gather(-1, canvas.ids.unsqueeze(-1)).squeeze(-1)
            fill = -1 if self.family.specials.fill is None else self.family.specials.fill
            ends = counted & (canvas.ids == fill)
            counted &= ~ends | (ends.long().cumsum(-1) == 1)  # the first filler says: it ends here
        nats = chance.clamp(min=1e-9).log() * counted
        return [float(x) for x in nats.sum(-1) / counted.sum(-1).clamp(min=1)]

    def _order(self, task: Task, canvas: Canvas, scores: list[float]) -> list[int]:
        """Rows, best first. Lengths that a full-attention model tried compete by PILL's measure."""
        worth, regime = scores, self.family.regime
        lengths = len({int(n) for n in (canvas.gap >= 0).sum(-1)}) > 1
        if lengths and self._endless() and isinstance(regime, Full) and not task.pinned:
            rows = [canvas.filled(row, 0) for row in range(canvas.rows)]
            worth = judge(self.family.net, regime.specials, regime.shift, task.prompt, rows)
            self.counts.forwards += 1
        return sorted(range(canvas.rows), key=lambda row: -worth[row])

    def _continued(
        self, task: Task, canvas: Canvas, row: int, score: float, finish: Finish
    ) -> Steps[Filled]:
        """The row's tokens; a last gap without filler goes on, its tokens now part of the context."""
        fill = self.family.specials.fill
        count = len(task.pinned) + 1
        gaps = [canvas.filled(row, gap, fill) for gap in range(count)]
        mine = canvas.gap[row] == count - 1
        ended = fill is None or bool((canvas.ids[row][mine] == fill).any())
        free = self.request.max_tokens - len(gaps[-1])
        if ended or finish is not Finish.DONE or self.request.length != "auto":
            return Filled(gaps, score, finish)
        if free <= 0 or self.family.specials.expand is not None:
            return Filled(gaps, score, Finish.LENGTH)
        decided = canvas.ids[row][(canvas.gap[row] >= 0) | (canvas.gap[row] == PINNED)]
        done = [t for t in decided.tolist() if t != fill]
        prompt = Prompt(task.prompt.prefix + done, task.prompt.suffix)
        request = replace(self.request, max_tokens=free, samples=1, between=(), draft=None)
        rest = Filler(self.family, request, self.plan, self.look, self.counts)
        [more, *_] = yield from rest.fill(replace(task, prompt=prompt, pinned=()), [], None)
        a, b = sum(map(len, gaps)), more.tokens
        mean = (score * a + more.score * b) / max(1, a + b)
        return Filled([*gaps[:-1], gaps[-1] + more.gaps[0]], mean, more.finish)
