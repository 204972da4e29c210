# mypy: ignore-errors
"""Products of a few rows with a weight matrix in Triton, for matrices that no library kernel spreads out.

64 rows times a small network's matrix are some thirty tiles for over a hundred processors. So the depth
is cut into parts as well (split-K, as in Stream-K's introduction, arXiv 2301.03598), whose float32 sums
are added up by the kernel that comes next anyway (`fused_kernel`); and the gated product ends in its
gate, which spares writing and reading both halves. Imported only where Triton is.
"""

from functools import lru_cache

import torch
import triton
import triton.language as tl
from torch import Tensor

from dcomplete.models.card import processors

ROWS = 64  # at most
COLUMNS, DEPTH = 32, 64  # of a tile; sides of a matrix are multiples of them
_MOST_PARTS = 6
_STAGES = 4  # tiles on their way from memory


@triton.jit
def _product(
    x, weight, bias, out, rows, count, depth, share,
    BIAS: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Program (tile of columns, part of the depth): out [parts, rows, count] float32."""
    part = tl.program_id(1)
    line, deep = tl.arange(0, ROWS), tl.arange(0, DEPTH)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    real = line[:, None] < rows
    left = x + line[:, None] * depth + deep[None, :]
    right = weight + column[:, None].to(tl.int64) * depth + deep[None, :]
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    for at in range(part * share, tl.minimum(part * share + share, depth), DEPTH):
        a = tl.load(left + at, mask=real, other=0.0)
        b = tl.load(right + at)
        total = tl.dot(a, tl.trans(b), total, input_precision="ieee")
    if BIAS:
        add = tl.load(bias + column).to(tl.float32)
        total += tl.where(part == 0, add, 0.0)[None, :]
    place = (part * rows + line[:, None]) * count + column[None, :]
    tl.store(out + place, total, mask=real)


@triton.jit
def _gated(
    x, weight, out, rows, width, depth,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Program (tile of columns): silu of one half of the product times the other; out [rows, width]."""
    line, deep = tl.arange(0, ROWS), tl.arange(0, DEPTH)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    real = line[:, None] < rows
    left = x + line[:, None] * depth + deep[None, :]
    right = weight + column[:, None].to(tl.int64) * depth + deep[None, :]
    other = right + width.to(tl.int64) * depth
    gate = tl.zeros((ROWS, COLUMNS), tl.float32)
    up = tl.zeros((ROWS, COLUMNS), tl.float32)
    for at in range(0, depth, DEPTH):
        a = tl.load(left + at, mask=real, other=0.0)
        b = tl.load(right + at)
        c = tl.load(other + at)
        gate = tl.dot(a, tl.trans(b), gate, input_precision="ieee")
        up = tl.dot(a, tl.trans(c), up, input_precision="ieee")
    kind = out.dtype.element_ty
    gate, up = gate.to(kind).to(tl.float32), up.to(kind).to(tl.float32)  # as a product is rounded
    gate = gate / (1.0 + tl.exp(-gate))
    tl.store(out + line[:, None] * width + column[None, :], (gate * up).to(kind), mask=real)


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x [.., K], at most `ROWS` rows, times weight [N, K] transposed: float32 parts [S, .., N]."""
    x = x.contiguous()
    count, depth = weight.shape
    rows, tiles = x.numel() // depth, count // COLUMNS
    share = _share(x.device, tiles, depth)
    parts = triton.cdiv(depth, share)
    out = torch.empty(parts, *x.shape[:-1], count, dtype=torch.float32, device=x.device)
    _product[(tiles, parts)](
        x, weight, weight if bias is None else bias, out, rows, count, depth, share,
        bias is not None, _tile(rows), COLUMNS, DEPTH, num_warps=4, num_stages=_STAGES,
    )  # fmt: skip
    return out


def gated(x: Tensor, weight: Tensor) -> Tensor:
    """x [.., K], at most `ROWS` rows; weight [2 M, K], gates first: silu(gate) * up [.., M]."""
    x = x.contiguous()
    width, depth = weight.shape[0] // 2, weight.shape[1]
    out = torch.empty(*x.shape[:-1], width, dtype=x.dtype, device=x.device)
    rows = x.numel() // depth
    _gated[(width // COLUMNS,)](
        x, weight, out, rows, width, depth, _tile(rows), COLUMNS, DEPTH,
        num_warps=4, num_stages=_STAGES,
    )  # fmt: skip
    return out


def _tile(rows: int) -> int:
    return min(ROWS, max(16, triton.next_power_of_2(rows)))


@lru_cache(maxsize=64)
def _share(device: torch.device, tiles: int, depth: int) -> int:
    """How deep a part is, a multiple of `DEPTH`: about one program for each of the card's processors."""
    parts = max(1, min(triton.cdiv(processors(device), tiles), _MOST_PARTS))
    return triton.cdiv(triton.cdiv(depth, DEPTH), parts) * DEPTH
