"""One reading of the logits equals the ordinary sampling; the Triton kernel equals its twin."""

import os
import subprocess
import sys

import pytest
import torch

from dcomplete.engine.sampling import Measure, Sampler, surety
from dcomplete.engine.vocabulary import Summary, drawn, kernel_missing, summary, twin
from tests.interpreting import INTERPRETED

KERNEL = """
import torch
from dcomplete.engine.vocabulary import Summary, twin
from dcomplete.engine.vocabulary_kernel import fused
for rows, width, dtype in ((3, 5000, torch.float32), (2, 20000, torch.bfloat16), (1, 17, torch.float32)):
    torch.manual_seed(width)
    logits = (4 * torch.randn(rows, width)).to(dtype)
    logits[:, 3] = float("-inf")
    logits[0, 10:-5] = float("-inf")  # whole chunks of nothing
    found, expected = Summary(*fused(logits)), twin(logits)
    assert torch.equal(found.token, expected.token)
    for name in ("best", "second", "entropy"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), atol=1e-4, rtol=1e-4)
ties = torch.zeros(2, 9000)
assert Summary(*fused(ties)).token.tolist() == [0, 0]
"""


def logits():
    torch.manual_seed(0)
    found = 3 * torch.randn(6, 400)
    found[:, 10:20] = float("-inf")
    found[5, 1:] = float("-inf")
    return found


@pytest.mark.parametrize("measure", Measure)
def test_summary_equals_the_ordinary_sampling(measure):
    tokens, probability, p = Sampler().draw(logits())
    found = summary(logits())
    assert torch.equal(found.token, tokens)
    torch.testing.assert_close(found.best, probability)
    torch.testing.assert_close(found.score(measure), surety(p, probability, measure))


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_drawn_is_the_sampler_with_the_measure(measure, temperature):
    def sampler():
        return Sampler(temperature, generator=torch.Generator().manual_seed(1))

    tokens, probability, p = sampler().draw(logits())
    found = drawn(sampler(), logits(), measure)
    assert torch.equal(found[0], tokens)
    torch.testing.assert_close(found[1], probability)
    torch.testing.assert_close(found[2], surety(p, probability, measure))


def test_bfloat16_logits_are_summed_in_float32():
    narrow = logits().bfloat16()
    found = twin(narrow)
    assert found.best.dtype == torch.float32
    torch.testing.assert_close(found.entropy, twin(narrow.float()).entropy)


@INTERPRETED
def test_kernel_equals_its_twin_in_tritons_interpreter():
    """Runs on a CPU too: what the kernel computes, though not that it compiles."""
    values = {**os.environ, "TRITON_INTERPRET": "1"}
    run = subprocess.run(
        [sys.executable, "-c", KERNEL], env=values, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_kernel_serves_on_the_gpu():
    assert kernel_missing() == ""
    found, expected = summary(logits().cuda()), twin(logits().cuda())
    assert isinstance(found, Summary) and torch.equal(found.token, expected.token)
    torch.testing.assert_close(found.entropy, expected.entropy, atol=1e-4, rtol=1e-4)
