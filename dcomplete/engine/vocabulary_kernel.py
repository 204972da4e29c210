# mypy: ignore-errors
"""`vocabulary.twin` in Triton: every logit is read once. Imported only where Triton is.

With m the largest logit so far, s = sum exp(x - m) and t = sum (m - x) exp(x - m), a larger m' turns
them into s e^(m - m') and (t + (m' - m) s) e^(m - m'); the entropy is log s + t / s. Every term of t is
at least 0, so nothing cancels (the form of SGLang's and vLLM's sampling kernels).
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024  # logits at a time
_CHUNK = 8192  # logits of one program: 19 programs a row at 152,000


@triton.jit
def _merge(m, s, t, first, second, at, block_m, block_s, block_t, block_second, block_at):
    """Two parts of a row into one: the running values, then those of what comes behind."""
    top = tl.maximum(m, block_m)
    live = top > float("-inf")
    keep = tl.where(m > float("-inf"), tl.exp(m - top), 0.0)
    grow = tl.where(block_m > float("-inf"), tl.exp(block_m - top), 0.0)
    t = tl.where(m > float("-inf"), (t + (top - m) * s) * keep, 0.0) + tl.where(
        block_m > float("-inf"), (block_t + (top - block_m) * block_s) * grow, 0.0
    )
    s = s * keep + block_s * grow
    wins = block_m > first
    second = tl.where(wins, tl.maximum(first, block_second), tl.maximum(second, block_m))
    at = tl.where(wins, block_at, at)
    return tl.where(live, top, m), s, t, tl.maximum(first, block_m), second, at


@triton.jit
def _part(x, offsets):
    """One block of a row: largest, sums about it, runner-up, where the largest is."""
    m = tl.max(x, 0)
    safe = tl.where(m > float("-inf"), m, 0.0)
    weight = tl.exp(x - safe)
    below = tl.where(x > float("-inf"), safe - x, 0.0)
    at = tl.min(tl.where(x == m, offsets, 2147483647), 0)
    second = tl.max(tl.where(offsets == at, float("-inf"), x), 0)
    return m, tl.sum(weight, 0), tl.sum(below * weight, 0), second, at


@triton.jit
def _chunks(logits, stride, width, out, where, CHUNK: tl.constexpr, BLOCK: tl.constexpr):
    """Program (row, chunk): the five values of one chunk of one row."""
    row, chunk = tl.program_id(0), tl.program_id(1)
    none = tl.full((), float("-inf"), tl.float32)  # typed, as what a loop carries must be
    m, first, second = none, none, none
    s, t = tl.full((), 0.0, tl.float32), tl.full((), 0.0, tl.float32)
    at = tl.full((), 0, tl.int32)
    for begin in range(0, CHUNK, BLOCK):
        offsets = chunk * CHUNK + begin + tl.arange(0, BLOCK)
        address = logits + row.to(tl.int64) * stride + offsets
        x = tl.load(address, mask=offsets < width, other=float("-inf")).to(tl.float32)
        bm, bs, bt, bsecond, bat = _part(x, offsets)
        m, s, t, first, second, at = _merge(m, s, t, first, second, at, bm, bs, bt, bsecond, bat)
    place = row * tl.num_programs(1) + chunk
    tl.store(out + place * 4, m)
    tl.store(out + place * 4 + 1, s)
    tl.store(out + place * 4 + 2, t)
    tl.store(out + place * 4 + 3, second)
    tl.store(where + place, at)


@triton.jit
def _rows(out, where, count, token, best, runner, entropy):
    """Program (row): its chunks, merged in order, turned into probabilities."""
    row = tl.program_id(0)
    none = tl.full((), float("-inf"), tl.float32)  # typed, as what a loop carries must be
    m, first, second = none, none, none
    s, t = tl.full((), 0.0, tl.float32), tl.full((), 0.0, tl.float32)
    at = tl.full((), 0, tl.int32)
    for chunk in range(count):
        place = row * count + chunk
        bm = tl.load(out + place * 4)
        bs = tl.load(out + place * 4 + 1)
        bt = tl.load(out + place * 4 + 2)
        bsecond = tl.load(out + place * 4 + 3)
        bat = tl.load(where + place)
        m, s, t, first, second, at = _merge(m, s, t, first, second, at, bm, bs, bt, bsecond, bat)
    tl.store(token + row, at.to(tl.int64))
    tl.store(best + row, 1.0 / s)
    tl.store(runner + row, tl.exp(second - m) / s)
    tl.store(entropy + row, tl.log(s) + t / s)


def fused(logits: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """See `vocabulary.Summary`; logits [N, V], contiguous along V. Two launches, no wait."""
    rows, width = logits.shape
    count = triton.cdiv(width, _CHUNK)
    out = torch.empty(rows, count, 4, dtype=torch.float32, device=logits.device)
    where = torch.empty(rows, count, dtype=torch.int32, device=logits.device)
    _chunks[(rows, count)](logits, logits.stride(0), width, out, where, _CHUNK, _BLOCK)
    token = torch.empty(rows, dtype=torch.int64, device=logits.device)
    best, runner, entropy = torch.empty(3, rows, dtype=torch.float32, device=logits.device)
    _rows[(rows,)](out, where, count, token, best, runner, entropy)
    return token, best, runner, entropy
