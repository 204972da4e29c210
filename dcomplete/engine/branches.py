"""Other answers beside the first: one token decided otherwise, the rest denoised anew, side by side.

The first answer takes at each place what looks best there, and is often wrong about one token only. A
branch keeps it up to a place where another token is nearly as likely, puts that one there and leaves
the rest to the loop; branches are rows of one canvas and share its passes.

What an answer is worth is how likely it is between both sides, and how likely it makes the text behind
the gap: the second is what the weights look too little at by themselves. It is the noisy channel of
Yee et al. (arXiv 1908.05731), read by the same weights over prefix, answer and suffix in their order.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dcomplete.engine.denoise import Plan, Steps, apply
from dcomplete.engine.fill import Filled, Filler
from dcomplete.engine.lengths import CANVAS
from dcomplete.engine.prompt import Task
from dcomplete.engine.reading import read
from dcomplete.engine.step import Move
from dcomplete.engine.tokens import Ids
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.types import Finish

_MARGIN = 3.0  # nats by which another token may be less likely than the first answer's
_BEHIND = 24  # tokens behind the gap that count
_WEIGHT = 0.4  # of their log-probability beside the answer's own
_SPARE = 8  # cells by which a branch may be longer than the first answer
_LEAST = -20.0  # nats


def branched(
    filler: Filler, task: Task, first: Sequence[int] | Ids, answer: Filled
) -> Steps[list[Filled]]:
    """`answer` and up to `request.branches` others, best first; scores by one causal reading.

    `answer` alone where there are several gaps, where it fills more than a canvas or was cut short,
    where time is up, or where the weights cannot be read from left to right.
    """
    ended = _ended(filler, answer)
    whole = answer.finish is Finish.DONE and not task.pinned and 0 < len(ended) <= CANVAS
    if not whole or filler.plan.late() or filler.family.regime.text(task.prompt) is None:
        return [answer]
    with filler.family.open(task.prompt, filler.request.reuse) as session:
        rows = yield from _branches(filler, session, task, first, ended)
        likely = _nats(session, rows, [len(row) for row in rows])
    filler.counts.add(session)
    yield
    fill = filler.family.specials.fill
    tokens = [[t for t in row if t != fill] for row in rows]
    follows = yield from _following(filler, task, tokens)
    worth = [own + _WEIGHT * after for own, after in zip(likely, follows, strict=True)]
    order = sorted(range(len(rows)), key=lambda row: -worth[row])
    return [Filled([tokens[i]], likely[i] / len(rows[i]), Finish.DONE) for i in order]


def alternatives(
    logs: Tensor, own: Tensor, count: int, margin: float = _MARGIN
) -> list[tuple[int, int]]:
    """The likeliest ways to leave an answer: (place, token), most probable beginning first.

    logs [L, V] are log-probabilities, -inf for what is not allowed; own [L] are the answer's tokens.
    Tokens more than `margin` nats behind the answer's own are left out.
    """
    mine = logs.gather(1, own[:, None])
    before = mine.cumsum(0) - mine
    others = logs.scatter(1, own[:, None], float("-inf"))
    top, ids = others.topk(min(count, logs.shape[1]), -1)
    total = (before + top).masked_fill(top < mine - margin, float("-inf")).flatten()
    best, at = total.topk(min(count, len(total)))
    places = at.div(ids.shape[1], rounding_mode="floor")
    found = zip(places.tolist(), ids.flatten()[at].tolist(), best.isfinite().tolist(), strict=True)
    return [(place, token) for place, token, real in found if real]


def _following(filler: Filler, task: Task, answers: list[list[int]]) -> Steps[list[float]]:
    """How likely each answer makes the text behind the gap, in nats."""
    behind = task.prompt.suffix[:_BEHIND]
    text = filler.family.read(task.prompt, filler.request.reuse) if behind else None
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


def _ended(filler: Filler, answer: Filled) -> list[int]:
    """The answer's tokens, with the filler that ends it where its length was not told."""
    fill = filler.family.specials.fill
    if fill is None or filler.request.told is not None:
        return answer.gaps[0]
    return [*answer.gaps[0], fill]


def _branches(
    filler: Filler, session: Session, task: Task, first: Sequence[int] | Ids, ended: list[int]
) -> Steps[list[list[int]]]:
    """The answer `ended` and what its branches became, each once; those that do not end are left out."""
    whole = _decided(session, [ended])
    plan = filler.planned(first, task, whole)
    cells = torch.zeros(len(ended), dtype=torch.int64), torch.arange(len(ended))
    states = session.causal_states(whole)
    assert states is not None  # what can read a text can read an answer
    allowed = plan.constraint.mask(whole, session.logits(states[0]), *_on(cells, states))
    ways = alternatives(allowed.log_softmax(-1), whole.ids[0], filler.request.branches)
    if not ways:
        return [ended]
    canvas = _started(filler, ended, ways, plan)
    yield from filler.denoised(session, canvas, plan)
    fill = filler.family.specials.fill
    rows = [ended]
    for row in range(canvas.rows):
        tokens = canvas.filled(row, 0, fill)
        closed = len(tokens) < canvas.width
        if ended[-1] == fill and closed:
            rows.append([*tokens, ended[-1]])
        elif ended[-1] != fill and not closed:
            rows.append(tokens)
    return [list(row) for row in dict.fromkeys(map(tuple, rows))]


def _started(filler: Filler, ended: list[int], ways: list[tuple[int, int]], plan: Plan) -> Canvas:
    """A row for each way: the answer up to a place, another token there, masks behind it."""
    told = ended[-1] != filler.family.specials.fill
    most = filler.request.max_tokens + 1  # and the filler that ends it
    width = len(ended) if told else min(len(ended) + _SPARE, max(most, len(ended)))
    mask = filler.family.specials.mask
    ids = [ended[:place] + [mask] * (width - place) for place, _ in ways]
    canvas = Canvas.from_rows(ids, [[0] * width] * len(ids), mask).to(filler.family.device)
    there, tokens = torch.zeros_like(canvas.open), canvas.ids.clone()
    for row, (place, token) in enumerate(ways):
        there[row, place] = True
        tokens[row, place] = token
    apply(canvas, Move(there, tokens, torch.ones_like(canvas.confidence)), plan.constraint)
    plan.length.resize(canvas)
    return canvas


def _decided(session: Session, rows: list[list[int]]) -> Canvas:
    family = session.family
    canvas = Canvas.from_rows(rows, [[0] * len(row) for row in rows], family.specials.mask)
    return canvas.to(family.device)


def _nats(session: Session, rows: list[list[int]], last: list[int]) -> list[float]:
    """The log-probability of the `last` tokens of each row, read from left to right, summed."""
    canvas = _decided(session, rows)
    ends = torch.tensor([[len(row), count] for row, count in zip(rows, last, strict=True)])
    place, ends = torch.arange(canvas.width, device=canvas.ids.device), ends.to(canvas.ids.device)
    known = read(session, canvas, (place < ends[:, :1]) & (place >= ends[:, :1] - ends[:, 1:]))
    assert known is not None  # what can read a text can read an answer
    return known.nats.clamp(min=_LEAST).sum(-1).tolist()


def _on(cells: tuple[Tensor, ...], states: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = cells
    return rows.to(states.device), columns.to(states.device)
