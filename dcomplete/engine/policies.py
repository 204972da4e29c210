"""Which proposals to commit at a step, by name. Each rule has its source; `verify` is in its own file."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from dcomplete.engine.sampling import Measure
from dcomplete.engine.step import Move, Policy, Step, best_per_row
from dcomplete.errors import UserError
from dcomplete.registry import Factory, Registry


@dataclass(frozen=True)
class Threshold(Policy):
    """Every cell at least this probable, at least one (Fast-dLLM, arXiv 2505.22618)."""

    value: float = 0.9

    def decide(self, step: Step) -> Move:
        return Move.of(step, ((step.probability >= self.value) | best_per_row(step)) & step.open)


@dataclass(frozen=True)
class TopK(Policy):
    """The `value` surest cells (LLaDA's low-confidence remasking, arXiv 2502.09992).

    `alg_temp` above 0 draws them instead, by the softmax of their scores at that temperature (Dream,
    generation_utils.py): the Gumbel-max trick without replacement.
    """

    value: int = 1
    alg_temp: float = 0.0

    def decide(self, step: Step) -> Move:
        score = step.score
        if self.alg_temp > 0:
            noise = torch.empty_like(score).exponential_(generator=step.generator).log()
            score = score / self.alg_temp - noise
        return Move.of(step, _surest(score, self.value) & step.open)


@dataclass(frozen=True)
class Margin(TopK):
    """The `value` cells with the largest lead over the second-best token (Dream's topk_margin)."""

    measure = Measure.MARGIN


@dataclass(frozen=True)
class Entropy(TopK):
    """The `value` cells of lowest entropy (Dream's default)."""

    measure = Measure.ENTROPY


@dataclass(frozen=True)
class Origin(TopK):
    """`value` cells at random: what a masked diffusion model is trained on, and Dream's and CoDA's
    configured default ("origin"), which their authors do not use."""

    def decide(self, step: Step) -> Move:
        noise = torch.empty_like(step.score).exponential_(generator=step.generator)
        return Move.of(step, _surest(noise.masked_fill(~step.open, -1.0), self.value) & step.open)


@dataclass(frozen=True)
class EntropyBound(Policy):
    """As many cells, lowest entropy first, as keep (sum - max) of their entropies, in nats, within
    the bound: the joint error of independent choices stays below it (EB-Sampler, arXiv 2505.24857)."""

    value: float = 0.1
    measure = Measure.ENTROPY

    def decide(self, step: Step) -> Move:
        entropy, order = step.score.neg().sort(-1)  # closed cells have +inf and come last
        spare = entropy.cumsum(-1) - entropy  # ascending: the last is the largest so far
        fits = (spare <= self.value) & entropy.isfinite()
        chosen = torch.zeros_like(step.open).scatter_(-1, order, fits)
        return Move.of(step, (chosen | best_per_row(step)) & step.open)


@dataclass(frozen=True)
class Factor(Policy):
    """The largest n for which (n + 1)(1 - the n-th probability) < value (Fast-dLLM)."""

    value: float = 1.0

    def decide(self, step: Step) -> Move:
        p, order = step.score.sort(-1, descending=True)
        n = torch.arange(1, p.shape[-1] + 1, device=p.device)
        fits = ((n + 1) * (1 - p) < self.value) & p.isfinite()
        reach = torch.where(fits, n, 0).max(-1, keepdim=True).values
        chosen = torch.zeros_like(step.open).scatter_(-1, order, n <= reach)
        return Move.of(step, (chosen | best_per_row(step)) & step.open)


@dataclass(frozen=True)
class P2(Policy):
    """Path planning: after step i of `value`, the i/value surest cells stay, decided or proposed;
    the others are masked again (P2, arXiv 2502.03540). As in Open-dLLM's generation_utils.py, how sure
    a decided cell is counts anew at every step, by what would be proposed there now."""

    value: int = 16
    revisits = True

    def decide(self, step: Step) -> Move:
        gap = step.canvas.gap >= 0
        decided = gap & ~step.canvas.open
        score = step.score.masked_fill(~(decided | step.open), float("-inf"))
        share = min(1.0, (step.index + 1) / min(self.value, step.limit))
        keep = (gap.sum(-1, keepdim=True) * share).ceil().clamp(min=1)
        rank = score.argsort(-1, descending=True).argsort(-1)
        stay = rank < keep
        best = replace(step, score=step.score.masked_fill(~step.open, float("-inf")))
        commit = (stay & step.open) | best_per_row(best)
        return Move(commit, step.tokens, step.probability, reopen=decided & ~stay)


def _surest(score: Tensor, count: int) -> Tensor:
    rank = score.argsort(-1, descending=True).argsort(-1)
    return rank < max(1, count)


POLICIES: Registry[Factory[Policy]] = Registry(
    "policy",
    {
        "threshold": Threshold,
        "topk": TopK,
        "margin": Margin,
        "entropy": Entropy,
        "origin": Origin,
        "entropy-bound": EntropyBound,
        "factor": Factor,
        "p2": P2,
        "verify": "dcomplete.engine.verify:Verify",
    },
)


PUBLISHED = "published"  # stands for the whole sampler of the model's authors


def check_policy(spec: str) -> None:
    """Raise UserError for what no request may ask for."""
    if spec not in ("", PUBLISHED):
        policy(spec)


def policy(spec: str) -> Policy:
    """Make a policy from ``NAME``, ``NAME=VALUE`` or ``NAME=VALUE,OPTION=VALUE``.

    Raises UserError for what is unknown.
    """
    name, _, text = spec.partition("=")
    made = POLICIES.get(name)()
    if not text:
        return made
    numbers = {f.name: type(getattr(made, f.name)) for f in fields(made)}  # type: ignore[arg-type]
    if "value" not in numbers:
        raise UserError(f"Policy {name!r} takes no value.")
    for part in ("value=" + text).split(","):
        option, _, number = part.partition("=")
        if option not in numbers:
            raise UserError(
                f"Policy {name!r} has no option {option!r}; it has {', '.join(numbers)}."
            )
        try:
            value = numbers[option](number)
        except ValueError:
            raise UserError(f"Policy {name!r} takes a number, not {number!r}.") from None
        if not 0 < value < float("inf"):
            raise UserError(f"Policy {name!r} takes a number above 0, not {number!r}.")
        made = replace(made, **{option: value})  # type: ignore[type-var]
    return made
