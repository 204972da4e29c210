"""The denoise loop: the theory of the engine in one function. Everything else is a value given to it."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from dcomplete.engine.constraints import Constraint, Free
from dcomplete.engine.lengths import KeepSize, Length
from dcomplete.engine.pace import Pace, pace_for
from dcomplete.engine.policies import Threshold
from dcomplete.engine.recipe import recipe
from dcomplete.engine.sampling import Measure, Sampler
from dcomplete.engine.step import Move, Policy, Step
from dcomplete.engine.vocabulary import drawn
from dcomplete.engine.windows import Window, whole
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.types import CancelToken, Finish

SHORT = 2  # passes of a shortcut that are a step: `verify` makes as many, of a canvas
T = TypeVar("T")
Steps = Generator[None, None, T]  # yields where others may have their turn, returns a result


class Shortcut(Protocol):
    """Decides cells of a canvas, in place, without a pass over it; yields after every pass, and is at its
    end where it cannot."""

    def __call__(self, session: Session, canvas: Canvas, plan: "Plan") -> Iterator[None]: ...


def no_shortcut(session: Session, canvas: Canvas, plan: "Plan") -> Iterator[None]:
    """Every step is a pass over the canvas."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Plan:
    """How a canvas is denoised. `deadline` is a `time.monotonic()` moment."""

    policy: Policy = field(default_factory=Threshold)
    sampler: Sampler = field(default_factory=Sampler)
    constraint: Constraint = field(default_factory=Free)
    length: Length = field(default_factory=KeepSize)
    window: Window = whole
    pace: Callable[[torch.device], Pace] = pace_for
    shortcut: Shortcut = no_shortcut
    steps: int = 64
    deadline: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)

    def late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline


def denoise(session: Session, canvas: Canvas, plan: Plan) -> Iterator[Finish | None]:
    """Fill `canvas` in place; yields after every step None, or at the end why it ended.

    Where steps or time run out, the last step commits whatever is proposed: there is always an answer.
    """
    pace = plan.pace(canvas.ids.device)
    shortcut = plan.shortcut(session, canvas, plan)
    for index in range(plan.steps):
        plan.cancel.check()
        window = plan.window(canvas)
        late = plan.late()
        last = late or index == plan.steps - 1
        if not canvas.width or pace.done(window, last):  # all of it may have been deleted
            break
        if not last and list(islice(shortcut, SHORT)):
            yield None
            continue
        then = partial(advance, session, plan, index, last, pace)
        session.advance(canvas, recipe(plan, canvas, last), then)
        if last and index < plan.steps - 1 and bool(canvas.open.any()):
            continue  # a constraint refused or the canvas grew: another round, still in a hurry
        yield (Finish.DEADLINE if late else Finish.STEPS) if last else None
        if last:
            return
    yield Finish.STEPS if bool(canvas.open.any()) else Finish.DONE


def advance(
    session: Session,
    plan: Plan,
    index: int,
    last: bool,
    pace: Pace,
    states: Tensor,
    canvas: Canvas,
) -> None:
    """What follows a forward pass: proposals, of which the policy chooses, are written to the canvas."""
    window = plan.window(canvas)
    cells = canvas.open if last else window
    if plan.policy.revisits:
        cells = cells | ((canvas.gap >= 0) & ~canvas.open)
    step = propose(session, states, canvas, cells, plan, index, pace)
    move = Move.of(step, canvas.open) if last else plan.policy.decide(step)
    if move.reopen is not None:  # a step that came too late to stop leaves the canvas finished
        move = replace(move, reopen=move.reopen & window.any())
    apply(canvas, move, plan.constraint)
    plan.length.resize(canvas)


def propose(
    session: Session,
    states: Tensor,
    canvas: Canvas,
    cells: Tensor,
    plan: Plan,
    index: int,
    pace: Pace,
) -> Step:
    """A proposal for each of `cells` [R, W], from the states [R, W, D]."""

    def drawn_from(states: Tensor, measure: Measure) -> tuple[Tensor, Tensor, Tensor]:
        at = pace.cells(cells)
        found = draw(session, canvas, states[at], at, plan, measure)
        return found[0].masked_fill(~cells, 0), *found[1:]

    tokens, probability, score = drawn_from(states, plan.policy.measure)

    def check(draft: Canvas) -> tuple[Tensor, Tensor] | None:
        states = session.causal_states(draft)
        if states is None:
            return None
        return drawn_from(states, Measure.CONFIDENCE)[:2]

    worth = plan.length.worth(canvas, tokens, cells & canvas.open)
    shown = worth | (cells & ~canvas.open)
    score = score.masked_fill(~shown, float("-inf"))
    probability = probability.masked_fill(~shown, 0.0)
    generator = plan.sampler.generator
    return Step(index, plan.steps, canvas, worth, tokens, probability, score, check, generator)


def draw(
    session: Session,
    canvas: Canvas,
    states: Tensor,
    cells: tuple[Tensor, Tensor],
    plan: Plan,
    measure: Measure,
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, probabilities and scores [R, W] for the `cells` (rows, columns), from their states [N, D]."""
    rows, columns = cells
    read = session.logits if states.is_cpu else session.narrow_logits
    logits = read(states)
    logits = plan.constraint.mask(canvas, logits, rows, columns)
    if canvas.bans:
        for i, cell in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            logits[i, list(canvas.bans.get(cell, ()))] = float("-inf")
    tokens, probability, score = drawn(plan.sampler, logits, measure)
    dense = torch.zeros_like(canvas.ids).index_put((rows, columns), tokens)
    chance = torch.zeros_like(canvas.confidence).index_put((rows, columns), probability)
    sure = torch.full_like(canvas.confidence, float("-inf")).index_put((rows, columns), score)
    return dense, chance, sure


def apply(canvas: Canvas, move: Move, constraint: Constraint) -> None:
    """Write a move to the canvas; what the constraint refuses is banned from its cell instead."""
    commit = move.commit
    if constraint.strict:
        for row, column in commit.nonzero().tolist():
            token = int(move.tokens[row, column])
            if constraint.accepts(canvas, row, column, token):
                one = torch.zeros_like(commit)
                one[row, column] = True
                canvas.commit(one, move.tokens, move.probability)
            else:
                canvas.bans.setdefault((row, column), set()).add(token)
    else:
        canvas.commit(commit, move.tokens, move.probability)
    if move.reopen is not None:
        canvas.reopen(move.reopen)
