"""A matrix that stays in its 4-bit blocks, for passes of one to four rows on a CPU.

Such a pass waits for memory, and blocks are a quarter of bfloat16. torch's kernel multiplies them as they
are, three times as fast for a row as packed bfloat16 and no faster for a canvas (engine/LOG.md), so a
layer has both. Activations are bfloat16 here, whatever the network computes in.
"""

import logging
import sys
from collections.abc import Mapping

import torch
from torch import Tensor

from dcomplete.errors import first_line
from dcomplete.models.quant import BLOCK, FORMATS, Parts, q4_codes

_log = logging.getLogger(__name__)

ROWS = 4  # that a pass may have to be served faster so
_MIDDLE = 8  # what torch's kernel subtracts from a code
_CLOSE = 0.02  # relative to the result; activations and scales have eight bits
_SIDES = 32  # both sides of a matrix come in multiples of this


class FourBits:
    """codes and blocks of q4_1, see `models.quant`, laid out for `_weight_int4pack_mm_for_cpu`."""

    def __init__(self, parts: Parts) -> None:
        codes, scale = q4_codes(parts["codes"]), parts["scale"].float()
        zero = parts["low"].float().add_(scale, alpha=_MIDDLE)
        ops = torch.ops.aten
        self.weight = ops._convert_weight_to_int4pack_for_cpu(codes.int(), 1)
        pairs = torch.stack([scale, zero], -1).transpose(0, 1)  # [columns / 32, rows, 2]
        self.scales = pairs.contiguous().to(torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        """x [.., K] to [.., N] in x's dtype."""
        rows = x.reshape(-1, x.shape[-1]).bfloat16()
        y: Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(
            rows, self.weight, BLOCK, self.scales
        )
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def fits(parts: Mapping[str, Tensor]) -> bool:
    """Whether the kernel takes a matrix of this size."""
    rows, half = parts["codes"].shape
    return rows % _SIDES == 0 and 2 * half % _SIDES == 0


def works(parts: Parts) -> bool:
    """Whether the kernel gives here what the dense matrix gives: it is tried before it is trusted."""
    dense = FORMATS["q4_1"].dequantize(parts)
    x = torch.linspace(-1.0, 2.0, ROWS * dense.shape[1]).view(ROWS, -1)
    expected = x @ dense.T
    try:
        found = FourBits(parts)(x)
    except RuntimeError as error:
        _log.warning("4-bit blocks are not used: %s", first_line(error))
        return False
    apart = float((found - expected).norm() / expected.norm().clamp(min=1e-9))
    if not apart < _CLOSE:
        _log.warning("4-bit blocks are not used: torch's product is wrong by %.2g here", apart)
    return apart < _CLOSE


def four_bits_possible() -> bool:
    """Whether this torch has the kernel, and it is fast here: it is written for AVX2 and AVX512, and left
    out by Microsoft's compiler (aten/src/ATen/native/cpu/int4mm_kernel.cpp)."""
    vectors = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    fast = vectors and sys.platform != "win32"
    return fast and hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu")
