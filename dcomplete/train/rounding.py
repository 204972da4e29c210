"""Training through the rounding of the stored format, so that a 4-bit export loses next to nothing.

From some step on the network computes with what its matrices will be read back as; gradients pass the
rounding as if it were not there (the straight-through estimator, arXiv 1308.3432) and move the exact
values, which only the optimiser and the averages see.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from dcomplete.models.quant import BLOCK, FORMATS


def stored_as(name: str, value: Tensor) -> str:
    """The format in which `export` stores a fully trained tensor; "" is as it is."""
    if value.dim() != 2 or value.shape[1] % BLOCK or name.startswith("length_head"):
        return ""
    return "q8_0" if name.startswith(("net.embed", "net.lm_head")) else "q4_1"


def rounded(value: Tensor, kind: str) -> Tensor:
    """What `value` is once it was stored in a format and read back."""
    form = FORMATS[kind]
    return form.dequantize(form.quantize(value))


class Rounding:
    """The exact values of matrices that the network sees rounded. Not active until `round` is called."""

    def __init__(self, trained: Mapping[str, Tensor]) -> None:
        named = {name: (value, stored_as(name, value)) for name, value in trained.items()}
        self._seen = {n: v for n, (v, kind) in named.items() if kind == "q4_1"}
        self.exact: dict[str, Tensor] = {}

    @torch.no_grad()
    def round(self) -> None:
        """Remember the exact values and show the network the rounded ones."""
        for name, value in self._seen.items():
            if name in self.exact:
                self.exact[name].copy_(value)
            else:
                self.exact[name] = value.detach().clone()
            value.copy_(rounded(value, "q4_1"))

    @torch.no_grad()
    def restore(self) -> None:
        """Give the network the exact values back, for the optimiser to change."""
        for name, value in self.exact.items():
            self._seen[name].copy_(value)
