"""What a policy wants to know of a cell's logits, in one reading of them: best token, confidence, entropy.

Softmax, maximum, second-best and entropy one after the other read 64 rows of 150,000 logits six to ten
times: a third of a small network's step on a GPU. The Triton kernel reads them once; each row is cut
into chunks, because 64 rows alone do not fill a card. Its twin in torch is the definition.
"""

import logging
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from dcomplete.engine.sampling import Measure, Sampler, surety

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """Of each row of logits [N, V]: all tensors [N]; probabilities float32, the entropy in nats."""

    token: Tensor  # int64, the first of the most probable
    best: Tensor  # its probability
    second: Tensor  # that of the runner-up
    entropy: Tensor

    def score(self, measure: Measure) -> Tensor:
        """How sure a policy with this measure is of each token; as `sampling.surety`."""
        if measure is Measure.CONFIDENCE:
            return self.best
        return self.best - self.second if measure is Measure.MARGIN else self.entropy.neg()


def twin(logits: Tensor) -> Summary:
    """The definition, in float32; logits [N, V] of any float type, -inf for what is not offered."""
    p = logits.float().softmax(-1)
    top = p.topk(2, -1).values
    return Summary(p.argmax(-1), top[:, 0], top[:, 1], torch.special.entr(p).sum(-1))


def summary(logits: Tensor) -> Summary:
    """`twin`, by the kernel where there is one."""
    if logits.is_cuda and not kernel_missing():
        from dcomplete.engine.vocabulary_kernel import fused

        return Summary(*fused(logits))
    return twin(logits)


def drawn(sampler: Sampler, logits: Tensor, measure: Measure) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, their probabilities and how sure each is, [N] each, from logits [N, V]."""
    if not logits.is_cpu and sampler.temperature <= 0:
        seen = summary(logits)
        return seen.token, seen.best, seen.score(measure)
    tokens, probability, p = sampler.draw(logits.float())
    return tokens, probability, surety(p, probability, measure)


@cache
def kernel_missing() -> str:
    """Why the kernel does not serve on this machine's GPU, or ""; it is tried beside its twin once."""
    try:
        from dcomplete.engine.vocabulary_kernel import fused

        made = torch.Generator().manual_seed(0)
        logits = 4 * torch.randn(3, 5000, generator=made)
        logits[:, 7] = float("-inf")
        logits = logits.to("cuda")
        found, expected = Summary(*fused(logits)), twin(logits)
        torch.testing.assert_close(found.entropy, expected.entropy, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(found.best, expected.best, atol=1e-4, rtol=1e-3)
        reason = "" if torch.equal(found.token, expected.token) else "differs from its twin"
    except ImportError:
        return "Triton is not installed"
    except Exception as error:  # a compiler that is missing or too old fails in ways of its own
        reason = f"failed its trial ({type(error).__name__})"
    if reason:
        _log.warning("the sampling kernel %s; torch's own operations serve", reason)
    return reason
