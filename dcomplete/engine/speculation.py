"""`verify` where a pass over a few tokens costs a fraction of one over a canvas: a CPU with 4-bit blocks.

The canvas proposes once, where that is worth a pass over it (`opening.looks`). Then the answer is read
from left to right, a few cells at a time: each pass takes what is decided and not yet read, with a draft
of what follows, and decides cells up to the first that the reading wants otherwise (speculative decoding,
arXiv 2211.17192). The draft is what the canvas proposed, which is still right often enough behind a
correction, or what the text around the gap says after the same three tokens (arXiv 2304.04487). The
answer on a canvas is that of `Verify`, which asks the canvas anew after every correction (engine/LOG.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from dcomplete.engine.denoise import Plan, apply, draw
from dcomplete.engine.sampling import Measure
from dcomplete.engine.step import Move
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.models.onward import Onward
from dcomplete.models.regimes import Prompt

_SAME = 3  # tokens that must be the same for what followed them to be a draft


class Seen:
    """What followed the last three tokens where they stood before: around the gap, in the answer, or in
    what an earlier answer would have gone on with."""

    def __init__(self, prompt: Prompt, draft: Sequence[int] = ()) -> None:
        self._text: list[int] = []
        self._next: dict[tuple[int, ...], int] = {}  # where the text goes on behind three tokens
        for part in (prompt.suffix, [*prompt.prefix[-_SAME:], *draft], prompt.prefix):
            self._text += [-1] * _SAME  # nothing is the same across a border
            self.add(part)

    def add(self, ids: Sequence[int]) -> None:
        """The text goes on so."""
        for token in ids:
            self._next[tuple(self._text[-_SAME:])] = len(self._text)
            self._text.append(token)

    def after(self, most: int) -> list[int]:
        """Up to `most` tokens that may come next; [] where nothing is known."""
        at = self._next.get(tuple(self._text[-_SAME:]))
        return [] if at is None else [t for t in self._text[at : at + most] if t >= 0]


def speculate(
    session: Session,
    canvas: Canvas,
    plan: Plan,
    draft: Sequence[int] = (),
    onward: Onward | None = None,
    proposed: list[int] | None = None,
) -> Iterator[None]:
    """Decide the open cells of a single gap, in place; yields after every pass. A `denoise.Shortcut`.

    `draft` is what an earlier answer would have gone on with, `onward` what was read in this session,
    `proposed` a proposal for the whole gap instead of the canvas's.
    Leaves the canvas to the loop where the policy's answer is not the causal one, where a constraint
    has to be asked cell by cell, or where there are rows or gaps beside each other.
    """
    if not reads_on(session, canvas, plan):
        return
    reader = _Reader(
        session,
        plan,
        onward or Onward(session),
        _proposed(session, canvas, plan) if proposed is None else proposed,
        Seen(session.prompt, draft),
    )
    while bool(canvas.open.any()):
        reader.read_on(canvas)
        yield


def reads_on(session: Session, canvas: Canvas, plan: Plan) -> bool:
    """Whether `speculate` can decide cells from the left, and cheaply."""
    if not session.family.few or not plan.policy.causal or plan.constraint.strict:
        return False  # before anything is looked at: elsewhere that would wait for the device
    if canvas.rows != 1 or canvas.gaps != 1 or not bool((canvas.gap == 0).all()):
        return False
    opened = canvas.open[0]
    return bool((opened.cummax(-1).values == opened).all()) and Onward(session).possible


@torch.inference_mode()
def _proposed(session: Session, canvas: Canvas, plan: Plan) -> list[int]:
    """The canvas's tokens and what it proposes for the open ones, up to the first filler.

    By a canvas that was looked at already, though of another size, if there is one.
    """
    states = session.seen if session.seen is not None else session.states(canvas)
    width = min(canvas.width, states.shape[1])
    cells = torch.zeros(width, dtype=torch.int64), torch.arange(width)
    found = draw(session, canvas, states[cells], cells, plan, Measure.CONFIDENCE)[0][0]
    tokens = torch.where(canvas.open[0], found, canvas.ids[0])[:width].tolist()
    fill = session.family.specials.fill
    return tokens[: tokens.index(fill)] if fill in tokens else tokens


@dataclass(slots=True)
class _Reader:
    session: Session
    plan: Plan
    onward: Onward
    proposed: list[int]
    seen: Seen
    known: int = 0  # decided cells that `seen` has

    @torch.inference_mode()
    def read_on(self, canvas: Canvas) -> None:
        """One pass, and the cells that it decides."""
        first = int(canvas.open[0].int().argmax())
        decided = canvas.ids[0, :first].tolist()
        room = canvas.width - 1 - first
        # The context's last state says the first token for nothing: a draft waits until that is known.
        draft = self._draft(decided, room) if decided else []
        states = self.onward.states([*decided, *draft])
        columns = torch.arange(first, first + len(draft) + 1)
        cells = torch.zeros_like(columns), columns
        tokens, sure, _ = draw(
            self.session, canvas, states[first:], cells, self.plan, Measure.CONFIDENCE
        )
        same = tokens[0, columns[:-1]] == torch.tensor(draft, dtype=torch.int64)
        commit = torch.zeros_like(canvas.open)
        commit[0, first : first + 1 + int(same.int().cumprod(0).sum())] = True
        apply(canvas, Move(commit, tokens, sure), self.plan.constraint)
        self.plan.length.resize(canvas)

    def _draft(self, decided: list[int], room: int) -> list[int]:
        """What may follow `decided`, and is checked by the pass that reads them."""
        self.seen.add(decided[self.known :])
        self.known = len(decided)
        most = min(self.session.family.few - 1, room)
        return self.seen.after(most) or self.proposed[self.known : self.known + most]
