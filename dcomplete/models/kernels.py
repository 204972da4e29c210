"""Which attention kernel serves a pass: a stated order, a reason for every one that does not.

The order is by what is known of the cards (vLLM chooses alike, docs/design/attention_backends.md):
FlashAttention 4 where it can split a long context (Blackwell), 3 on Hopper, then version 2 as torch
has it built in, then its own package, our own Triton kernel for recorded steps, and torch's
`scaled_dot_product_attention`, which is always there. A kernel is used only after it agreed with the
float32 twin on this machine; one that raises or differs is passed over, and `doctor` shows why.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor

from dcomplete.errors import first_line
from dcomplete.models.attention import BACKENDS, Backend, naive
from dcomplete.models.flash import FLASH3
from dcomplete.models.visibility import Visibility

TOLERANCE = {
    torch.float32: 1e-5,
    torch.float16: 5e-3,
    torch.bfloat16: 2e-2,
}  # absolute and relative
_HALVES = (torch.float16, torch.bfloat16)
_log = logging.getLogger(__name__)

Pattern = Literal["all", "causal", "mask", "length", "causal length"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a pass needs of a kernel. `gradients`: whether it will be differentiated."""

    device: torch.device
    dtype: torch.dtype
    head_dim: int
    pattern: Pattern = "all"
    gradients: bool = False

    @staticmethod
    def of(q: Tensor, see: Visibility) -> "Ask":
        """The needs of one call; q [B, H, T, d]."""
        pattern: Pattern = "all" if see.mask is None else "mask"
        if see.causal:
            pattern = "causal" if see.length is None else "causal length"
        elif see.length is not None:
            pattern = "length" if see.mask is None else "mask"
        return Ask(q.device, q.dtype, q.shape[-1], pattern, torch.is_grad_enabled())


@dataclass(frozen=True, slots=True)
class Kernel:
    """A backend by name. `supports` answers "" where it can serve, else the reason why not."""

    name: str
    says: str
    supports: Callable[[Ask], str]

    @property
    def run(self) -> Backend:
        return BACKENDS.get(self.name)


def _flash(ask: Ask, packages: tuple[str, ...], capabilities: tuple[int, ...], dims: int) -> str:
    """What all flash kernels have in common; `capabilities` are the cards' major versions."""
    if packages and not any(_installed(name) for name in packages):
        return f"{' or '.join(packages)} is not installed"
    if ask.device.type != "cuda":
        return "needs a CUDA device"
    if ask.gradients:
        return "is for inference"
    if ask.pattern == "mask":
        return "knows no masks"
    if ask.dtype not in _HALVES:
        return f"knows float16 and bfloat16, not {str(ask.dtype).removeprefix('torch.')}"
    if ask.head_dim > dims or ask.head_dim % 8:
        return (
            f"heads of {ask.head_dim} numbers are not among its own (multiples of 8 up to {dims})"
        )
    major, minor = torch.cuda.get_device_capability(ask.device)
    return "" if major in capabilities else f"is not for cards of capability {major}.{minor}"


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, OSError):  # a parent package is missing or damaged
        return False


def _varlen(ask: Ask) -> str:
    if not _installed("torch.nn.attention.varlen"):
        return "this torch has no varlen_attn"
    import inspect

    from torch.nn.attention.varlen import varlen_attn

    if "seqused_k" not in inspect.signature(varlen_attn).parameters:
        return "this torch's varlen_attn takes no lengths; 2.12 does"
    return _flash(ask, (), (8, 9, 10, 12), 256)


def _fa3(ask: Ask) -> str:
    reason = _flash(ask, FLASH3, (9,), 256)
    narrow = ask.dtype != torch.bfloat16 or ask.head_dim < 64
    return reason or ("the forward-only build knows bfloat16 and heads from 64" if narrow else "")


def _triton(ask: Ask) -> str:
    if reason := _flash(ask, ("triton",), (8, 9, 10, 12), 128):
        return reason
    if not ask.pattern.endswith("length"):
        return "is for keys in a buffer, of which a length is in use"
    fits = ask.head_dim in (16, 32, 64, 128)
    return "" if fits else f"heads of {ask.head_dim} numbers are not among its own (16 to 128)"


KERNELS = (
    Kernel("fa4", "FlashAttention 4", lambda ask: _flash(ask, ("flash_attn.cute",), (10,), 128)),
    Kernel("fa3", "FlashAttention 3", _fa3),
    Kernel("varlen", "torch's varlen_attn", _varlen),
    Kernel("fa2", "FlashAttention 2", lambda ask: _flash(ask, ("flash_attn_2_cuda",), (8, 9), 256)),
    Kernel("triton", "our Triton kernel", _triton),
    Kernel("sdpa", "torch's scaled_dot_product_attention", lambda ask: ""),
)  # the first that serves is taken


@dataclass(frozen=True, slots=True)
class Choice:
    """The kernel taken, and for each one before it in the order why it was not."""

    kernel: Kernel
    passed: tuple[tuple[str, str], ...]

    @property
    def run(self) -> Backend:
        return self.kernel.run

    def __str__(self) -> str:
        said = [self.kernel.says, *(f"{name} {reason}" for name, reason in self.passed)]
        return "; ".join(said)


@lru_cache(maxsize=128)
def choose(ask: Ask, kernels: tuple[Kernel, ...] = KERNELS) -> Choice:
    """The first kernel in the order that can serve `ask` and agrees with the twin in a trial.

    The last of the order is taken without one: somebody must serve.
    """
    passed: list[tuple[str, str]] = []
    for kernel in kernels[:-1]:
        reason = kernel.supports(ask)
        if not reason and (reason := trial(kernel, ask)):
            _log.warning("attention: %s is passed over: it %s", kernel.says, reason)
        if not reason:
            return Choice(kernel, tuple(passed))
        passed.append((kernel.name, reason))
    return Choice(kernels[-1], tuple(passed))


@torch.no_grad()
def trial(kernel: Kernel, ask: Ask, queries: int = 5, keys: int = 300) -> str:
    """Run `kernel` beside the twin once; "" where they agree, else what went wrong."""
    q, k, v, see = example(ask, queries, keys)
    try:
        found = kernel.run(q, k, v, see).float()
        apart = float((found - naive(q, k, v, see).float()).abs().max())
    except Exception as error:  # a broken build fails in ways of its own; another kernel serves
        return f"failed its trial ({type(error).__name__}: {first_line(error, 120)})"
    limit = 2 * TOLERANCE.get(ask.dtype, 0.0)  # random values are of the order of 1
    return "" if apart <= limit else f"differed from the float32 twin by {apart:.2g} in its trial"


def example(
    ask: Ask, queries: int, keys: int, heads: int = 6, groups: int = 2
) -> tuple[Tensor, Tensor, Tensor, Visibility]:
    """Random q [2, heads, queries, d], k and v [2, groups, keys, d] with a pattern as asked for."""
    made = torch.Generator().manual_seed(queries + keys)

    def draw(count: int, length: int) -> Tensor:
        return torch.randn(2, count, length, ask.head_dim, generator=made).to(ask.device, ask.dtype)

    q, k, v = draw(heads, queries), draw(groups, keys), draw(groups, keys)
    see = Visibility(None, causal=ask.pattern.startswith("causal"))
    if ask.pattern == "mask":
        some = torch.rand(2, queries, keys, generator=made).gt(0.4)
        some[..., 0] = True
        see = Visibility(some.to(ask.device))
    elif ask.pattern.endswith("length"):
        used = torch.tensor([keys, max(queries, keys // 2)], dtype=torch.int32)
        see = replace(see, length=used.to(ask.device))
    return q, k, v, see
