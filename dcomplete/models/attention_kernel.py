# mypy: ignore-errors
"""Attention over a buffer of keys and values of which `length` are in use, in Triton.

A canvas of up to 64 cells against a cached context: few queries, many keys. The query heads that share
a key/value head are laid end to end as the rows of one matrix, as in `attention.products`, and the keys
in use are dealt out to as many programs as fill the card (flash-decoding, Dao et al. 2023); a second
kernel merges what they found. Each program keeps the largest score, the sum and the mix of its keys
(online softmax, Milakov and Gimelshein, arXiv 1805.02867). Lengths are read on the device, so that one
recording serves every context, and keys behind them are not read. Imported only where Triton is.
"""

from functools import lru_cache

import torch
import triton
import triton.language as tl
from torch import Tensor

from dcomplete.models.card import processors
from dcomplete.models.visibility import Visibility

_KEYS = 64  # keys at a time
_MOST_PARTS = 16  # programs that share the keys of one tile
_LOG2_E = 1.4426950408889634


@triton.jit
def _part(
    q, k, v, length, mixed, tops, sums, scale,
    q_row, q_head, q_token, k_row, k_head, k_token, v_row, v_head, v_token,
    GROUPS: tl.constexpr, SHARE: tl.constexpr, TOKENS: tl.constexpr, CAUSAL: tl.constexpr,
    WIDTH: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr,
):  # fmt: skip
    """Program (tile of rows, part of the keys, canvas and key/value head)."""
    tile, part, parts = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    row, group = (tl.program_id(2) // GROUPS).to(tl.int64), tl.program_id(2) % GROUPS
    used = tl.load(length + row)
    lines = tile * ROWS + tl.arange(0, ROWS)
    real = lines < SHARE * TOKENS
    head, token = group * SHARE + lines // TOKENS, lines % TOKENS
    column = tl.arange(0, WIDTH)
    place = head * q_head + token * q_token
    x = tl.load(q + row * q_row + place[:, None] + column[None, :], mask=real[:, None], other=0.0)
    end = tl.zeros((ROWS,), tl.int32) + used
    if CAUSAL:
        end = used - TOKENS + token + 1
    keys = k + row * k_row + group * k_head
    values = v + row * v_row + group * v_head
    top = tl.full((ROWS,), float("-inf"), tl.float32)
    total = tl.zeros((ROWS,), tl.float32)
    mix = tl.zeros((ROWS, WIDTH), tl.float32)
    blocks = tl.cdiv(tl.cdiv(used, KEYS), parts)  # of each part
    first = part * blocks * KEYS
    last = tl.minimum(first + blocks * KEYS, used)
    for begin in range(first, last, KEYS):
        at = begin + tl.arange(0, KEYS)
        known = at < used
        y = tl.load(keys + at[:, None] * k_token + column[None, :], mask=known[:, None], other=0.0)
        score = tl.dot(x, tl.trans(y), input_precision="ieee") * scale
        score = tl.where(at[None, :] < end[:, None], score, float("-inf"))
        higher = tl.maximum(top, tl.max(score, 1))
        safe = tl.where(higher > float("-inf"), higher, 0.0)
        weight = tl.exp2(score - safe[:, None])
        shrink = tl.exp2(top - safe)
        z = tl.load(
            values + at[:, None] * v_token + column[None, :], mask=known[:, None], other=0.0
        )
        total = total * shrink + tl.sum(weight, 1)
        mix = mix * shrink[:, None] + tl.dot(weight.to(z.dtype), z, input_precision="ieee")
        top = higher
    line = (tl.program_id(2) * parts + part) * (SHARE * TOKENS) + lines
    tl.store(mixed + line[:, None].to(tl.int64) * WIDTH + column[None, :], mix, mask=real[:, None])
    tl.store(tops + line, top, mask=real)
    tl.store(sums + line, total, mask=real)


@triton.jit
def _merge(
    mixed, tops, sums, out,
    GROUPS: tl.constexpr, SHARE: tl.constexpr, TOKENS: tl.constexpr, PARTS: tl.constexpr,
    WIDTH: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Program (tile of rows, canvas and key/value head): the parts put together; out [B, T, H, d]."""
    both = tl.program_id(1)
    row, group = both // GROUPS, both % GROUPS
    lines = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    real = lines < SHARE * TOKENS
    column = tl.arange(0, WIDTH)
    top = tl.full((ROWS,), float("-inf"), tl.float32)
    for part in tl.static_range(PARTS):
        line = (both * PARTS + part) * (SHARE * TOKENS) + lines
        top = tl.maximum(top, tl.load(tops + line, mask=real, other=float("-inf")))
    safe = tl.where(top > float("-inf"), top, 0.0)
    total = tl.zeros((ROWS,), tl.float32)
    mix = tl.zeros((ROWS, WIDTH), tl.float32)
    for part in tl.static_range(PARTS):
        line = (both * PARTS + part) * (SHARE * TOKENS) + lines
        weight = tl.exp2(tl.load(tops + line, mask=real, other=float("-inf")) - safe)
        total += weight * tl.load(sums + line, mask=real, other=0.0)
        place = line[:, None].to(tl.int64) * WIDTH + column[None, :]
        mix += weight[:, None] * tl.load(mixed + place, mask=real[:, None], other=0.0)
    mix = mix / tl.where(total > 0.0, total, 1.0)[:, None]
    head, token = group * SHARE + lines // TOKENS, lines % TOKENS
    place = ((row * TOKENS + token) * (GROUPS * SHARE) + head).to(tl.int64) * WIDTH
    tl.store(
        out + place[:, None] + column[None, :], mix.to(out.dtype.element_ty), mask=real[:, None]
    )


def attend(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """See `attention.Backend`; patterns with a `length` only. Two launches, no wait."""
    assert see.length is not None and see.mask is None
    batch, heads, tokens, width = q.shape
    groups = k.shape[1]
    share = heads // groups
    rows = min(64, max(16, triton.next_power_of_2(share * tokens)))
    tiles = triton.cdiv(share * tokens, rows)
    parts = _parts(q.device, tiles * batch * groups, triton.cdiv(k.shape[2], _KEYS))
    q, k, v = (t if t.stride(-1) == 1 else t.contiguous() for t in (q, k, v))
    mixed = torch.empty(
        batch * groups, parts, share * tokens, width, dtype=torch.float32, device=q.device
    )
    tops, sums = mixed.new_empty(2, batch * groups, parts, share * tokens)
    out = torch.empty(batch, tokens, heads, width, dtype=q.dtype, device=q.device)
    strides = [s for t in (q, k, v) for s in t.stride()[:3]]
    _part[(tiles, parts, batch * groups)](
        q, k, v, see.length, mixed, tops, sums, width**-0.5 * _LOG2_E, *strides,
        groups, share, tokens, see.causal, width, rows, _KEYS, num_warps=4, num_stages=2,
    )  # fmt: skip
    _merge[(triton.cdiv(share * tokens, 16), batch * groups)](
        mixed, tops, sums, out, groups, share, tokens, parts, width, 16, num_warps=4
    )
    return out.transpose(1, 2)


@lru_cache(maxsize=64)
def _parts(device: torch.device, programs: int, blocks: int) -> int:
    """Into how many parts the keys are dealt: about one program for each of the card's processors."""
    return max(1, min(processors(device) // programs, _MOST_PARTS, blocks))
