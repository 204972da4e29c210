"""Layers packed for the CPU: what they keep."""

import os
import subprocess
import sys

import pytest

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
