"""Logits to proposals: which token, how probable, and how sure by the policy's own measure."""

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Measure(Enum):
    """What a policy orders cells by; higher is surer."""

    CONFIDENCE = "confidence"  # probability of the proposed token
    MARGIN = "margin"  # best minus second-best probability
    ENTROPY = "entropy"  # minus the entropy, in nats


@dataclass(frozen=True, slots=True)
class Sampler:
    """Temperature 0 takes the most probable token. `generator` belongs to one request."""

    temperature: float = 0.0
    top_p: float = 1.0
    generator: torch.Generator | None = None

    def draw(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Float32 logits [N, V] to (tokens [N], their probabilities [N], all probabilities [N, V])."""
        if self.temperature <= 0:
            p = logits.softmax(-1)
            best, tokens = p.max(-1)
            return tokens, best, p
        p = (logits / self.temperature).softmax(-1)
        if self.top_p < 1:
            p = _nucleus(p, self.top_p)
        tokens = torch.multinomial(p, 1, generator=self.generator)
        return tokens[:, 0], p.gather(1, tokens)[:, 0], p


def surety(p: Tensor, chosen: Tensor, measure: Measure) -> Tensor:
    """The score [N] of each proposal; p [N, V] are all probabilities, chosen [N] the proposals'."""
    if measure is Measure.CONFIDENCE:
        return chosen
    if measure is Measure.MARGIN:
        top = p.topk(2, -1).values
        return top[:, 0] - top[:, 1]
    entropy: Tensor = torch.special.entr(p).sum(-1)
    return entropy.neg()


def _nucleus(p: Tensor, mass: float) -> Tensor:
    """Keep the most probable tokens that together reach `mass` (Holtzman et al., arXiv 1904.09751)."""
    ordered, index = p.sort(-1, descending=True)
    beyond = ordered.cumsum(-1) - ordered >= mass
    beyond[:, 0] = False  # a mass that rounds to nothing still leaves the most probable one
    ordered = ordered.masked_fill(beyond, 0.0)
    kept = torch.zeros_like(p).scatter_(-1, index, ordered)
    return kept / kept.sum(-1, keepdim=True)
