"""The first canvas of a request: as long as the gap is told, guessed, searched or drafted to be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dcomplete.engine.denoise import SHORT, Plan, Steps
from dcomplete.engine.lengths import CANVAS, bucket, candidate_sizes, search_length
from dcomplete.engine.prompt import Task
from dcomplete.engine.reading import read
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Family, Session
from dcomplete.types import InfillRequest

_SURE = 0.5  # how surely the first canvas should hold the whole gap; a full one is continued
_LIKELY = 16  # cells of the canvas that is looked at before the length is known
_PINNED = 16  # cells of a gap that pinned text follows; it grows
_AMPLE = 32  # cells at least where each is decided by a short pass: none of them costs anything by itself
_KEPT = 0.5  # probability with which a token of a draft stays
_AROUND = 2  # candidate lengths on both sides of the most likely one (PILL)


def looks(family: Family, request: InfillRequest) -> bool:
    """Whether short passes have a canvas propose what they check.

    It is worth its pass where products of many rows have units of their own, as numbers of 16 bits tell
    (engine/LOG.md), and where there are not steps enough to decide one token a pass.
    """
    if request.confidence:
        return False
    cells = request.told or min(CANVAS, request.max_tokens)
    return family.label == "bfloat16" or cells > SHORT * (request.steps - 1)


@dataclass(frozen=True, slots=True)
class Opening:
    """Makes the canvas of one task, and computes its context on the way."""

    family: Family
    request: InfillRequest
    plan: Plan

    def canvas(
        self, session: Session, task: Task, rows: int, draft: list[int] | None
    ) -> Steps[Canvas]:
        """`rows` rows for each length that is tried; from `draft` instead where there is one and short
        passes do not ask it. Short passes do without a look at a canvas where it would cost more than it
        saves: where they end as soon as they get unsure, and in float32."""
        for _ in session.warm():
            self.plan.cancel.check()
            yield
        mask = self.family.specials.mask
        short = rows == 1 and self.family.few > 0 and self.plan.policy.causal
        apart = task.pinned or self.family.specials.endless or short
        if draft is not None and not apart:
            return self._drafted(session, draft, rows)
        unseen = short and not looks(self.family, self.request)
        if (
            not task.pinned
            and not unseen
            and self.request.length == "auto"
            and self.family.length_head is not None
        ):
            likely = Canvas.build([[min(_LIKELY, self.request.max_tokens)]] * rows, mask)
            session.states(likely.to(self.family.device))  # with the context, in one pass
        layouts = []
        ample = _AMPLE if short else 0  # what goes on behind its canvas has no branches
        ample = CANVAS if self.request.branches or unseen else ample
        sizes = yield from self._sizes(session, task, ample)
        for size in sizes:
            layout: list[int | list[int]] = [size]
            for pinned in task.pinned:
                layout += [pinned, size]
            layouts += [layout] * rows
        return Canvas.build(layouts, mask).to(self.family.device)

    def _sizes(self, session: Session, task: Task, least: int = 0) -> Steps[list[int]]:
        limit = min(CANVAS, self.request.max_tokens)
        several = self.request.length == "candidates"
        if self.request.told is not None:
            return [self.request.told]
        if task.pinned:
            return [min(_PINNED, limit)]
        if self.family.specials.endless:
            likely = yield from self._searched(session, limit)
            spread = _AROUND if several else 0
            return [n for n in range(likely - spread, likely + spread + 1) if 1 <= n <= limit]
        if several:
            return list(candidate_sizes(limit))
        if self.family.usage.canvas:
            return [min(self.family.usage.canvas, limit)]
        if least >= limit:
            return [limit]
        return [max(bucket(session.length_odds(), _SURE, limit), least)]

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
        """Warm start: the draft's tokens stay where a causal reading finds them likely.

        A policy whose answer is the causal one keeps them up to the first that it would not write.
        """
        limit = min(CANVAS, self.request.max_tokens)
        draft = draft[:limit]
        size = next((b for b in candidate_sizes(limit) if b > len(draft)), limit)
        mask = self.family.specials.mask
        ids = draft + [mask] * (size - len(draft))
        canvas = Canvas.from_rows([ids] * rows, [[0] * size] * rows, mask).to(self.family.device)
        decided = ~canvas.open
        known = read(session, canvas, decided)
        if known is None:
            canvas.reopen(decided)
            return canvas
        sure = known.best | (known.nats > math.log(_KEPT))
        kept = known.best.long().cumprod(-1).bool() if self.plan.policy.causal else sure
        canvas.confidence = torch.where(kept, known.nats.exp(), canvas.confidence)
        canvas.reopen(decided & ~kept)
        return canvas
