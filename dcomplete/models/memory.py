"""Memory planned before anything is loaded: a card that is too small is told from the shape alone."""

from dataclasses import dataclass

import torch

from dcomplete.models.config import NetConfig

_RESERVE = 0.6e9  # bytes: the CUDA context, kernels, workspaces, what the allocator cannot use
_PREFILL = 2048  # tokens of context that are computed at once on a GPU


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a network wants on its device."""

    weights: int
    contexts: int  # the exact caches of several requests
    steps: int  # the fixed buffers of recorded steps
    scratch: int  # activations and logits of one pass

    @property
    def total(self) -> int:
        return self.weights + self.contexts + self.steps + self.scratch + int(_RESERVE)


def need(
    config: NetConfig,
    weight_bytes: float = 2.0,
    contexts: int = 1,
    tokens: int = 8192,
    rows: int = 1,
    cells: int = 64,
) -> Need:
    """What `config` wants for `contexts` of `tokens` each and canvases of `rows` times `cells`.

    `weight_bytes` per number: 2 for bfloat16, 1 for fp8; keys and values are bfloat16 throughout.
    """
    token = 2 * config.layers * config.kv_heads * config.head_dim * 2
    widest = max(2 * config.mlp, config.qkv_width) + 2 * config.hidden
    logits = rows * cells * config.vocab * (2 + 4)  # as computed, and in float32
    scratch = logits + 2 * max(_PREFILL, rows * cells) * widest
    return Need(
        weights=int(config.parameters * weight_bytes),
        contexts=contexts * tokens * token,
        steps=rows * (tokens + cells) * token,
        scratch=scratch,
    )


def free_bytes(device: torch.device) -> int | None:
    """Memory that a CUDA device has left, what torch keeps unused included; None for other devices."""
    if device.type != "cuda":
        return None
    left, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(left + kept)


def too_small(name: str, wanted: Need, free: int | None) -> str:
    """One sentence on what is missing and what to do, or "" where it fits or nothing is known."""
    if free is None or wanted.total <= free:
        return ""
    return (
        f"{name} needs {wanted.total / 1e9:.1f} GB on the GPU ({wanted.weights / 1e9:.1f} GB of weights, "
        f"{(wanted.contexts + wanted.steps) / 1e9:.1f} GB of cached context) and {free / 1e9:.1f} GB are "
        "free; close other programs that use it, take a smaller model, or use --device cpu."
    )
