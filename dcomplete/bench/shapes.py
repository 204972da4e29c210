"""Networks of true shapes with random weights, and what their passes must at least read and compute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from dcomplete.models.config import NetConfig
from dcomplete.models.decoder import Decoder
from dcomplete.models.family import Family
from dcomplete.models.regimes import ContextCanvas
from dcomplete.models.specials import Specials
from dcomplete.registry import Registry

# Shapes from the config.json of Qwen2.5-Coder-0.5B, -1.5B and -7B; "tiny" is for tests.
_QWEN = {"rope_theta": 1e6, "norm_eps": 1e-6, "qkv_bias": True, "max_positions": 32768}
SHAPES: Registry[NetConfig] = Registry(
    "shape",
    {
        "tiny": NetConfig(512, 64, 2, 4, 2, 16, 128, 1e6, 1e-6, True, True),
        "0.5b": NetConfig(151936, 896, 24, 14, 2, 64, 4864, tied=True, **_QWEN),  # type: ignore[arg-type]
        "1.5b": NetConfig(151936, 1536, 28, 12, 2, 128, 8960, tied=True, **_QWEN),  # type: ignore[arg-type]
        "7b": NetConfig(152064, 3584, 28, 28, 4, 128, 18944, tied=False, **_QWEN),  # type: ignore[arg-type]
    },
)


@contextmanager
def made_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Weights made here are at once where and what they shall be: a large network fits one time only."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def random_family(name: str, device: torch.device, dtype: torch.dtype) -> Family:
    """dcomplete's own layout on a network of this shape, its weights random and made on the device."""
    config = SHAPES.get(name)
    with made_on(device, dtype):
        torch.manual_seed(0)
        net = Decoder(config).eval().requires_grad_(False)
    last = config.vocab
    specials = Specials(
        mask=last - 1, suffix=last - 2, prefix=last - 3, middle=last - 4, bos=last - 5
    )
    return Family(f"random {name}", net, ContextCanvas(specials), specials)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a pass must read from memory, in bytes, and compute, in floating-point operations."""

    bytes: float
    flops: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.bytes + other.bytes, self.flops + other.flops)

    def __mul__(self, times: float) -> "Cost":
        return Cost(self.bytes * times, self.flops * times)


def pass_cost(
    config: NetConfig, tokens: int, context: int, size: int, heads: int | None = None
) -> Cost:
    """`tokens` go through the network behind `context` cached ones; `size` bytes a number.

    `heads` of them get logits (all, if None). Every weight is read once, of the token table only what
    the head needs; activations and logits are not counted, so no implementation can be faster.
    """
    with_head = tokens if heads is None else heads
    table = config.vocab * config.hidden
    body = config.parameters - table * (1 if config.tied else 2)
    remembered = 2 * config.layers * config.kv_heads * config.head_dim * (context + tokens)
    attention = 4.0 * tokens * (context + tokens) * config.heads * config.head_dim * config.layers
    read = body + (table if with_head else 0) + remembered
    return Cost(size * float(read), 2.0 * body * tokens + 2.0 * table * with_head + attention)


def prefill_cost(config: NetConfig, context: int, size: int) -> Cost:
    """The context computed causally: half the pairs of a full pass, and no logits."""
    full = pass_cost(config, context, 0, size, heads=0)
    pairs = 2.0 * context * context * config.heads * config.head_dim * config.layers
    return Cost(full.bytes, full.flops - pairs)
