"""What training changes: low-rank adapters, the rows of the special tokens, norms, a length head.

LoRA (arXiv 2106.09685) leaves the base's quantised blocks as they are, so an export loses nothing:
small updates of a full matrix would vanish in the rounding of 4-bit blocks.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcomplete.models.decoder import Decoder, Embedding
from dcomplete.models.specials import Specials

ADAPTED = ("qkv", "o", "gate_up", "down")


class LoraLinear(nn.Module):
    """A frozen linear layer plus ``scale * B A``; B starts at zero, so nothing changes at first."""

    def __init__(self, base: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.base = base
        self.scale = scale
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        low = F.linear(x, self.a.to(x.dtype)).flatten(0, -2)
        plain: Tensor = self.base(x)
        up = (self.scale * self.b.to(x.dtype)).t()
        return torch.addmm(plain.flatten(0, -2), low, up).view(plain.shape)


class RowEmbedding(nn.Module):
    """A frozen table of which a few rows are trained, as input and as output."""

    def __init__(self, base: Embedding, rows: list[int]) -> None:
        super().__init__()
        self.base = base
        self.register_buffer("at", torch.tensor(rows), persistent=False)
        slot = torch.full((base.weight.shape[0],), -1)
        slot[rows] = torch.arange(len(rows))
        self.register_buffer("slot", slot, persistent=False)
        self.rows = nn.Parameter(base.weight.data[rows].clone())

    def forward(self, ids: Tensor) -> Tensor:
        slot: Tensor = self.slot[ids]  # type: ignore[index]
        own = F.embedding(slot.clamp(min=0), self.rows)
        return torch.where(slot.unsqueeze(-1) >= 0, own.to(self.base.weight.dtype), self.base(ids))

    def as_head(self, hidden: Tensor) -> Tensor:
        logits = self.base.as_head(hidden)
        return logits.index_copy(-1, self.at, F.linear(hidden, self.rows.to(hidden.dtype)))  # type: ignore[arg-type]


def special_rows(specials: Specials) -> list[int]:
    """The ids whose vectors are trained even where the rest of the table is frozen."""
    named = (specials.suffix, specials.prefix, specials.middle, specials.mask, specials.fill)
    return sorted(i for i in named if i is not None)


def start_rows(net: Decoder, rows: list[int]) -> None:
    """Give never-seen special tokens the mean vector: without it learning is several times slower."""
    weight = net.embed.weight.data
    weight[rows] = weight.mean(0)


def adapt(net: Decoder, rows: list[int], rank: int, scale: float) -> list[nn.Parameter]:
    """Freeze `net`, add adapters; returns what is to be trained."""
    net.requires_grad_(False)
    for layer in net.blocks:
        for name in ADAPTED:
            setattr(layer, name, LoraLinear(getattr(layer, name), rank, scale))
    for name, parameter in net.named_parameters():
        if "norm" in name:
            parameter.requires_grad_(True)
    net.embed = RowEmbedding(net.embed, rows)  # type: ignore[assignment]
    for name, parameter in net.named_parameters():
        if name.endswith((".a", ".b", ".rows")):
            parameter.requires_grad_(True)
    return [p for p in net.parameters() if p.requires_grad]
