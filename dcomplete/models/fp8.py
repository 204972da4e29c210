"""Linear layers with 8-bit floating-point weights, for cards that multiply them (Ada, Hopper and later).

A step over a canvas is bound by reading weights: half the bytes are up to half the time. Weights are
e4m3 with a scale for each output row, activations are turned into e4m3 token by token as they come.
Attention, norms and the head stay bfloat16: the head's logits decide, and it is read once a step.
"""

import torch
from torch import Tensor, nn

from dcomplete.models.decoder import Decoder

KIND = torch.float8_e4m3fn
LARGEST = 448.0  # of e4m3
_LAYERS = ("qkv", "o", "gate_up", "down")


def quantize(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of x [N, K] to e4m3 and float32 scales [N, 1]; value = code * scale."""
    scale = (x.abs().amax(-1, keepdim=True).float() / LARGEST).clamp_min(1e-12)
    return (x.float() / scale).clamp(-LARGEST, LARGEST).to(KIND), scale


class Float8Linear(nn.Module):
    """Equal to a product of the rounded numbers, which is its twin in the tests."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        codes, scale = quantize(weight)
        self.codes, self.scale, self.bias = codes.t(), scale.t(), bias  # [K, N] by columns, [1, N]

    def forward(self, x: Tensor) -> Tensor:
        codes, scale = quantize(x.flatten(0, -2))
        y: Tensor = torch._scaled_mm(
            codes, self.codes, scale_a=scale, scale_b=self.scale, out_dtype=torch.bfloat16
        )
        y = y if self.bias is None else y + self.bias
        return y.view(*x.shape[:-1], -1)


def why_not(device: torch.device) -> str:
    """Why 8-bit weights are not possible on `device`, or "" where they are."""
    if device.type != "cuda":
        return "fp8 needs a CUDA device"
    capability = torch.cuda.get_device_capability(device)
    if capability < (8, 9):
        return f"fp8 needs a card of capability 8.9 or later; this one has {capability[0]}.{capability[1]}"
    return ""


def replace_layers(net: Decoder) -> None:
    """Those of a bfloat16 network whose sides are multiples of 16, as the kernel wants; one at a time."""
    for layer in net.blocks:
        for name in _LAYERS:
            old = getattr(layer, name)
            if old.weight.shape[0] % 16 or old.weight.shape[1] % 16:
                continue
            bias = None if old.bias is None else old.bias.detach()
            setattr(layer, name, Float8Linear(old.weight.detach(), bias))
