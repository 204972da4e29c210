"""Attention behind one function with one meaning; every backend equals the naive float32 twin."""

from functools import cache
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from dcomplete.models.visibility import Visibility
from dcomplete.registry import Registry

_SHORT = 100  # query rows of one key/value head


class Backend(Protocol):
    """q [B, H, T, d]; k, v [B, KV, S, d] with KV dividing H; returns [B, H, T, d] in q's dtype."""

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor: ...


def naive(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """The definition, in float32, one matrix at a time: slow, and right by inspection."""
    share = q.shape[1] // k.shape[1]
    k, v = (t.float().repeat_interleave(share, 1) for t in (k, v))
    scores = q.float() @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if see.causal:
        keep = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        scores = scores.masked_fill(~keep, float("-inf"))
    elif see.mask is not None:
        scores = scores.masked_fill(~_per_head(see.mask), float("-inf"))
    mixed: Tensor = scores.softmax(-1) @ v
    return mixed.to(q.dtype)


def auto(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """The fastest that is always there: plain products for a short canvas on a CPU, else `sdpa`.

    Inference only. Measured on two AVX-512 cores over 1,000 cached tokens (engine/LOG.md): up to 32
    cells products take two thirds of the fused kernel's time, at 64 cells nearly twice as long.
    """
    if see.block is not None:
        return flex(q, k, v, see)
    share = q.shape[1] // k.shape[1]
    rows = share * q.shape[2]
    batched = see.mask is not None and see.mask.dim() == 3
    if q.device.type != "cpu" or see.causal or batched or rows > _SHORT or torch.is_grad_enabled():
        return sdpa(q, k, v, see)
    bias = q.new_zeros(())
    if see.mask is not None:
        bias = q.new_zeros(see.mask.shape).masked_fill_(~see.mask, float("-inf")).repeat(share, 1)
    folded = q.reshape(q.shape[0] * k.shape[1], rows, q.shape[3])
    keys, values = k.flatten(0, 1), v.flatten(0, 1)
    scores = torch.baddbmm(bias, folded, keys.transpose(1, 2), alpha=q.shape[-1] ** -0.5)
    return torch.bmm(scores.softmax(-1), values).view(q.shape)


def sdpa(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """torch's own kernels: flash where there is no mask, everywhere available.

    Without a mask, the query heads that share one key/value head are laid end to end as one longer
    query, which spares copying keys and values for each of them.
    """
    share = q.shape[1] // k.shape[1]
    if see.mask is None and not see.causal:
        folded = q.reshape(q.shape[0], k.shape[1], share * q.shape[2], q.shape[3])
        return F.scaled_dot_product_attention(folded, k, v).view(q.shape)
    mask = None if see.mask is None else _per_head(see.mask)
    return F.scaled_dot_product_attention(q, k, v, mask, is_causal=see.causal, enable_gqa=share > 1)


def flex(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """FlexAttention with the block mask of `see`: training on a GPU, where most pairs are invisible."""
    out: Tensor = _flex(q.is_cuda)(
        q, k, v, block_mask=see.block, enable_gqa=q.shape[1] != k.shape[1]
    )
    return out


@cache
def _flex(compiled: bool) -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention) if compiled else flex_attention


def _per_head(mask: Tensor) -> Tensor:
    """[T, S] or [B, T, S] to something that broadcasts over heads."""
    return mask[None, None] if mask.dim() == 2 else mask[:, None]


BACKENDS: Registry[Backend] = Registry(
    "attention backend", {"auto": auto, "sdpa": sdpa, "naive": naive}
)
