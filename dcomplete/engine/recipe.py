"""Which plans make steps that can be recorded: what a step computes, as a value to look recordings up by.

A recorded step is repeated as it is: it must not look at a value on the host, draw random numbers, know
how many steps there were, or change the canvas's size. Everything that is known to keep to that is
listed here; whatever else there is runs launch by launch.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from dcomplete.engine.constraints import Banned, Constraint, Every, Free
from dcomplete.engine.lengths import CloseAfterFill, GrowFull, KeepSize, Length
from dcomplete.engine.policies import Entropy, EntropyBound, Factor, Margin, Threshold, TopK
from dcomplete.engine.step import Policy
from dcomplete.engine.windows import LeftToRightBlocks, whole
from dcomplete.models.canvas import Canvas

if TYPE_CHECKING:
    from dcomplete.engine.denoise import Plan


def recipe(plan: "Plan", canvas: Canvas, last: bool) -> Hashable | None:
    """What a step of `plan` on `canvas` depends on beside the numbers there; None: not to be recorded."""
    if plan.sampler.temperature > 0 or canvas.bans:
        return None
    if plan.window is not whole and not isinstance(plan.window, LeftToRightBlocks):
        return None
    parts = (_policy(plan.policy), _constraint(plan.constraint), _length(plan.length, canvas))
    if any(part is None for part in parts):
        return None
    return (*parts, plan.window, canvas.gaps, canvas.mask, last)


def _policy(policy: Policy) -> Hashable | None:
    known = type(policy) in (Threshold, TopK, Margin, Entropy, EntropyBound, Factor)
    if not known or (isinstance(policy, TopK) and policy.alg_temp > 0):
        return None
    return type(policy), policy


def _constraint(constraint: Constraint) -> Hashable | None:
    if type(constraint) is Free:
        return ()
    if type(constraint) is Banned:
        return constraint.ids
    if type(constraint) is Every:
        parts = tuple(_constraint(part) for part in constraint.parts)
        return None if None in parts else parts
    return None


def _length(length: Length, canvas: Canvas) -> Hashable | None:
    if type(length) is KeepSize:
        return ()
    if type(length) is CloseAfterFill or (type(length) is GrowFull and canvas.gaps <= 1):
        return length  # a single gap is the last one, which is not grown
    return None
