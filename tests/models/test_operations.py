"""What a layer does between its matrix products, and attention over a buffer: kernels equal their twins."""

import os
import subprocess
import sys

import pytest
import torch

from dcomplete.models.decoder import Decoder
from dcomplete.models.operations import PLAIN, differ, kernels_missing, operations
from dcomplete.models.visibility import Visibility
from tests.conftest import TINY
from tests.interpreting import INTERPRETED

OPERATIONS = """
import torch
from dcomplete.models.operations import differ
for dtype in (torch.float32, torch.float16):  # a matrix product of bfloat16 is not interpreted
    for rows, tokens in ((1, 1), (2, 7), (1, 64)):
        differ(torch.device("cpu"), dtype, rows, tokens)
"""
ATTENTION = """
import torch
from dataclasses import replace
from dcomplete.models.attention import naive
from dcomplete.models.attention_kernel import attend
from dcomplete.models.kernels import TOLERANCE, Ask, example
cpu = torch.device("cpu")
for dtype in (torch.float32, torch.float16):  # a matrix product of bfloat16 is not interpreted
    for pattern in ("length", "causal length"):
        for width, heads, groups, tokens, keys in (
            (64, 14, 2, 64, 150), (16, 6, 2, 1, 1), (32, 4, 4, 5, 300), (128, 7, 1, 9, 64),
        ):
            ask = Ask(cpu, dtype, width, pattern)
            q, k, v, see = example(ask, tokens, keys, heads, groups)
            # a buffer with heads inside tokens, as StaticCache has it, and rubbish behind the length
            k, v = (t.transpose(1, 2).contiguous().transpose(1, 2) for t in (k, v))
            for row, used in enumerate(see.length.tolist()):
                k[row, :, used:], v[row, :, used:] = 1e4, float("nan")
            found = attend(q, k, v, see)
            for row, used in enumerate(see.length.tolist()):
                one = replace(see, length=see.length[row : row + 1])
                part = (q[row : row + 1], k[row : row + 1, :, :used], v[row : row + 1, :, :used])
                torch.testing.assert_close(
                    found[row : row + 1], naive(*part, one), atol=TOLERANCE[dtype], rtol=1e-3
                )
"""
NETWORK = """
import torch
from dataclasses import replace
from dcomplete.models.attention_kernel import attend
from dcomplete.models.decoder import Decoder
from dcomplete.models.static_step import StaticStep
from dcomplete.models.static_cache import StaticCache
from tests.conftest import TINY
torch.manual_seed(0)
config = replace(TINY, hidden=64, head_dim=16, mlp=192, qkv_bias=True)
net = Decoder(config).eval().requires_grad_(False)
states = []
for between, backend in (("plain", net.attend), ("separate", attend), ("fused", attend)):
    net.between, net.attend = between, backend
    cache = StaticCache(net.config, 2, 90, torch.float32, torch.device("cpu"))
    made = torch.Generator().manual_seed(1)
    for store in (cache.k, cache.v):
        store[:, :, :70] = torch.randn(store[:, :, :70].shape, generator=made)
    cache.length.copy_(torch.tensor([70, 33]))
    step = StaticStep(net, cache, 8)
    step.ids.copy_(torch.arange(16).view(2, 8) + 20)
    step.used.copy_(torch.tensor([8, 5]))
    with torch.inference_mode():
        step.run()
    states.append(step.states)
for found in states[1:]:
    torch.testing.assert_close(found[0], states[0][0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[1, :6], states[0][1, :6], atol=1e-4, rtol=1e-4)
"""


@INTERPRETED
@pytest.mark.parametrize(
    "code", [OPERATIONS, ATTENTION, NETWORK], ids=["operations", "attention", "network"]
)
def test_kernels_equal_their_twins_in_tritons_interpreter(code):
    """Runs on a CPU too: what the kernels compute, though not that they compile."""
    values = {**os.environ, "TRITON_INTERPRET": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=values, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_cpu_and_training_keep_the_plain_ones():
    assert operations("auto", torch.zeros(1, 1, 8)) is PLAIN
    assert operations("plain", torch.zeros(1, 1, 8)) is PLAIN


def test_what_is_left_to_be_added_is_added():
    """A layer that hands on its stream in two parts is the same layer."""

    class Parted(type(PLAIN)):
        def join(self, x, added):
            return x, added

    net = Decoder(TINY).eval().requires_grad_(False)
    x, turn = torch.randn(1, 5, 32), (torch.ones(1, 1, 5, 8), torch.zeros(1, 1, 5, 8))
    see = Visibility(None)
    found = []
    for ops in (PLAIN, Parted()):
        stream, added = x, None
        for index, layer in enumerate(net.blocks):
            stream, added = layer(stream, added, turn, see, net.attend, None, index, ops)
        found.append(ops.norm(stream, added, net.norm)[1])
    assert torch.equal(*found)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_kernels_serve_on_the_gpu(dtype):
    assert kernels_missing() == ""
    for rows, tokens in ((1, 1), (2, 7), (1, 64)):
        differ(torch.device("cuda"), dtype, rows, tokens)
    assert operations("auto", torch.zeros(1, 1, 8, dtype=dtype, device="cuda")) is PLAIN
    with torch.inference_mode():
        found = operations("auto", torch.zeros(1, 1, 8, dtype=dtype, device="cuda"))
    assert found is not PLAIN
