"""Other answers beside the first: one token decided otherwise, the rest denoised anew.

The first answer takes at each place what looks best there, and is often wrong about one token only. A
branch keeps it up to a place where another token is nearly as likely, puts that one there and leaves
the rest to the loop. Branches are rows of one canvas and share its passes, or, where a pass over a few
tokens is cheap, come one after another with the first answer as their draft.

What an answer is worth is how likely it is between both sides, and how likely it makes the text behind
the gap: the second is what the weights look too little at by themselves. It is the noisy channel of
Yee et al. (arXiv 1908.05731), read by the same weights over prefix, answer and suffix in their order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from dcomplete.engine.denoise import Plan, Steps, apply
from dcomplete.engine.fill import Decided, Filler, Look, unwatched
from dcomplete.engine.filled import Filled
from dcomplete.engine.lengths import CANVAS
from dcomplete.engine.prompt import Task, dropped
from dcomplete.engine.reading import read
from dcomplete.engine.speculation import reads_on, speculate
from dcomplete.engine.step import Move
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.types import Finish, Stopwatch

_MARGIN = 3.0  # nats by which another token may be less likely than the first answer's
_REACH = 2.0  # nats by which an answer may be less likely than another and still be the better one
_BEHIND = 16  # tokens behind the gap that count
_BEFORE, _STRIDE = 256, 128  # tokens before the gap that make them likely or not, at most
_WEIGHT = 0.4  # of their log-probability beside the answer's own
_SPARE = 8  # cells by which a branch may be longer than the first answer
_LEAST = -20.0  # nats


@dataclass(frozen=True, slots=True)
class _Row:
    """An answer with the token that ends it, and its log-probability in nats, from left to right."""

    ids: tuple[int, ...]
    nats: float


def branched(filler: Filler, decided: Decided, answer: Filled) -> Steps[list[Filled]]:
    """`answer` and up to `request.branches` others, best first; scores are those of a causal reading.

    `answer` alone where there are several gaps, where time is up, where nothing else is likely, or
    where the weights cannot be read from left to right. Where one answer is wanted, others are given up
    as soon as they cannot become it.
    """
    task, plan = decided.task, decided.plan
    ended = _ended(filler, answer.gaps[0])
    whole = not task.pinned and 0 < len(ended) <= decided.canvas.width
    if not whole or plan.late() or filler.family.regime.text(task.prompt) is None:
        return [answer]
    if _single(filler, task) and not _rivalled(decided, len(ended)):
        return [answer]
    rows = yield from _branches(filler, decided, ended)
    least = max(row.nats for row in rows) - _REACH
    near = [row for row in rows if row.nats >= least]
    follows = yield from _following(filler, task, [_tokens(filler, row.ids) for row in near])
    worth = {row: row.nats + _WEIGHT * after for row, after in zip(near, follows, strict=True)}
    near.sort(key=worth.__getitem__, reverse=True)
    far = sorted((row for row in rows if row.nats < least), key=lambda row: -row.nats)
    return [
        Filled([_tokens(filler, row.ids)], row.nats / len(row.ids), Finish.DONE)
        for row in near + far
    ]


def alternatives(
    logs: Tensor, own: Tensor, count: int, margin: float = _MARGIN, least: float = -math.inf
) -> list[tuple[int, int]]:
    """The likeliest ways to leave an answer: (place, token), most probable beginning first.

    logs [L, V] are log-probabilities, -inf for what is not allowed; own [L] are the answer's tokens.
    Tokens more than `margin` nats behind the answer's own are left out, and beginnings below `least`.
    """
    mine = logs.gather(1, own[:, None])
    before = mine.cumsum(0) - mine
    others = logs.scatter(1, own[:, None], -math.inf)
    top, ids = others.topk(min(count, logs.shape[1]), -1)
    total = (before + top).masked_fill(top < mine - margin, -math.inf).flatten()
    best, at = total.topk(min(count, len(total)))
    places = at.div(ids.shape[1], rounding_mode="floor")
    real = best.isfinite() & (best >= least)
    found = zip(places.tolist(), ids.flatten()[at].tolist(), real.tolist(), strict=True)
    return [(place, token) for place, token, real in found if real]


def _following(filler: Filler, task: Task, answers: list[list[int]]) -> Steps[list[float]]:
    """How likely each answer makes the text behind the gap, in nats; 0 where there is nothing to tell."""
    asked = len(answers) > 1 and not filler.plan.late()
    behind = task.prompt.suffix[:_BEHIND] if asked else []
    near = replace(task.prompt, prefix=_near(task.prompt.prefix))
    text = filler.family.read(near, filler.request.reuse) if behind else None
    if text is None:
        return [0.0] * len(answers)
    with text:
        for _ in text.warm():
            filler.plan.cancel.check()
            yield
        rows = [[*answer, *behind] for answer in answers]
        nats = _nats(text, rows, [len(behind)] * len(rows))
    filler.counts.add(text)
    return nats


def _near(prefix: list[int]) -> list[int]:
    """Its last tokens."""
    return prefix[dropped(len(prefix), _BEFORE, _STRIDE) :]


def _ended(filler: Filler, tokens: list[int]) -> list[int]:
    """An answer's tokens, with the filler that ends it where its length was not told nor its line over."""
    fill = filler.family.specials.fill
    over = filler.over is not None and filler.over(tokens)
    return tokens if fill is None or over or filler.request.told is not None else [*tokens, fill]


def _tokens(filler: Filler, ended: Sequence[int]) -> list[int]:
    """An answer without the filler that ends it."""
    return [t for t in ended if t != filler.family.specials.fill]


def _single(filler: Filler, task: Task) -> bool:
    """Whether nothing but the best answer counts; where one has to end with a tail it may not do."""
    return filler.request.samples == 1 and not task.seam.tail


def _least(filler: Filler, task: Task, rows: Sequence[_Row]) -> float:
    """The nats below which an answer is none of those that are wanted, now that there are `rows`.

    Within reach of the likeliest any may be the best; of the others the likelier ones come first. An
    answer more than is wanted is kept: two may read alike.
    """
    wanted = filler.request.samples
    enough = wanted if wanted == 1 else wanted + 1
    nats = sorted({row.ids: row.nats for row in rows}.values(), reverse=True)
    if task.seam.tail or len(nats) < enough:
        return -math.inf
    return min(nats[0] - _REACH, nats[enough - 1])


def _rivalled(decided: Decided, length: int) -> bool:
    """Whether another answer may be within reach, for all that is known without another pass."""
    if not decided.plan.policy.causal:
        return True
    sure = decided.canvas.confidence[decided.row, :length]  # behind what is to the left
    nats = sure.log()
    others = nats.cumsum(0) - nats + torch.log1p(-sure)
    return bool(others.max() >= nats.sum() - _REACH)


def _branches(filler: Filler, decided: Decided, ended: list[int]) -> Steps[list[_Row]]:
    """The answer `ended` and what its branches became, each once; those that do not end are left out."""
    session, plan, request = decided.session, decided.plan, filler.request
    whole = _rows(session, [ended])
    short = reads_on(session, whole, plan)  # the decided canvas may have void cells behind its end
    logs = _logs(decided, whole, short)
    first = _Row(tuple(ended), float(_of(logs, ended).clamp(min=_LEAST).sum()))
    reach = _REACH if _single(filler, decided.task) else math.inf
    ways = alternatives(logs, whole.ids[0], request.branches, least=first.nats - reach)
    rows = [first]
    looked_at = filler.look is not unwatched
    watched = replace(filler, look=partial(_beneath, filler.look, whole)) if looked_at else filler
    if short:
        shortcut = partial(speculate, onward=decided.onward, proposed=_tokens(filler, ended))
        plan = replace(plan, shortcut=shortcut)
    patience, begun = request.branch_ms, Stopwatch()
    for some in [[way] for way in ways] if short else [ways]:
        enough = patience is not None and begun.total() >= patience
        if some and not plan.late() and not enough:
            canvas = _started(filler, ended, some, logs, plan)
            least = _least(filler, decided.task, rows) if short else -math.inf
            steps = watched.denoised(session, canvas, plan)
            if (yield from _hopeful(steps, canvas, least)) is Finish.DONE:
                rows += _finished(filler, decided, canvas)
    return list({row.ids: row for row in reversed(rows)}.values())[::-1]


def _hopeful(steps: Steps[Finish], canvas: Canvas, least: float) -> Steps[Finish]:
    """Denoise, until the canvas's only row is less likely than `least`."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if least > -math.inf and float(canvas.confidence.log().sum()) < least:
            steps.close()
            return Finish.STEPS
        yield


@torch.inference_mode()
def _logs(decided: Decided, whole: Canvas, short: bool) -> Tensor:
    """[L, V]: the log-probabilities of what may stand in each cell of an answer behind those before it."""
    session = decided.session
    if short:
        states: Tensor | None = decided.onward.states(whole.ids[0, :-1].tolist())
    else:
        found = session.causal_states(whole)
        states = None if found is None else found[0]
    assert states is not None  # what can read a text can read an answer
    columns = torch.arange(whole.width, device=states.device)
    mask = decided.plan.constraint.mask
    return mask(whole, session.logits(states), torch.zeros_like(columns), columns).log_softmax(-1)


def _of(logs: Tensor, tokens: list[int]) -> Tensor:
    """[L]: the log-probability of each of `tokens` at its place."""
    return logs.gather(1, torch.tensor(tokens, device=logs.device)[:, None])[:, 0]


def _started(
    filler: Filler, ended: list[int], ways: list[tuple[int, int]], logs: Tensor, plan: Plan
) -> Canvas:
    """A row for each way: the answer up to a place, another token there, masks behind it."""
    fill, mask = filler.family.specials.fill, filler.family.specials.mask
    most = min(filler.request.max_tokens, CANVAS) + 1  # and the filler that ends it
    told = filler.request.told is not None or fill is None
    width = len(ended) if told else min(len(ended) + _SPARE, max(most, len(ended)))
    ids = [ended[:place] + [mask] * (width - place) for place, _ in ways]
    canvas = Canvas.from_rows(ids, [[0] * width] * len(ids), mask).to(filler.family.device)
    there, tokens, sure = torch.zeros_like(canvas.open), canvas.ids.clone(), canvas.confidence
    known = _of(logs, ended).exp()
    for row, (place, token) in enumerate(ways):
        sure[row, :place] = known[:place]
        sure[row, place] = logs[place, token].exp()
        there[row, place] = True
        tokens[row, place] = token
    apply(canvas, Move(there, tokens, sure.clone()), plan.constraint)
    plan.length.resize(canvas)
    return canvas


def _finished(filler: Filler, decided: Decided, canvas: Canvas) -> list[_Row]:
    """The rows of a denoised canvas that came to an end."""
    fill, told = filler.family.specials.fill, filler.request.told is not None
    ends, at = [], []
    for row in range(canvas.rows):
        ended = _ended(filler, canvas.filled(row, 0, fill))
        if not told and sum(t != fill for t in ended) > filler.request.max_tokens:
            continue  # a line's last token took the filler's cell
        if len(ended) == canvas.width or (len(ended) < canvas.width and not told):
            ends.append(ended)
            at.append(row)
    if not ends:
        return []
    if not decided.plan.policy.causal:
        likely = _nats(decided.session, ends, [len(row) for row in ends])
    else:  # each token was decided by its probability behind those before it
        place = torch.arange(canvas.width, device=canvas.ids.device)
        length = torch.tensor([len(row) for row in ends], device=place.device)[:, None]
        nats = canvas.confidence[at].log().clamp(min=_LEAST)
        likely = nats.masked_fill(place >= length, 0.0).sum(-1).tolist()
    return [_Row(tuple(row), nats) for row, nats in zip(ends, likely, strict=True)]


def _beneath(look: Look, first: Canvas, step: int, canvas: Canvas) -> None:
    """Who looks at branches sees the answer that they leave above them."""
    look(step, first.above(canvas))


def _rows(session: Session, rows: list[list[int]]) -> Canvas:
    family = session.family
    canvas = Canvas.from_rows(rows, [[0] * len(row) for row in rows], family.specials.mask)
    return canvas.to(family.device)


def _nats(session: Session, rows: list[list[int]], last: list[int]) -> list[float]:
    """The log-probability of the `last` tokens of each row, read from left to right, summed."""
    canvas = _rows(session, rows)
    ends = torch.tensor([[len(row), count] for row, count in zip(rows, last, strict=True)])
    place, ends = torch.arange(canvas.width, device=canvas.ids.device), ends.to(canvas.ids.device)
    known = read(session, canvas, (place < ends[:, :1]) & (place >= ends[:, :1] - ends[:, 1:]))
    assert known is not None  # what can read a text can read an answer
    return known.nats.clamp(min=_LEAST).sum(-1).tolist()
