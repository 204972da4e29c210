"""One task from empty canvas to decided tokens: lengths, the denoise loop, continuation, scores."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from dcomplete.engine.beginning import beginning
from dcomplete.engine.constraints import Banned, Constraint, Every
from dcomplete.engine.denoise import Plan, Steps, denoise
from dcomplete.engine.filled import Counts, Filled
from dcomplete.engine.lengths import (
    CANVAS,
    CloseAfterFill,
    EndsWhen,
    ExpandDelete,
    GrowFull,
    KeepSize,
    Length,
)
from dcomplete.engine.opening import Opening, looks
from dcomplete.engine.prompt import Task
from dcomplete.engine.reading import read
from dcomplete.engine.speculation import speculate
from dcomplete.engine.sureness import EndsUnsure, likely
from dcomplete.engine.tokens import ANY, Start
from dcomplete.engine.windows import LeftToRightBlocks
from dcomplete.models.canvas import PINNED, Canvas
from dcomplete.models.family import Family, Session
from dcomplete.models.judging import judge
from dcomplete.models.onward import Onward
from dcomplete.models.regimes import BlockCausal, Full, Prompt
from dcomplete.types import Finish, InfillRequest, Stopwatch

_GROW = 8  # cells that a full gap before pinned text gets
_LEAST = math.log(1e-9)  # nats

Look = Callable[[int, Canvas], None]  # (step, canvas) after every denoise step
Over = Callable[[list[int]], bool]  # whether an answer may end with these tokens


def unwatched(step: int, canvas: Canvas) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a canvas holds of an answer; `more` are its tokens, and `gaps` theirs, where the answer goes
    on behind them."""

    filled: Filled
    more: list[int] | None = None
    gaps: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether this is all of the answer, and it was not cut short."""
        return self.more is None and self.filled.finish is Finish.DONE


@dataclass(frozen=True, slots=True)
class Decided:
    """A canvas without open cells, its best row, and what it was denoised by."""

    task: Task
    session: Session
    onward: Onward
    plan: Plan
    canvas: Canvas
    row: int = 0


# The answer among others, best first
Others = Callable[["Filler", Decided, Filled], Steps[list[Filled]]]


@dataclass(slots=True)
class Filler:
    """Fills the gaps of one task; `plan` says how, `request` how much, `over` where a single gap ends
    early, `others` what is tried beside an answer that one canvas holds."""

    family: Family
    request: InfillRequest
    plan: Plan
    look: Look = unwatched
    counts: Counts = field(default_factory=Counts)
    over: Over | None = None
    others: Others | None = None

    def fill(
        self, task: Task, starts: tuple[Start, ...], draft: list[int] | None
    ) -> Steps[list[Filled]]:
        """Answers, best first; `starts` say with what they may begin."""
        parts = yield from self._parts(task, starts, draft)
        filled = []
        for part in parts:
            answer = yield from self._continued(task, part)
            filled.append(answer)
        return filled

    def _parts(
        self, task: Task, starts: tuple[Start, ...], draft: list[int] | None
    ) -> Steps[list[_Part]]:
        """What one canvas holds of each answer."""
        rows = 1 if self.others is not None else self.request.samples
        opened = self.family.open(task.prompt, self.request.reuse, self.request.stale)
        with opened as session:
            watch = Stopwatch()
            canvas = yield from Opening(self.family, self.request, self.plan).canvas(
                session, task, rows, draft
            )
            self.counts.prefill_ms += watch.lap()
            onward = Onward(session)
            drafted = draft is not None
            first = beginning(starts, session, onward, canvas, self.plan, drafted)
            plan = self.planned(first, task, canvas)
            proposed: list[int] | None = None if looks(self.family, self.request) else []
            shortcut = partial(speculate, draft=draft or (), onward=onward, proposed=proposed)
            plan = replace(plan, shortcut=shortcut)
            finish = yield from self.denoised(session, canvas, plan)
            scores = self._scores(session, canvas)
            order = self._order(task, canvas, scores)[:rows]
            parts = [
                self._part(task, canvas, row, scores[row], finish, plan.length) for row in order
            ]
            if self.others is not None and parts[0].whole:
                decided = Decided(task, session, onward, plan, canvas, order[0])
                answers = yield from self.others(self, decided, parts[0].filled)
                parts = [_Part(answer) for answer in answers]
        self.counts.add(session)
        return [self._as_far_as_wanted(part) for part in parts]

    def planned(self, first: Sequence[Constraint], task: Task, canvas: Canvas) -> Plan:
        """The plan with what this task and its canvas add to it; `first` are about the first cells."""
        s = self.family.specials
        constraints: list[Constraint] = [self.plan.constraint, *first]
        if self.request.told is not None:
            endings = [i for i in (s.fill, s.expand) if i is not None]
            constraints.append(Banned(endings))
        constraint = constraints[0] if len(constraints) == 1 else Every(tuple(constraints))
        length = self._length(canvas)
        plan = replace(self.plan, constraint=constraint, length=length, shortcut=speculate)
        if not self.family.usage.window:
            return plan
        regime = self.family.regime
        offset = regime.offset(task.prompt) if isinstance(regime, BlockCausal) else 0
        return replace(plan, window=LeftToRightBlocks(self.family.usage.window, offset))

    def _length(self, canvas: Canvas) -> Length:
        s = self.family.specials
        if self.request.told is not None or s.fill is None:
            return KeepSize()
        if s.expand is not None:
            most = self.request.max_tokens * self.request.gaps
            spare = most - int((canvas.gap >= 0).sum(-1).max())
            return ExpandDelete(s, max(0, spare), self.family.usage.clear_right)
        length: Length = GrowFull(
            CloseAfterFill(s.fill), _GROW, min(CANVAS, self.request.max_tokens)
        )
        if self.over is not None:
            length = EndsWhen(length, self.over)
        early = self.request.confidence > 0 and self.family.device.type == "cpu"
        early = early and not self.plan.policy.revisits  # those may still think better of a token
        return EndsUnsure(length, self._least) if early else length

    @property
    def _least(self) -> float:
        """The log-probability below which nothing of an answer is wanted any more."""
        return math.log(self.request.confidence) if self.request.confidence else -math.inf

    def _as_far_as_wanted(self, part: _Part) -> _Part:
        """An answer that is less likely than is wanted does not go on."""
        nats = part.filled.nats
        if likely(nats, self._least) == len(nats):
            return part
        return _Part(replace(part.filled, finish=Finish.UNSURE))

    def denoised(self, session: Session, canvas: Canvas, plan: Plan) -> Steps[Finish]:
        """The loop, watched and timed."""
        watch = Stopwatch()
        finish = Finish.DONE
        self.look(self.counts.steps, canvas)
        try:
            for ended in denoise(session, canvas, plan):
                if ended is not Finish.DONE:
                    self.counts.steps += 1
                    self.look(self.counts.steps, canvas)
                finish = ended or finish
                yield
        finally:
            self.counts.denoise_ms += watch.lap()
        return finish

    def _scores(self, session: Session, canvas: Canvas) -> list[float]:
        """Mean log-probability of each row's tokens, and of the first filler of a gap, which says that it
        ends here; by one causal pass where rows compete."""
        counted = (canvas.gap >= 0) & ~canvas.open
        if self.family.specials.fill is not None:
            ends = counted & (canvas.ids == self.family.specials.fill)
            after = torch.zeros_like(ends)
            after[:, 1:] = ends[:, :-1] & (canvas.gap[:, 1:] == canvas.gap[:, :-1])
            counted &= ~(ends & after)
        known = read(session, canvas, counted) if canvas.rows > 1 else None
        nats = canvas.confidence.clamp(min=1e-9).log() if known is None else known.nats
        nats = nats.clamp(min=_LEAST) * counted
        return [float(x) for x in nats.sum(-1) / counted.sum(-1).clamp(min=1)]

    def _order(self, task: Task, canvas: Canvas, scores: list[float]) -> list[int]:
        """Rows, best first. Lengths that a full-attention model tried compete by PILL's measure."""
        worth, regime = scores, self.family.regime
        lengths = len({int(n) for n in (canvas.gap >= 0).sum(-1)}) > 1
        if (
            lengths
            and self.family.specials.endless
            and isinstance(regime, Full)
            and not task.pinned
        ):
            rows = [canvas.filled(row, 0) for row in range(canvas.rows)]
            worth = judge(self.family.net, regime.specials, regime.shift, task.prompt, rows)
            self.counts.forwards += 1
        return sorted(range(canvas.rows), key=lambda row: -worth[row])

    def _part(
        self, task: Task, canvas: Canvas, row: int, score: float, finish: Finish, length: Length
    ) -> _Part:
        """The row's tokens; where its last gap is full without an end, they become context."""
        fill = self.family.specials.fill
        count = len(task.pinned) + 1
        nats = self._nats(canvas, row)
        filled = Filled(
            [canvas.filled(row, gap, fill) for gap in range(count)], score, finish, nats
        )
        if finish is not Finish.DONE or self.request.length != "auto" or fill is None:
            return _Part(filled)
        if isinstance(length, ExpandDelete):
            spent = length.cut_short(row)
            return _Part(replace(filled, finish=Finish.LENGTH) if spent else filled)
        inner = (canvas.ids[row][canvas.gap[row] == gap] for gap in range(count - 1))
        if any(len(cells) and not bool((cells == fill).any()) for cells in inner):
            filled = replace(filled, finish=Finish.LENGTH)
        if self.over is not None and self.over(filled.gaps[0]):
            return _Part(filled)
        mine = canvas.gap[row] == count - 1
        if bool((canvas.ids[row][mine] == fill).any()):
            return _Part(filled)
        there = (canvas.gap[row] >= 0) | (canvas.gap[row] == PINNED)
        decided = zip(canvas.ids[row][there].tolist(), canvas.gap[row][there].tolist(), strict=True)
        more, gaps = zip(*((t, gap) for t, gap in decided if t != fill), strict=True)
        return _Part(filled, list(more), gaps)

    def _nats(self, canvas: Canvas, row: int) -> tuple[float, ...]:
        """The log-probability of each of the row's tokens, of a single gap."""
        told = (canvas.gap[row] == 0) & ~canvas.open[row]
        told &= canvas.ids[row] != (-1 if (fill := self.family.specials.fill) is None else fill)
        nats = canvas.confidence[row][told].clamp(min=1e-9).log()
        return tuple(nats.tolist()) if canvas.gaps == 1 else ()

    def _continued(self, task: Task, part: _Part) -> Steps[Filled]:
        """The whole answer: as long as the last gap is full and without an end, the next canvas."""
        filled, more, prompt = part.filled, part.more, task.prompt
        ids, gaps = list(more or ()), list(part.gaps)
        while more is not None:
            free = self.request.max_tokens - len(filled.gaps[-1])
            if free <= 0:
                return replace(filled, finish=Finish.LENGTH)
            prompt = Prompt(prompt.prefix + more, prompt.suffix)
            request = replace(
                self.request,
                max_tokens=free,
                samples=1,
                branches=0,
                between=(),
                draft=None,
                confidence=min(1.0, math.exp(self._least - sum(filled.nats))),
            )
            look = partial(self._look_behind, tuple(ids), tuple(gaps))
            rest = Filler(
                self.family, request, self.plan, look, self.counts, self._over_behind(ids)
            )
            [part] = yield from rest._parts(replace(task, prompt=prompt, pinned=()), (ANY,), None)
            filled, more = filled.followed_by(part.filled), part.more
            ids += more or ()
            gaps += [gaps[-1]] * len(more or ())
        return filled

    def _look_behind(
        self, ids: tuple[int, ...], gaps: tuple[int, ...], step: int, canvas: Canvas
    ) -> None:
        """Show the next canvas behind what was decided before it: whoever looks wants the whole answer."""
        self.look(step, canvas.behind(ids, gaps))

    def _over_behind(self, ids: list[int]) -> Over | None:
        over, before = self.over, tuple(ids)
        return None if over is None else lambda tokens: over([*before, *tokens])
