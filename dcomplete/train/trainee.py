"""A base made trainable: what changes, what stays, and in which optimiser group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dcomplete.engine.lengths import LENGTH_BINS
from dcomplete.errors import UserError
from dcomplete.models.decoder import Decoder
from dcomplete.models.specials import Specials
from dcomplete.train.adapter import adapt, special_rows, start_rows
from dcomplete.train.config import TrainConfig


@dataclass(slots=True)
class Trainee:
    """What is trained: the network, the length head, and the parameters that change."""

    net: Decoder
    length_head: nn.Linear
    specials: Specials
    parameters: list[nn.Parameter]

    def modules(self) -> nn.ModuleDict:
        return nn.ModuleDict({"net": self.net, "length_head": self.length_head})

    def trained(self) -> dict[str, Tensor]:
        """The changing weights by name."""
        named = self.modules().named_parameters()
        return {name: p for name, p in named if p.requires_grad}

    def groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Optimiser groups: only matrices decay."""
        matrices = [p for p in self.parameters if p.dim() >= 2]
        rest = [p for p in self.parameters if p.dim() < 2]
        return [
            {"params": matrices, "weight_decay": weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]

    def to(self, device: torch.device) -> "Trainee":
        self.net.to(device)
        self.length_head.to(device)
        return self


def prepare_net(
    net: Decoder,
    specials: Specials,
    config: TrainConfig,
    length_head: Mapping[str, Tensor] | None = None,
) -> Trainee:
    """Make a base network trainable as the configuration asks; raises UserError for another mode.

    With the `length_head` of an earlier training (`Base`) it goes on from there: head and sentinels stay.
    """
    torch.manual_seed(config.seed)
    rows = special_rows(specials)
    head = nn.Linear(net.config.hidden, len(LENGTH_BINS))
    if length_head:
        head.load_state_dict(length_head)
    else:
        start_rows(net, rows)
    if config.mode == "lora":
        changing = adapt(net, rows, config.rank, config.lora_scale)
        if config.dtype == "bfloat16":  # what never changes is not cast anew in every forward pass
            for frozen in (p for p in net.parameters() if not p.requires_grad):
                frozen.data = frozen.data.bfloat16()
    elif config.mode == "full":
        changing = list(net.parameters())
    else:
        raise UserError(f"Training mode {config.mode!r} is unknown; use lora or full.")
    return Trainee(net, head, specials, changing + list(head.parameters()))
