"""Layers packed for the CPU: what they keep."""

import os
import subprocess
import sys

import pytest
import torch

from dcomplete.errors import UserError
from dcomplete.models.decoder import Decoder, unfilled
from dcomplete.models.packing import pack_for
from dcomplete.models.visibility import Visibility
from tests.conftest import TINY, make_family

CPU = torch.device("cpu")
# Prints by how many MiB a process grew that multiplied matrices of 160 heights, four of them each.
GROWTH = """
import psutil, torch
from dcomplete.models.packing import PackedLinear, bfloat16_packable, bound_kernels
bound_kernels()
torch.set_num_threads(1)
kind = torch.bfloat16 if bfloat16_packable() else torch.float32
layers = [PackedLinear(torch.randn(out, 64, dtype=kind), None) for out in (64, 96, 128, 160)]
process, sizes = psutil.Process(), []
with torch.inference_mode():
    for rows in range(1, 161):
        for layer in layers:
            layer(torch.randn(rows, 64, dtype=kind))
        sizes.append(process.memory_info().rss)
print((sizes[-1] - sizes[40]) // 2**20)
"""


def grown(**environment: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", GROWTH],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout)


@pytest.mark.e2e
def test_kernels_for_ever_new_lengths_are_not_all_kept() -> None:
    everything = grown(ONEDNN_PRIMITIVE_CACHE_CAPACITY="1024", LRU_CACHE_CAPACITY="1024")
    if everything < 50:
        pytest.skip("this processor's kernels are small")
    assert grown() < everything / 3


def laid_out(dtype: str) -> tuple[type, torch.Tensor]:
    """The layers of a tiny network as this processor gets them, and its logits."""
    with unfilled():
        net = Decoder(TINY)
    pack_for(net, make_family().net.state_dict(), CPU, dtype)
    net.eval().requires_grad_(False)
    ids = torch.arange(12)[None]
    hidden = net(ids, ids, Visibility(None, causal=True))
    return type(net.blocks[0].qkv), net.head(hidden).float()


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-3), ("bfloat16", 0.3)])
@torch.inference_mode()
def test_a_torch_without_onednn_computes_the_same(dtype, limit, monkeypatch):
    _, here = laid_out(dtype)
    monkeypatch.setattr("dcomplete.models.packing.onednn_possible", lambda: False)  # as on a Mac
    kind, there = laid_out(dtype)
    assert issubclass(kind, torch.nn.Linear)
    torch.testing.assert_close(there, here, atol=limit, rtol=limit)


def test_int8_is_refused_where_torch_has_no_kernels_for_it(monkeypatch):
    monkeypatch.setattr("dcomplete.models.packing.int8_possible", lambda: False)  # as on ARM
    with pytest.raises(UserError, match="int8 needs"):
        pack_for(make_family().net, {}, CPU, "int8")
