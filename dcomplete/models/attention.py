"""Attention behind one function with one meaning; every backend equals the naive float32 twin."""

from functools import cache
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from dcomplete.models.visibility import Visibility
from dcomplete.registry import Registry


class Backend(Protocol):
    """q [B, H, T, d]; k, v [B, KV, S, d] with KV dividing H; returns [B, H, T, d] in q's dtype."""

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor: ...


def naive(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """The definition, in float32, one matrix at a time: slow, and right by inspection."""
    share = q.shape[1] // k.shape[1]
    k, v = (t.float().repeat_interleave(share, 1) for t in (k, v))
    scores = q.float() @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    mask = see.dense(q.shape[2], k.shape[2], q.device)
    if mask is not None:
        scores = scores.masked_fill(~_per_head(mask), float("-inf"))
    mixed: Tensor = scores.softmax(-1) @ v
    return mixed.to(q.dtype)


def auto(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """The fastest here: on a GPU what `kernels` chose, on a CPU torch's fused kernel.

    In training on a CPU products take less than 60 % of its time, because its backward pass is slow
    (train/LOG.md).
    """
    if see.block is not None:
        return flex(q, k, v, see)
    if q.is_cuda:
        from dcomplete.models.kernels import Ask, choose

        return choose(Ask.of(q, see)).run(q, k, v, see)
    triangle = see.causal and see.mask is None
    trained = q.device.type == "cpu" and torch.is_grad_enabled() and not triangle
    return (products if trained else sdpa)(q, k, v, see)


def products(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """Two matrix products and a softmax; the heads that share a key/value head are one longer query."""
    share = q.shape[1] // k.shape[1]
    folded = q.reshape(q.shape[0] * k.shape[1], share * q.shape[2], q.shape[3])
    keys, values = k.flatten(0, 1), v.flatten(0, 1)
    mask = see.dense(q.shape[2], k.shape[2], q.device)
    scale = q.shape[-1] ** -0.5
    if mask is not None and mask.dim() == 3:
        scores = torch.bmm(folded, keys.transpose(1, 2)) * scale
        scores = scores.view(*q.shape[:3], -1).masked_fill(~mask[:, None], float("-inf"))
        scores = scores.view(folded.shape[0], folded.shape[1], -1)
    else:
        bias = q.new_zeros(())
        if mask is not None:
            bias = q.new_zeros(mask.shape).masked_fill_(~mask, float("-inf")).repeat(share, 1)
        scores = torch.baddbmm(bias, folded, keys.transpose(1, 2), alpha=scale)
    return torch.bmm(scores.softmax(-1), values).view(q.shape)


def sdpa(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """torch's own kernels: flash where there is no mask, everywhere available.

    Without a mask, or with one that was `folded`, the query heads that share one key/value head are
    laid end to end as one longer query, which spares copying keys and values for each of them.
    """
    share = q.shape[1] // k.shape[1]
    if see.bias is not None:
        longer = q.reshape(q.shape[0], k.shape[1], share * q.shape[2], q.shape[3])
        return F.scaled_dot_product_attention(longer, k, v, see.bias).reshape(q.shape)
    square = see.causal and see.mask is None and see.length is None and q.shape[2] == k.shape[2]
    pattern = None if square else see.dense(q.shape[2], k.shape[2], q.device)
    if pattern is None and not square:
        folded = q.reshape(q.shape[0], k.shape[1], share * q.shape[2], q.shape[3])
        return F.scaled_dot_product_attention(folded, k, v).reshape(q.shape)
    mask = None if pattern is None else _per_head(pattern)
    return F.scaled_dot_product_attention(q, k, v, mask, is_causal=square, enable_gqa=share > 1)


def flex(q: Tensor, k: Tensor, v: Tensor, see: Visibility) -> Tensor:
    """FlexAttention with the block mask of `see`: training on a GPU, where most pairs are invisible."""
    from torch.nn.attention.flex_attention import flex_attention

    run: Any = flex_attention  # a layer that is being compiled takes the kernel in
    if q.is_cuda and not torch.compiler.is_compiling():
        run = _compiled_flex()
    out: Tensor = run(q, k, v, block_mask=see.block, enable_gqa=q.shape[1] != k.shape[1])
    return out


@cache
def _compiled_flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


def _per_head(mask: Tensor) -> Tensor:
    """[T, S] or [B, T, S] to something that broadcasts over heads."""
    return mask[None, None] if mask.dim() == 2 else mask[:, None]


BACKENDS: Registry[Backend] = Registry(
    "attention backend",
    {
        "auto": auto,
        "sdpa": sdpa,
        "products": products,
        "naive": naive,
        "varlen": "dcomplete.models.flash:varlen",
        "fa2": "dcomplete.models.flash:flash2",
        "fa3": "dcomplete.models.flash:flash3",
        "fa4": "dcomplete.models.flash:flash4",
        "triton": "dcomplete.models.attention_kernel:attend",
    },
)
