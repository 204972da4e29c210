"""What an answer begins with, where the text before the gap leaves several ways open (`tokens.Seam`)."""

import torch

from dcomplete.engine.constraints import Constraint, FirstOf
from dcomplete.engine.denoise import Plan
from dcomplete.engine.speculation import reads_on
from dcomplete.engine.tokens import Start
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.models.onward import Onward


def beginning(
    starts: tuple[Start, ...],
    session: Session,
    onward: Onward,
    canvas: Canvas,
    plan: Plan,
    drafted: bool = False,
) -> list[Constraint]:
    """Constraints of the first cells of an empty canvas, or of one `drafted`, which is emptied where the
    draft begins otherwise."""
    start = starts[0]
    if len(starts) > 1:
        nats = [_nats(one, session, onward, canvas, plan) for one in starts]
        start = starts[nats.index(max(nats))]
    if drafted and not start.fits(_begun(canvas)):
        canvas.reopen(~canvas.open & (canvas.gap >= 0))
    found: list[Constraint] = [FirstOf([token], at) for at, token in enumerate(start.fixed)]
    return [*found, FirstOf(start.ids, len(found))] if len(start.ids) else found


def _begun(canvas: Canvas) -> list[int]:
    """The decided tokens with which the first row begins."""
    ids, opened = canvas.ids[0].tolist(), canvas.open[0].tolist()
    return ids[: opened.index(True)] if True in opened else ids


@torch.inference_mode()
def _nats(start: Start, session: Session, onward: Onward, canvas: Canvas, plan: Plan) -> float:
    """How likely the weights, read from left to right, find answers that begin so; 0 where they cannot.

    All of them count together: which single token is likeliest says little, because one that is short
    also begins what does not fit.
    """
    fixed = list(start.fixed)
    if reads_on(session, canvas, plan):
        states = onward.states(fixed)
    else:
        mask = session.family.specials.mask
        row = Canvas.from_rows([[*fixed, mask]], [[0] * (len(fixed) + 1)], mask)
        found = session.causal_states(row.to(session.family.device))
        if found is None:
            return 0.0
        states = found[0]
    nats = session.logits(states).float().log_softmax(-1)
    own = sum(float(nats[at, token]) for at, token in enumerate(fixed))
    ids = torch.as_tensor(start.ids, device=nats.device)
    return own + float(nats[len(fixed), ids].logsumexp(0)) if len(ids) else own
