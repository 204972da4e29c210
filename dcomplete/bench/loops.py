"""Ours and the diffusion peers on one network: what fills a canvas of given size in given steps.

Weights are random, so that all do the same number of steps by committing the same share at each.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.policies import TopK
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Family
from dcomplete.models.regimes import Full, Prompt
from dcomplete.models.visibility import Visibility

_ALL = Visibility(None)


@dataclass(frozen=True, slots=True)
class Task:
    """`context` tokens on both sides of a gap of `canvas` tokens, filled in `steps` passes."""

    context: int
    canvas: int
    steps: int

    def prompt(self, vocab: int) -> Prompt:
        """Random ids, a quarter of them after the gap; sentinels bring the total to `context`."""
        made = torch.Generator().manual_seed(self.context)
        ids = torch.randint(0, vocab - 16, (max(2, self.context - 3),), generator=made).tolist()
        before = len(ids) * 3 // 4
        return Prompt(ids[:before], ids[before:])

    @property
    def plan(self) -> Plan:
        """So many cells a step that the last of `steps` is full."""
        return Plan(TopK(-(-self.canvas // self.steps)), steps=self.steps)


def ours(family: Family, task: Task, cold: bool) -> Tensor:
    """The engine's loop with the exact context cache; `cold` computes the context anew."""
    if cold:
        family.pool.clear()
    return _engine(family, task, stale=1)


def dual_cache(family: Family, task: Task) -> Tensor:
    """Fast-dLLM's DualCache (arXiv 2505.22618): one whole pass, then only the gap, context kept stale.

    On the engine's loop and `models.batched`; the gap is one block.
    """
    specials = family.specials
    whole = replace_regime(family, Full(specials, shift=True))
    return _engine(whole, task, stale=task.steps)


def replace_regime(family: Family, regime: Full) -> Family:
    """The same network in another layout, without recorded steps."""
    return replace(family, regime=regime, static=None)


def _engine(family: Family, task: Task, stale: int) -> Tensor:
    canvas = Canvas.build([[task.canvas]], family.specials.mask).to(family.device)
    with family.open(task.prompt(family.net.config.vocab), stale=stale) as session:
        for _ in denoise(session, canvas, task.plan):
            pass
    return canvas.ids


@torch.inference_mode()
def published(family: Family, task: Task) -> Tensor:
    """Dream's own loop, without any cache: the naive twin of its generation_utils.py (`_sample`).

    Every step computes the whole text and logits for all of it; confidence is the entropy, and the
    share of masks decided falls linearly with its timesteps. Written anew after the published code.
    """
    net, mask, device = family.net, family.specials.mask, family.device
    prompt = task.prompt(net.config.vocab)
    text = [*prompt.prefix, *[mask] * task.canvas, *prompt.suffix]
    x = torch.tensor([text], device=device)
    positions = torch.arange(len(text), device=device)[None]
    times = torch.linspace(1, 1e-3, task.steps + 1)
    for i in range(task.steps):
        open_ = x == mask
        logits = net.head(net(x, positions, _ALL))
        logits = torch.cat([logits[:, :1], logits[:, :-1]], 1)[open_]
        logits[:, mask] = float("-inf")
        p = logits.softmax(-1)
        tokens = p.max(-1).indices
        confidence = (p * torch.log(p + 1e-10)).sum(-1)
        waiting = int(open_.sum())
        share = 1 - float(times[i + 1] / times[i]) if i < task.steps - 1 else 1.0
        chosen = confidence.topk(int(waiting * share)).indices
        places = open_[0].nonzero()[:, 0][chosen]
        x[0, places] = tokens[chosen]
    return x[:, len(prompt.prefix) :][:, : task.canvas]
