"""What the approximate cache of full-attention models costs in accuracy, beside the exact computation."""

from dataclasses import dataclass

import torch

from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.policies import TopK
from dcomplete.engine.selfcheck import PROBES
from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Full, Prompt

_CELLS = 16


@dataclass(frozen=True, slots=True)
class Staleness:
    """Against the exact states of the same canvases: means over all steps and open cells."""

    refresh: int  # steps that the context is kept for
    nats: float  # Kullback-Leibler divergence of the exact from the approximate prediction
    agreement: float  # share of cells whose most probable token is the same
    computed: float  # share of the exact computation's tokens that went through the network


def staleness(engine: LocalEngine, refresh: int) -> Staleness:
    """Denoise the probes' gaps exactly, one cell a step, and look at each step with the stale context.

    Raises UserError for a model that has an exact cache.
    """
    family = engine.family
    if not isinstance(family.regime, Full):
        raise UserError(f"{family.name!r} caches its context exactly; there is nothing to measure.")
    nats, same, cells, exact_tokens, stale_tokens = 0.0, 0, 0, 0, 0
    for prefix, _, suffix in PROBES:
        prompt = Prompt(engine.tokens.encode(prefix), engine.tokens.encode(suffix))
        canvas = Canvas.build([[_CELLS]], family.specials.mask).to(family.device)
        with family.open(prompt) as exact, family.open(prompt, stale=refresh) as stale:
            steps = denoise(exact, canvas, Plan(TopK(1)))
            while bool(canvas.open.any()):
                p = exact.logits(exact.states(canvas)[canvas.open]).log_softmax(-1)
                q = stale.logits(stale.states(canvas)[canvas.open]).log_softmax(-1)
                apart = torch.where(p.isfinite(), p.exp() * (p - q), 0.0).sum(-1)
                nats += float(apart.sum())
                same += int((p.argmax(-1) == q.argmax(-1)).sum())
                cells += len(p)
                next(steps)
            exact_tokens += exact.computed
            stale_tokens += stale.computed
    return Staleness(refresh, nats / cells, same / cells, stale_tokens / exact_tokens)
