"""Weights laid out for fast inference: plain, packed for the CPU's matrix kernels, or int8.

On a CPU the layers are packed by oneDNN once, at load time: the same numbers, up to three times faster
than a plain linear layer for the few rows of a canvas (engine/LOG.md). The number format is `bfloat16`
where the processor multiplies it itself (AMX, AVX512-BF16), else `float32`. `int8` quantises activations
per token and weights per row; the down projection and the head stay in float32, because single channels
of the former's input are thousands of times larger than the others.
"""

import math
import os
import warnings
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcomplete.errors import UserError
from dcomplete.models import fp8
from dcomplete.models.decoder import Decoder
from dcomplete.models.four_bits import ROWS, FourBits, fits, four_bits_possible, works
from dcomplete.models.quant import Parts

DTYPES = ("auto", "float32", "bfloat16", "int8", "fp8")
_MATRICES = ("qkv", "o", "gate_up", "down")
_TYPICAL_ROWS = 16  # the batch that oneDNN packs for; others work too
_KERNELS = 64  # that oneDNN and torch keep; a forward pass needs five, a request some thirty
_KERNEL_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")  # oneDNN's, torch's


class PackedLinear(nn.Module):
    """A linear layer in oneDNN's own layout, float32 or bfloat16, CPU; in 4-bit blocks for few rows."""

    def __init__(self, weight: Tensor, bias: Tensor | None, blocks: FourBits | None = None) -> None:
        super().__init__()
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
        self.weight, self.bias, self.blocks = packed, bias, blocks

    def forward(self, x: Tensor) -> Tensor:
        if self.blocks is not None and x.numel() <= ROWS * x.shape[-1]:
            few = self.blocks(x)
            return few if self.bias is None else few.add_(self.bias)
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return y


class Int8Linear(nn.Module):
    """Weights int8 per output row, activations int8 per token, FBGEMM's kernel."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        scale = (weight.abs().amax(1) / 127).clamp_min(1e-12).double()
        zero = torch.zeros(len(scale), dtype=torch.long)
        with warnings.catch_warnings():  # torch 2.13 announces the end of this type
            warnings.simplefilter("ignore")
            quantized = torch.quantize_per_channel(weight, scale, zero, 0, torch.qint8)
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = "fbgemm"
        try:
            self.packed = torch.ops.quantized.linear_prepack(quantized, None)
        finally:
            torch.backends.quantized.engine = before
        self.bias = bias
        # Without VNNI pairs of products are added in 16 bits: activations have 7 bits then
        self.narrow = not _cpu_has("_is_vnni_supported")

    def forward(self, x: Tensor) -> Tensor:
        size = torch.linalg.vector_norm(x, math.inf, -1, True).clamp_min_(1e-9)
        linear = torch.ops.quantized.linear_dynamic
        y: Tensor = linear(x / size, self.packed, self.narrow).mul_(size)
        return y if self.bias is None else y.add_(self.bias)


class PackedEmbedding(nn.Module):
    """A token table whose use as the head is packed."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight
        self._head = PackedLinear(weight, None)

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)

    def as_head(self, hidden: Tensor) -> Tensor:
        """See `Embedding.as_head`."""
        y: Tensor = self._head(hidden)
        return y


def bound_kernels() -> None:
    """Let no more kernels be kept than a few requests use.

    For every number of rows oneDNN compiles a kernel of its own, and both it and torch keep 1,024 of
    them, 0.6 MB each: a process whose contexts differ in length grows by 700 MB (engine/LOG.md). To be
    called before the first of them is made; what the environment says already stays.
    """
    for name in _KERNEL_CACHES:
        os.environ.setdefault(name, str(_KERNELS))


def pack_for(
    net: Decoder,
    state: Mapping[str, Tensor],
    device: torch.device,
    dtype: str,
    blocks: Mapping[str, Parts] | None = None,
) -> str:
    """Fill an `unfilled` network from `state`, laid out for `device`; returns the format's label.

    `blocks` are the 4-bit blocks of some of these weights, for passes of a few rows on a CPU. Raises
    UserError for a format that is unknown or not possible on this machine.
    """
    if dtype not in DTYPES:
        raise UserError(f"Unknown dtype {dtype!r}; use one of {', '.join(DTYPES)}.")
    chosen = dtype if dtype != "auto" else best_dtype(device)
    if chosen == "int8" and (device.type != "cpu" or not int8_possible()):
        raise UserError("int8 needs a CPU with FBGEMM kernels; use --dtype float32.")
    if chosen == "fp8" and (reason := fp8.why_not(device)):
        raise UserError(f"{reason}; use --dtype bfloat16.")
    number = torch.bfloat16 if chosen in ("bfloat16", "fp8") else torch.float32
    plain = {name: value.to(device, number) for name, value in state.items()}
    net.load_state_dict(plain, assign=True)
    del plain
    if device.type == "cpu":
        bound_kernels()
        int8, blocks = chosen == "int8", blocks or {}
        usable = not int8 and four_bits_possible() and _complete(net, blocks)
        _pack_cpu(net, int8, blocks if usable else {})
    elif chosen == "fp8":
        fp8.replace_layers(net)
    return chosen


def best_dtype(device: torch.device) -> str:
    """What "auto" means: bfloat16 on a GPU and on a CPU that multiplies it, two to seven times as fast."""
    return "float32" if device.type == "cpu" and not bfloat16_kernel() else "bfloat16"


def bfloat16_kernel() -> str:
    """How this CPU multiplies bfloat16 by itself: "AMX", "AVX512-BF16", or "" where it cannot."""
    for name, asks in (
        ("AMX", "_is_amx_tile_supported"),
        ("AVX512-BF16", "_is_avx512_bf16_supported"),
    ):
        if _cpu_has(asks):
            return name
    return ""


def _cpu_has(asks: str) -> bool:
    """A question of torch's about this CPU, which not every torch knows."""
    supported = getattr(torch.cpu, asks, None)
    return supported is not None and bool(supported())


def _complete(net: Decoder, blocks: Mapping[str, Parts]) -> bool:
    """Whether every layer is in blocks that can be used: one that is not would make every pass wait."""
    names = [f"layers.{i}.{name}.weight" for i in range(len(net.blocks)) for name in _MATRICES]
    whole = all(name in blocks and fits(blocks[name]) for name in names)
    return whole and works(blocks[names[0]])


def _pack_cpu(net: Decoder, int8: bool, blocks: Mapping[str, Parts]) -> None:
    """Replace the linear layers; one at a time, so that memory holds no second copy of all."""
    number = net.norm.weight.dtype
    if not onednn_possible() or (number == torch.bfloat16 and not bfloat16_packable()):
        return
    for index, layer in enumerate(net.blocks):
        for name in _MATRICES:
            old = getattr(layer, name)
            weight = old.weight.detach()
            bias = None if old.bias is None else old.bias.detach()
            if int8 and name != "down":
                setattr(layer, name, Int8Linear(weight, bias))
                continue
            parts = blocks.get(f"layers.{index}.{name}.weight")
            few = None if parts is None else FourBits(parts)
            setattr(layer, name, PackedLinear(weight, bias, few))
    if isinstance(net.lm_head, nn.Linear):
        net.lm_head = PackedLinear(net.lm_head.weight.detach(), None)
    else:
        net.embed = PackedEmbedding(net.embed.weight.detach())  # type: ignore[assignment]


def few_rows(net: Decoder) -> int:
    """How many tokens' pass costs a fraction of a canvas's; 0 where there is no such number."""
    layers = (getattr(layer, name, None) for layer in net.blocks for name in _MATRICES)
    return ROWS if all(getattr(layer, "blocks", None) is not None for layer in layers) else 0


def onednn_possible() -> bool:
    """Whether oneDNN's packed layers exist in this torch."""
    ops = torch.ops.mkldnn
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return (
        available and hasattr(ops, "_reorder_linear_weight") and hasattr(ops, "_linear_pointwise")
    )


def bfloat16_packable() -> bool:
    """Whether oneDNN packs bfloat16 on this CPU; AVX2 alone does not do, and torch's own layers serve."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def int8_possible() -> bool:
    """Whether FBGEMM's dynamic int8 layers exist in this torch."""
    return "fbgemm" in torch.backends.quantized.supported_engines and onednn_possible()
