"""FlashAttention in the shapes of our one attention function: torch's own build, and versions 2, 3 and 4.

Which of them can serve what is in `kernels`; here it is taken for granted. Without a triangle the query
heads that share a key/value head are laid end to end as one longer query: their keys and values are
then read once, and 64 cells fill the kernels' tiles. Called as their sources say (torch 2.13,
flash-attention at 2.8, hopper/ and flash_attn/cute/); none of them has run for this project yet, so
`kernels` tries each beside the twin before it is used.
"""

from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from dcomplete.models.visibility import Visibility

FLASH3 = ("flash_attn_interface", "fa3_fwd_interface")  # built from hopper/; the wheel fa3-fwd


def varlen(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """torch.nn.attention.varlen (2.12 and later): rows laid end to end, `length` of each in use."""
    from torch.nn.attention.varlen import varlen_attn

    folded, keys, values = _heads_last(q, k, v, see)
    (rows, queries), count = folded.shape[:2], keys.shape[1]
    starts_q, starts_k = _starts(rows, queries, q.device), _starts(rows, count, q.device)
    found: Any = varlen_attn(
        folded.flatten(0, 1), keys.flatten(0, 1), values.flatten(0, 1),
        starts_q, starts_k, queries, count,
        window_size=(-1, 0) if see.causal else (-1, -1),
        enable_gqa=folded.shape[2] != keys.shape[2],
        seqused_k=see.length,
    )  # fmt: skip
    return _heads_first(found.unflatten(0, (rows, queries)), q)


def flash2(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """flash-attn 2: the entry point for caches, which splits long contexts over the card by itself."""
    attend = import_module("flash_attn").flash_attn_with_kvcache
    return _cached(attend, q, k, v, see)


def flash3(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """FlashAttention 3 (Hopper), whichever package brings it."""
    return _cached(flash3_module().flash_attn_with_kvcache, q, k, v, see)


def flash4(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """FlashAttention 4 (CuTe DSL): compiled at its first call."""
    attend = import_module("flash_attn.cute").flash_attn_varlen_func
    folded, keys, values = _heads_last(q, k, v, see)
    return _heads_first(
        _first(attend(folded, keys, values, seqused_k=see.length, causal=see.causal)), q
    )


@cache
def flash3_module() -> Any:
    """The package that has FlashAttention 3; raises ImportError where there is none."""
    for name in FLASH3:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ImportError(f"none of {', '.join(FLASH3)} is installed")


def _cached(attend: Any, q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    folded, keys, values = _heads_last(q, k, v, see)
    found = attend(folded, keys, values, cache_seqlens=see.length, causal=see.causal)
    return _heads_first(_first(found), q)


def _first(found: Any) -> Tensor:
    """Some versions also return the softmax's normaliser."""
    out: Tensor = found[0] if isinstance(found, tuple) else found
    return out


def _heads_last(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> tuple[Tensor, Tensor, Tensor]:
    """[B, T, H, d] as these kernels want it, the heads of a group folded where no triangle forbids it."""
    if not see.causal:
        q = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])
    return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)


def _heads_first(found: Tensor, q: Tensor) -> Tensor:
    """Back to the shape of `q`, heads unfolded."""
    return found.transpose(1, 2).reshape(q.shape)


@cache
def _starts(rows: int, each: int, device: torch.device) -> Tensor:
    """Where each row begins when they are laid end to end, int32 [rows + 1].

    Kept for good: recordings read these tensors, and know nothing of Python's references to them.
    """
    return torch.arange(rows + 1, dtype=torch.int32, device=device) * each
