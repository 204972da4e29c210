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
)
from dcomplete.engine.prompt import Task
from dcomplete.engine.tokens import Ids
from dcomplete.models.canvas import PINNED, Canvas
from dcomplete.models.family import Family, Session
from dcomplete.models.regimes import Prompt
from dcomplete.types import Finish, InfillRequest, Stopwatch

CANVAS = 64  # cells of a gap before it is continued on the next canvas
_SURE = 0.5  # how surely the first canvas should hold the whole gap; a full one is continued
_GROW = 8
_LIKELY = 16  # cells of the canvas that is looked at before the length is known

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
        rows = self.request.samples
        with self.family.open(task.prompt, self.request.reuse) as session:
            canvas = yield from self._begin(session, task, rows, draft)
            finish = yield from self._denoise(session, canvas, self._plan(first))
            scores = self._scores(session, canvas)
        self.counts.forwards += session.forwards
        self.counts.computed += session.computed
        order = sorted(range(canvas.rows), key=lambda r: -scores[r])
        if self._several_sizes():
            order = order[:rows]
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
        canvas = self._canvas(session, task, rows, draft)
        self.counts.prefill_ms += watch.lap()
        return canvas

    def _canvas(self, session: Session, task: Task, rows: int, draft: list[int] | None) -> Canvas:
        mask = self.family.specials.mask
        if draft is not None and not task.pinned:
            return self._drafted(session, draft, rows)
        layouts = []
        for size in self._sizes(session, task):
            layout: list[int | list[int]] = [size]
            for pinned in task.pinned:
                layout += [pinned, size]
            layouts += [layout] * rows
        return Canvas.build(layouts, mask).to(self.family.device)

    def _asks_the_head(self) -> bool:
        return self.request.length == "auto" and self.family.length_head is not None

    def _likely(self) -> int:
        return min(_LIKELY, self.request.max_tokens)

    def _sizes(self, session: Session, task: Task) -> list[int]:
        limit = min(CANVAS, self.request.max_tokens)
        if self.request.length.isdigit():
            return [int(self.request.length)]
        if self._several_sizes():
            return list(candidate_sizes(limit))
        if task.pinned:
            return [min(16, limit)]
        return [bucket(session.length_odds(), _SURE, limit)]

    def _several_sizes(self) -> bool:
        """Candidates side by side: on request, and for models that cannot end a gap themselves."""
        endless = self.family.specials.fill is None and self.family.specials.expand is None
        return self.request.length == "candidates" or (endless and self.request.length == "auto")

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

    def _plan(self, first: Sequence[int] | Ids) -> Plan:
        s = self.family.specials
        constraints: list[Constraint] = [self.plan.constraint]
        if len(first):
            constraints.append(FirstOf(first))
        if self.request.length.isdigit():
            endings = [i for i in (s.fill, s.expand) if i is not None]
            constraints.append(Banned(endings))
        constraint = constraints[0] if len(constraints) == 1 else Every(tuple(constraints))
        return replace(self.plan, constraint=constraint, length=self._length())

    def _length(self) -> Length:
        s = self.family.specials
        if self.request.length.isdigit() or s.fill is None:
            return KeepSize()
        if s.expand is not None:
            return ExpandDelete(s, budget=self.request.max_tokens)
        return GrowFull(CloseAfterFill(s.fill), _GROW, min(CANVAS, self.request.max_tokens))

    def _denoise(self, session: Session, canvas: Canvas, plan: Plan) -> Steps[Finish]:
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
