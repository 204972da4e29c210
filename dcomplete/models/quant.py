"""Our quantised tensors on disk: 32-element blocks, as llama.cpp's Q4_1 and Q8_0, one tensor per part.

q4_1: codes uint8 [rows, columns / 2] (low nibbles: elements 0 to 15 of a block, high: 16 to 31), scale
and low float16 [rows, columns / 32]; value = code * scale + low.
q8_0: codes int8 [rows, columns], scale float16 [rows, columns / 32]; value = code * scale.
Blocks of a GGUF file are taken over bit by bit, so an import loses nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.errors import ModelError

BLOCK = 32
Parts = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to store a matrix: rows of blocks."""

    quantize: Callable[[Tensor], Parts]
    dequantize: Callable[[Parts], Tensor]  # to float32
    from_gguf: Callable[[Tensor], Parts]  # raw blocks, uint8 [rows, bytes]


def _blocks(x: Tensor) -> Tensor:
    if x.dim() != 2 or x.shape[1] % BLOCK:
        raise ModelError(f"Only matrices with columns in blocks of {BLOCK} can be quantised.")
    return x.float().reshape(x.shape[0], -1, BLOCK)


def _q4_quantize(x: Tensor) -> Parts:
    blocks = _blocks(x)
    low, high = blocks.aminmax(dim=-1)
    scale, low = ((high - low) / 15).half(), low.half()
    step = scale.float().clamp(min=1e-8).unsqueeze(-1)
    codes = ((blocks - low.float().unsqueeze(-1)) / step).round().clamp(0, 15).to(torch.uint8)
    packed = codes[..., :16] | (codes[..., 16:] << 4)
    return {"codes": packed.flatten(1), "scale": scale, "low": low}


def q4_codes(packed: Tensor) -> Tensor:
    """The codes of q4_1, uint8 [rows, columns], from two in a byte."""
    blocks = packed.reshape(packed.shape[0], -1, BLOCK // 2)
    return torch.cat([blocks & 15, blocks >> 4], -1).flatten(1)


def _q4_dequantize(parts: Parts) -> Tensor:
    codes = q4_codes(parts["codes"]).reshape(parts["codes"].shape[0], -1, BLOCK).float()
    scale, low = (parts[n].float().unsqueeze(-1) for n in ("scale", "low"))
    return codes.mul_(scale).add_(low).flatten(1)


def _q4_from_gguf(raw: Tensor) -> Parts:
    blocks = raw.reshape(raw.shape[0], -1, 4 + BLOCK // 2)
    halves = blocks[..., :4].contiguous().view(torch.float16)
    codes = blocks[..., 4:].flatten(1).contiguous()
    return {"codes": codes, "scale": halves[..., 0].clone(), "low": halves[..., 1].clone()}


def _q8_quantize(x: Tensor) -> Parts:
    blocks = _blocks(x)
    scale = (blocks.abs().amax(-1) / 127).half()
    step = scale.float().clamp(min=1e-8).unsqueeze(-1)
    codes = (blocks / step).round().clamp(-127, 127).to(torch.int8)
    return {"codes": codes.flatten(1), "scale": scale}


def _q8_dequantize(parts: Parts) -> Tensor:
    codes = parts["codes"].reshape(parts["codes"].shape[0], -1, BLOCK).float()
    return codes.mul_(parts["scale"].float().unsqueeze(-1)).flatten(1)


def _q8_from_gguf(raw: Tensor) -> Parts:
    blocks = raw.reshape(raw.shape[0], -1, 2 + BLOCK)
    scale = blocks[..., :2].contiguous().view(torch.float16)[..., 0].clone()
    return {"codes": blocks[..., 2:].flatten(1).contiguous().view(torch.int8), "scale": scale}


FORMATS = {
    "q4_1": Format(_q4_quantize, _q4_dequantize, _q4_from_gguf),
    "q8_0": Format(_q8_quantize, _q8_dequantize, _q8_from_gguf),
}


def flatten(name: str, kind: str, parts: Parts) -> dict[str, Tensor]:
    """Parts under the names they have in a file: ``NAME.KIND.PART``."""
    return {f"{name}.{kind}.{part}": tensor for part, tensor in parts.items()}


def gather(stored: dict[str, Tensor]) -> dict[str, tuple[str, Parts]]:
    """File names back to ``{NAME: (KIND, parts)}``; plain tensors have the kind "" and one part ""."""
    found: dict[str, tuple[str, Parts]] = {}
    for key, tensor in stored.items():
        name, kind, part = key, "", ""
        pieces = key.rsplit(".", 2)
        if len(pieces) == 3 and pieces[1] in FORMATS:
            name, kind, part = pieces
        if found.setdefault(name, (kind, {}))[0] != kind:
            raise ModelError(f"Tensor {name!r} is stored in two formats.")
        found[name][1][part] = tensor
    return found


def restore(kind: str, parts: Parts) -> Tensor:
    """Stored parts to a dense tensor; raises ModelError for a missing part."""
    try:
        return parts[""] if not kind else FORMATS[kind].dequantize(parts)
    except KeyError as error:
        raise ModelError(f"A quantised tensor lacks its part {error.args[0]!r}.") from None
