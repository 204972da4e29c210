"""Matrices to 4-bit blocks, the rounding error of each column made good by the columns behind it.

GPTQ (arXiv 2210.17323): what counts is not how far a weight moves but how far the layer's outputs do, for
inputs as they occur. Those inputs' products with each other say by how much a later column must change
to undo what rounding did to an earlier one. The groups are the blocks of `models.quant`.
"""

import torch
from torch import Tensor

from dcomplete.models.quant import BLOCK, Parts, q4_codes

_DAMPING = 0.01  # of the mean of the diagonal: keeps the inverse finite where inputs hardly vary
_SHRINK = (1.0, 0.95, 0.9, 0.85, 0.8)  # of a block's range: a few far weights may be worth clipping
_LEVELS = 15


def compensated(weight: Tensor, products: Tensor, before: Parts | None = None) -> Parts:
    """A matrix [out, in] as q4_1; `products` [in, in] are its inputs' products, summed over tokens.

    `before` are blocks that the matrix was made from, if any: where their scale fits better than a fresh
    one it stays, so what was never changed comes back bit by bit.
    """
    upper = _inverse_factor(products)
    rest = weight.float().clone()
    old = None if before is None else (before["scale"].float(), before["low"].float())
    codes = torch.empty(weight.shape, dtype=torch.uint8)
    grids = []
    for number, start in enumerate(range(0, weight.shape[1], BLOCK)):
        end = start + BLOCK
        square = upper[start:end, start:end]
        given = None if old is None else (old[0][:, number], old[1][:, number])
        scale, low = _grid(rest[:, start:end], square.diagonal(), given)
        codes[:, start:end], errors = _block(rest[:, start:end], square, scale, low)
        rest[:, end:] -= errors @ upper[start:end, end:]
        grids.append((scale, low))
    scales, lows = (torch.stack(part, -1).half() for part in zip(*grids, strict=True))
    return {"codes": _packed(codes), "scale": scales, "low": lows}


def _inverse_factor(products: Tensor) -> Tensor:
    """The upper triangular factor of the inverse of the damped products, float32."""
    damped = products.double().clone()
    mean = float(damped.diagonal().mean()) or 1.0
    damped.diagonal().add_(_DAMPING * mean)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    factor: Tensor = torch.linalg.cholesky(inverse, upper=True)
    return factor.float()


def _grid(
    block: Tensor, pivots: Tensor, given: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """(scale, low) [out] with the least error of plain rounding, columns weighed as GPTQ does."""
    low, high = block.aminmax(dim=-1)
    tried = [(high - low) * share / _LEVELS for share in _SHRINK]
    middle = (high + low) / 2
    pairs = [_as_stored(scale, middle - scale * _LEVELS / 2) for scale in tried]
    pairs += [] if given is None else [given]
    errors = []
    for scale, lowest in pairs:
        moved = block - _values(_codes(block, scale, lowest), scale, lowest)
        errors.append((moved / pivots).square().sum(-1))
    best = torch.stack(errors).argmin(0, keepdim=True)
    scale, low = (torch.stack(part).gather(0, best)[0] for part in zip(*pairs, strict=True))
    return scale, low


def _block(block: Tensor, upper: Tensor, scale: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """(codes, errors over their pivots), both [out, BLOCK], of one block's columns in order."""
    block = block.clone()
    codes, errors = torch.empty_like(block, dtype=torch.uint8), torch.empty_like(block)
    for at in range(block.shape[1]):
        column = block[:, at : at + 1]
        code = _codes(column, scale, low)
        error = (column - _values(code, scale, low)) / upper[at, at]
        block[:, at + 1 :] -= error * upper[at, at + 1 :]
        codes[:, at], errors[:, at] = code[:, 0], error[:, 0]
    return codes, errors


def _as_stored(scale: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    return scale.half().float(), low.half().float()


def _codes(values: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    step = scale.clamp(min=1e-8).unsqueeze(-1)
    return ((values - low.unsqueeze(-1)) / step).round().clamp(0, _LEVELS).to(torch.uint8)


def _values(codes: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    return codes.float() * scale.unsqueeze(-1) + low.unsqueeze(-1)


def _packed(codes: Tensor) -> Tensor:
    """Two codes in a byte, as `models.quant.q4_codes` reads them."""
    blocks = codes.reshape(codes.shape[0], -1, BLOCK)
    packed = (blocks[..., : BLOCK // 2] | (blocks[..., BLOCK // 2 :] << 4)).flatten(1)
    assert torch.equal(q4_codes(packed), codes)
    return packed
