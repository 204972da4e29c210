"""The families' own samplers, written down plainly, decide the same cells as our loop with their policy."""

from collections.abc import Callable

import pytest
from torch import Tensor

from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.load import load_engine
from dcomplete.engine.policies import policy
from dcomplete.engine.windows import LeftToRightBlocks
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import BlockCausal, Prompt
from tests.models import reference
from tests.models.checkpoints import CHECKPOINTS
from tests.models.test_published import PREFIX, SUFFIX, TABLE, text_of

GAP = 7  # as text_of builds it


def entropy_order(p: Tensor) -> Tensor:
    """Dream, generation_utils.py, sample_tokens(neg_entropy=True): sum of p log p."""
    return (p * p.clamp(min=1e-10).log()).sum(-1)


def low_confidence(p: Tensor) -> Tensor:
    """LLaDA generate.py, SDAR generate.py, Fast-dLLM v2 and Stable-DiffCoder: the best probability."""
    return p.max(-1).values


Sure = Callable[[Tensor], Tensor]


def by_hand(engine: LocalEngine, name: str, sure: Sure, threshold: float, window: int) -> list[int]:
    """One cell a step, or all above the threshold, inside the first unfinished part of the gap.

    Temperature 0. Parts of `window` cells are counted from the text's beginning, as these models' blocks
    are; special tokens are not proposed (ours).
    """
    checkpoint = CHECKPOINTS[name]
    ids, at, see = text_of(name, engine.tokens.encode)
    mask, banned = TABLE[name][0], engine.family.specials.banned
    tensors = checkpoint.tensors()
    gap = range(at, at + GAP)
    while open_ := [i for i in gap if ids[i] == mask]:
        part = [i for i in open_ if i // window == open_[0] // window] if window else open_
        logits = reference.logits(tensors, checkpoint.names, checkpoint.shape, ids, see)
        logits = reference.shifted(logits) if TABLE[name][1] else logits
        logits[:, banned] = float("-inf")
        logits[:, len(engine.tokens) :] = float("-inf")
        p = logits[part].softmax(-1)
        chance, token = p.max(-1)
        order = sure(p)
        chosen = [n for n in range(len(part)) if chance[n] >= threshold] or [int(order.argmax())]
        for n in chosen:
            ids[part[n]] = int(token[n])
    return [ids[i] for i in gap]


@pytest.mark.parametrize(
    ("name", "sure", "threshold", "window"),
    [
        ("dream", entropy_order, 2.0, 0),
        ("diffucoder", entropy_order, 2.0, 0),
        ("llada", low_confidence, 2.0, 0),
        ("illada", low_confidence, 2.0, 0),
        ("a2d", low_confidence, 2.0, 0),
        ("stable-diffcoder", low_confidence, 2.0, 4),
        ("sdar", low_confidence, 0.85, 4),
        ("fast-dllm", low_confidence, 0.9, 8),
    ],
)
def test_our_loop_decides_as_the_published_sampler(name, sure, threshold, window, published):
    engine = load_engine(str(published(name)), "cpu", "float32")
    usage, regime = engine.family.usage, engine.family.regime
    assert usage.window == window
    prompt = Prompt(engine.tokens.encode(PREFIX), engine.tokens.encode(SUFFIX))
    canvas = Canvas.build([[GAP]], TABLE[name][0])
    plan = Plan(policy(engine.default_policy))
    if isinstance(regime, BlockCausal):
        plan = Plan(plan.policy, window=LeftToRightBlocks(window, regime.offset(prompt)))
    with engine.family.open(prompt) as session:
        list(denoise(session, canvas, plan))
    assert canvas.ids[0].tolist() == by_hand(engine, name, sure, threshold, window)
