# mypy: ignore-errors
"""The small operations between a layer's matrix products, in Triton: `operations.Plain` in one launch each.

A canvas of 64 cells is too little work for a launch to matter less than what it does. All of them
compute in float32 and round once. Imported only where Triton is.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

_GATES = 1024  # numbers of one program


@triton.jit
def _add_norm(
    x, added, weight, total, normed, eps, width, size, PARTS: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """Program (row): x and the sum of `added`'s parts, rounded, and the root mean square norm of it."""
    row = tl.program_id(0).to(tl.int64) * width
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row + column, mask=inside, other=0.0)
    if PARTS > 0:
        more = tl.zeros((BLOCK,), tl.float32)
        for part in tl.static_range(PARTS):
            place = added + part * size + row + column
            more += tl.load(place, mask=inside, other=0.0).to(tl.float32)
        more = more.to(value.dtype).to(tl.float32)  # rounded as a product is
        value = (value.to(tl.float32) + more).to(value.dtype)
        tl.store(total + row + column, value, mask=inside)
    wide = value.to(tl.float32)
    mean = tl.sum(wide * wide, 0) / width
    scale = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    out = wide * (1.0 / tl.sqrt(mean + eps)) * scale
    tl.store(normed + row + column, out.to(value.dtype), mask=inside)


@triton.jit
def _place(
    heads, cos, sin, q, k, v, length, size, row_size, angle_row, angle_token,
    PARTS: tl.constexpr, TOKENS: tl.constexpr, HEADS: tl.constexpr, GROUPS: tl.constexpr,
    WIDTH: tl.constexpr,
):  # fmt: skip
    """Program (token, head): one head of q, k or v, turned where it is to be, to its place."""
    at, head = tl.program_id(0), tl.program_id(1)
    row, token = at // TOKENS, at % TOKENS
    HALF: tl.constexpr = WIDTH // 2
    column = tl.arange(0, HALF)
    source = heads + (at * (HEADS + 2 * GROUPS) + head) * WIDTH + column
    a, b = tl.zeros((HALF,), tl.float32), tl.zeros((HALF,), tl.float32)
    for part in tl.static_range(PARTS):
        a += tl.load(source + part * size).to(tl.float32)
        b += tl.load(source + part * size + HALF).to(tl.float32)
    a, b = a.to(q.dtype.element_ty), b.to(q.dtype.element_ty)
    slot = row.to(tl.int64) * row_size + (tl.load(length + row) + token) * (GROUPS * WIDTH)
    if head >= HEADS + GROUPS:
        target = v + slot + (head - HEADS - GROUPS) * WIDTH + column
        tl.store(target, a)
        tl.store(target + HALF, b)
    else:
        angle = row * angle_row + token * angle_token + column
        c1, c2 = tl.load(cos + angle).to(tl.float32), tl.load(cos + angle + HALF).to(tl.float32)
        s1, s2 = tl.load(sin + angle).to(tl.float32), tl.load(sin + angle + HALF).to(tl.float32)
        x, y = a.to(tl.float32), b.to(tl.float32)
        left, right = (x * c1 - y * s1).to(a.dtype), (y * c2 + x * s2).to(a.dtype)
        if head >= HEADS:
            target = k + slot + (head - HEADS) * WIDTH + column
            tl.store(target, left)
            tl.store(target + HALF, right)
        else:
            target = q + (at * HEADS + head) * WIDTH + column
            tl.store(target, left)
            tl.store(target + HALF, right)


@triton.jit
def _gate(both, out, width, BLOCK: tl.constexpr):
    """Program (row, block): silu(gate) * up; both [N, 2 * width], out [N, width]."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    gate = tl.load(both + row * 2 * width + column, mask=inside, other=0.0)
    up = tl.load(both + row * 2 * width + width + column, mask=inside, other=0.0).to(tl.float32)
    wide = gate.to(tl.float32)
    silu = wide / (1.0 + tl.exp(-wide))
    tl.store(out + row * width + column, (silu * up).to(gate.dtype), mask=inside)


def add_norm(x: Tensor, added: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x [.., D] and added [.., D], or parts [S, .., D], to their sum and its norm, [.., D] each."""
    x = x.contiguous()
    width = x.shape[-1]
    block = triton.next_power_of_2(width)
    normed = torch.empty_like(x)
    total, more = (x, x) if added is None else (torch.empty_like(x), added.contiguous())
    parts = 0 if added is None else more.numel() // x.numel()
    _add_norm[(x.numel() // width,)](
        x, more, weight, total, normed, eps, width, x.numel(), parts, block,
        num_warps=min(8, max(1, block // 256)),
    )  # fmt: skip
    return total, normed


def place(
    heads: Tensor, turn: tuple[Tensor, Tensor], k: Tensor, v: Tensor, length: Tensor, groups: int
) -> Tensor:
    """Turn q and k and write k and v behind the tokens of a buffer. One launch.

    heads [B, T, H + 2 KV, d], or parts of them [S, ..] that are summed first; k, v [B, capacity, KV, d]
    with `length` int32 [B] tokens in use; cosine and sine [B, 1, T, d]. Returns q [B, H, T, d].
    """
    heads = heads.contiguous()
    batch, tokens, every, width = heads.shape[-4:]
    count = every - 2 * groups
    cos, sin = (t.expand(batch, 1, tokens, width).contiguous() for t in turn)
    q = torch.empty(batch, tokens, count, width, dtype=k.dtype, device=heads.device)
    size = batch * tokens * every * width
    _place[(batch * tokens, every)](
        heads, cos, sin, q, k, v, length, size, k.stride(0), cos.stride(0), cos.stride(2),
        heads.numel() // size, tokens, count, groups, width, num_warps=1,
    )  # fmt: skip
    return q.transpose(1, 2)


def gate(both: Tensor) -> Tensor:
    """[.., 2 M], gates before what they scale, to silu(gate) * up [.., M]. One launch."""
    both = both.contiguous()
    width = both.shape[-1] // 2
    out = torch.empty(*both.shape[:-1], width, dtype=both.dtype, device=both.device)
    rows = out.numel() // width
    _gate[(rows, triton.cdiv(width, _GATES))](both, out, width, _GATES, num_warps=4)
    return out
