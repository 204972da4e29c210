"""What a layer does between its matrix products: plain torch, or one kernel for each on a GPU.

Over a canvas these operations are launches more than work: in pieces they are most of the launches of a
step. `Plain` is the definition, in training and on a CPU; `Fused` equals it up to the last rounding.
"""

import logging
from functools import cache
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcomplete.errors import first_line
from dcomplete.models.static_cache import StaticCache
from dcomplete.registry import Registry

_log = logging.getLogger(__name__)
_WIDEST = 16384  # hidden states whose norm one program computes
_LARGEST = 2**25  # numbers of a matrix; larger ones fill a card without our help


class KeyValues(Protocol):
    """Remembers the keys and values of earlier tokens, layer by layer."""

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add k, v [B, KV, T, d]; return all that is visible, [B, KV, past + T, d]."""
        ...


class NormLike(Protocol):
    """`decoder.Norm`."""

    weight: torch.nn.Parameter
    eps: float

    def __call__(self, x: Tensor) -> Tensor: ...


class Operations(Protocol):
    """The residual stream is x + added; `added` is None where it is in x already.

    What `product` returns may be float32 parts [S, ..] that are yet to be summed, by `norm` or `place`.
    """

    def product(self, linear: nn.Module, x: Tensor) -> Tensor:
        """[.., K] to [.., N], or parts of it [S, .., N]."""
        ...

    def gated(self, linear: nn.Module, x: Tensor) -> Tensor:
        """[.., K] by a layer that yields gates before what they scale to silu(gate) * up [.., M]."""
        ...

    def join(self, x: Tensor, added: Tensor) -> tuple[Tensor, Tensor | None]:
        """What a layer hands on: the stream, or its two parts for the next `norm` to add."""
        ...

    def norm(self, x: Tensor, added: Tensor | None, norm: NormLike) -> tuple[Tensor, Tensor]:
        """The stream in one piece and its norm, [B, T, D] each."""
        ...

    def place(
        self,
        heads: Tensor,
        groups: int,
        turn: tuple[Tensor, Tensor],
        past: KeyValues | None,
        layer: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Split heads [B, T, H + 2 KV, d], KV being `groups`, turn q and k, remember k and v in `past`.

        Returns q [B, H, T, d] and all that is visible, k and v [B, KV, past + T, d].
        """
        ...


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn x [B, H, T, d] by its position."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Plain:
    """torch's own operations: the twin."""

    def product(self, linear: nn.Module, x: Tensor) -> Tensor:
        y: Tensor = linear(x)
        return y

    def gated(self, linear: nn.Module, x: Tensor) -> Tensor:
        both: Tensor = linear(x)
        gate, up = both.chunk(2, -1)
        return F.silu(gate) * up

    def join(self, x: Tensor, added: Tensor) -> tuple[Tensor, Tensor | None]:
        return x + added, None

    def norm(self, x: Tensor, added: Tensor | None, norm: NormLike) -> tuple[Tensor, Tensor]:
        x = x if added is None else x + added
        return x, norm(x)

    def place(
        self,
        heads: Tensor,
        groups: int,
        turn: tuple[Tensor, Tensor],
        past: KeyValues | None,
        layer: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        heads = heads.transpose(1, 2)
        count = heads.shape[1] - 2 * groups
        turned = rotate(heads[:, : count + groups], *turn)  # q and k in one go
        k, v = turned[:, count:], heads[:, count + groups :]
        if past is not None:
            k, v = past.extend(layer, k, v)
        return turned[:, :count], k, v


class Separate(Plain):
    """One Triton kernel each, products apart; without a static cache `place` is the plain one."""

    def join(self, x: Tensor, added: Tensor) -> tuple[Tensor, Tensor | None]:
        return x, added

    def norm(self, x: Tensor, added: Tensor | None, norm: NormLike) -> tuple[Tensor, Tensor]:
        from dcomplete.models.fused_kernel import add_norm

        if x.shape[-1] > _WIDEST:
            return super().norm(x, added, norm)
        return add_norm(x, added, norm.weight, norm.eps)

    def place(
        self,
        heads: Tensor,
        groups: int,
        turn: tuple[Tensor, Tensor],
        past: KeyValues | None,
        layer: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        width = heads.shape[-1]
        if not isinstance(past, StaticCache) or width & (width - 1):
            return super().place(_summed(heads, turn[0].dtype), groups, turn, past, layer)
        from dcomplete.models.fused_kernel import place

        q = place(heads, turn, past.k[layer], past.v[layer], past.length, groups)
        return q, *past.seen(layer)

    def gated(self, linear: nn.Module, x: Tensor) -> Tensor:
        from dcomplete.models.fused_kernel import gate

        return gate(linear(x))


class Fused(Separate):
    """Products of few rows with small matrices too; library kernels for the others."""

    def product(self, linear: nn.Module, x: Tensor) -> Tensor:
        if not isinstance(linear, nn.Linear) or not _few(linear, x):
            return super().product(linear, x)
        from dcomplete.models.product_kernel import product

        return product(x, linear.weight, linear.bias)

    def gated(self, linear: nn.Module, x: Tensor) -> Tensor:
        if not isinstance(linear, nn.Linear) or not _few(linear, x) or linear.bias is not None:
            return super().gated(linear, x)
        from dcomplete.models.product_kernel import gated

        return gated(x, linear.weight)


def _few(linear: nn.Linear, x: Tensor) -> bool:
    """Whether this product has few rows, a small matrix, and sides of whole tiles."""
    from dcomplete.models.product_kernel import COLUMNS, DEPTH, ROWS

    count, depth = linear.weight.shape
    whole = count % (2 * COLUMNS) == 0 and depth % DEPTH == 0 and linear.weight.is_contiguous()
    return whole and x.numel() <= ROWS * depth and linear.weight.numel() <= _LARGEST


def _summed(parts: Tensor, dtype: torch.dtype) -> Tensor:
    """Heads [B, T, H, d], or parts of them [S, B, T, H, d], to heads."""
    return parts.sum(0).to(dtype) if parts.dim() == 5 else parts


PLAIN, SEPARATE, FUSED = Plain(), Separate(), Fused()
OPERATIONS: Registry[Operations] = Registry(
    "set of operations", {"plain": PLAIN, "separate": SEPARATE, "fused": FUSED}
)


def operations(name: str, x: Tensor) -> Operations:
    """The ones called `name`; "auto" is the fastest for the stream x [B, T, D] as things are."""
    if name != "auto":
        return OPERATIONS.get(name)
    halves = x.dtype in (torch.bfloat16, torch.float16)
    if not x.is_cuda or not halves or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return PLAIN
    return PLAIN if kernels_missing() else FUSED


@cache
def kernels_missing() -> str:
    """Why the kernels do not serve on this machine's GPU, or ""; they are tried beside the twin once."""
    try:
        differ(torch.device("cuda"), torch.bfloat16)
    except ImportError:
        return "Triton is not installed"
    except Exception as error:  # a compiler that is missing or too old fails in ways of its own
        reason = f"failed their trial ({type(error).__name__}: {first_line(error, 120)})"
        _log.warning("the kernels between matrix products %s; torch's own serve", reason)
        return reason
    return ""


@torch.no_grad()
def differ(device: torch.device, dtype: torch.dtype, rows: int = 2, tokens: int = 5) -> None:
    """Run `Fused` beside `Plain` on random numbers; raises AssertionError where they disagree."""
    from dcomplete.models.config import NetConfig
    from dcomplete.models.decoder import Norm, rotary

    config = NetConfig(16, 192, 1, 3, 1, 64, 8, 1e4, 1e-6, True)
    made = torch.Generator().manual_seed(rows + tokens)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=made).to(device, dtype)

    def same(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one.float(), other.float(), atol=3e-2, rtol=2e-2)

    norm = Norm(192, 1e-6).to(device, dtype)
    norm.weight.copy_(1 + draw(192) / 4)
    x, added = draw(rows, tokens, 192), draw(rows, tokens, 192)
    for more in (added, None):
        same(SEPARATE.norm(x, more, norm), PLAIN.norm(x, more, norm))
    with torch.random.fork_rng(devices=[]):  # a trial leaves the program's random numbers alone
        torch.manual_seed(0)
        sides = ((192, 2 * 320, False), (192, 5 * 64, True), (320, 192, False))
        both, heads, down = (nn.Linear(*s).to(device, dtype) for s in sides)
    expected = PLAIN.gated(both, x)
    caches = [StaticCache(config, rows, tokens + 24, dtype, device) for _ in range(3)]
    placed = []
    every: tuple[Plain, ...] = (PLAIN, SEPARATE, FUSED)
    for past, ops in zip(caches, every, strict=True):
        same((ops.gated(both, x),), (expected,))
        same(ops.norm(x, ops.product(down, expected), norm), PLAIN.norm(x, down(expected), norm))
        past.length.copy_(torch.arange(rows, dtype=torch.int32) * 3 + 2)
        cos, sin = (t.to(dtype).unsqueeze(1) for t in rotary(config, past.place(tokens)))
        split = ops.product(heads, x)
        split = split.view(*split.shape[:-1], 5, 64)
        placed.append(ops.place(split, 1, (cos, sin), past, 0))
    same(placed[1], placed[0])
    same(placed[2], placed[0])
