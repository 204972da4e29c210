"""The decoder of the Llama, Qwen2 and Qwen3 families, with fused projections.

One body for training and inference: who sees whom comes in as a `Visibility`, remembered keys and
values as a `KeyValues`. Equal to the Hugging Face modelling code on random weights (see the tests).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcomplete.models.attention import BACKENDS, Backend
from dcomplete.models.config import NetConfig
from dcomplete.models.operations import PLAIN, KeyValues, Operations, operations, rotate
from dcomplete.models.visibility import Visibility


def rotary(config: NetConfig, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine [.., T, d] in float32, halves concatenated as in GPT-NeoX."""
    half = torch.arange(0, config.head_dim, 2, device=positions.device, dtype=torch.float32)
    inverse = 1.0 / config.rope_theta ** (half / config.head_dim)
    angle = positions.unsqueeze(-1).float() * inverse
    angle = torch.cat([angle, angle], -1)
    return angle.cos(), angle.sin()


_FILL = ContextVar("fill new weights with random numbers", default=True)


@contextmanager
def unfilled() -> Iterator[None]:
    """Networks made inside have no numbers yet, for a checkpoint to bring: no time, no memory touched.

    (torch's meta device does the same, but its first use imports a second of symbolic mathematics.)
    """
    before = _FILL.set(False)
    try:
        yield
    finally:
        _FILL.reset(before)


class Linear(nn.Linear):
    """A linear layer that heeds `unfilled`."""

    def reset_parameters(self) -> None:
        if _FILL.get():
            super().reset_parameters()


class Norm(nn.Module):
    """Root mean square norm."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != self.weight.dtype:  # training: float32 masters, narrower activations
            return F.rms_norm(x.float(), self.weight.shape, self.weight, self.eps).to(x.dtype)
        if x.device.type != "cpu" or torch.is_grad_enabled():
            return F.rms_norm(x, self.weight.shape, self.weight, self.eps)
        # torch has no fused CPU kernel; its composite takes three times as long as this (LOG.md)
        mean = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        mean = mean.square_().mul_(1 / x.shape[-1]).add_(self.eps).rsqrt_()
        scaled: Tensor = x * mean.to(x.dtype)
        return scaled.mul_(self.weight)


class Embedding(nn.Module):
    """Token vectors, which a tied network also uses as its head."""

    def __init__(self, vocab: int, width: int) -> None:
        super().__init__()
        table = torch.empty(vocab, width)
        self.weight = nn.Parameter(table.normal_(std=0.02) if _FILL.get() else table)

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)

    def as_head(self, hidden: Tensor) -> Tensor:
        """[.., D] to logits [.., vocab]."""
        return F.linear(hidden, self.weight)


class Layer(nn.Module):
    """Attention and gated MLP; q, k, v are one matrix, gate and up another."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        c = self.config = config
        self.attn_norm = Norm(c.hidden, c.norm_eps)
        self.qkv: nn.Module = Linear(c.hidden, c.qkv_width, bias=c.qkv_bias)
        self.q_norm = Norm(c.head_dim, c.norm_eps) if c.qk_norm else None
        self.k_norm = Norm(c.head_dim, c.norm_eps) if c.qk_norm else None
        self.o: nn.Module = Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.mlp_norm = Norm(c.hidden, c.norm_eps)
        self.gate_up: nn.Module = Linear(c.hidden, 2 * c.mlp, bias=False)
        self.down: nn.Module = Linear(c.mlp, c.hidden, bias=False)

    def forward(
        self,
        x: Tensor,
        added: Tensor | None,
        turn: tuple[Tensor, Tensor],
        see: Visibility,
        attend: Backend,
        past: KeyValues | None,
        index: int,
        ops: Operations = PLAIN,
    ) -> tuple[Tensor, Tensor | None]:
        """The residual stream x [B, T, D], of which `added` is a part still to be added, to the same."""
        c = self.config
        x, normed = ops.norm(x, added, self.attn_norm)
        plain = self.q_norm is not None  # which are between the product and its place
        heads = self.qkv(normed) if plain else ops.product(self.qkv, normed)
        place = self._place_normed if plain else ops.place
        each = heads.unflatten(-1, (c.heads + 2 * c.kv_heads, c.head_dim))
        q, k, v = place(each, c.kv_heads, turn, past, index)
        mixed = attend(q, k, v, see).transpose(1, 2).flatten(-2)  # [B, T, H * d]
        x, normed = ops.norm(x, ops.product(self.o, mixed), self.mlp_norm)
        return ops.join(x, ops.product(self.down, ops.gated(self.gate_up, normed)))

    def _place_normed(
        self,
        heads: Tensor,
        groups: int,
        turn: tuple[Tensor, Tensor],
        past: KeyValues | None,
        index: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`Operations.place` with norms of q and k before they are turned (Qwen3)."""
        assert self.q_norm is not None and self.k_norm is not None
        heads = heads.transpose(1, 2)
        count = heads.shape[1] - 2 * groups
        q = rotate(self.q_norm(heads[:, :count]), *turn)
        k = rotate(self.k_norm(heads[:, count : count + groups]), *turn)
        v = heads[:, count + groups :]
        return (q, k, v) if past is None else (q, *past.extend(index, k, v))


class Decoder(nn.Module):
    """Token ids to hidden states; `head` turns hidden states into logits where they are needed."""

    def __init__(self, config: NetConfig, backend: str = "auto", between: str = "auto") -> None:
        super().__init__()
        self.config = config
        self.between = between  # the name of what is done between matrix products
        self.embed = Embedding(config.vocab, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = Norm(config.hidden, config.norm_eps)
        self.lm_head: nn.Module | None = (
            None if config.tied else Linear(config.hidden, config.vocab, bias=False)
        )
        self.attend = BACKENDS.get(backend)

    def forward(
        self, ids: Tensor, positions: Tensor, see: Visibility, past: KeyValues | None = None
    ) -> Tensor:
        """ids and positions [B, T] to normed hidden states [B, T, D]."""
        x = self.embed(ids)
        cos, sin = (t.to(x.dtype).unsqueeze(1) for t in rotary(self.config, positions))
        if x.is_cpu and not torch.is_grad_enabled():  # once for all layers
            see = see.folded(self.config.heads // self.config.kv_heads, x.dtype)
        ops, added = operations(self.between, x), None
        for index, layer in enumerate(self.blocks):
            x, added = layer(x, added, (cos, sin), see, self.attend, past, index, ops)
        return ops.norm(x, added, self.norm)[1]

    def head(self, hidden: Tensor) -> Tensor:
        """[.., D] to logits [.., vocab] in the hidden states' dtype."""
        logits: Tensor
        logits = self.embed.as_head(hidden) if self.lm_head is None else self.lm_head(hidden)
        return logits

    @property
    def blocks(self) -> Sequence[Layer]:
        return self.layers  # type: ignore[return-value]  # ModuleList forgets its element type
