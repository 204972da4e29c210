"""The graphics card that kernels are laid out for."""

import torch

_INTERPRETED = 20  # processors, where a kernel runs in Triton's interpreter


def processors(device: torch.device) -> int:
    """How many programs run side by side on it."""
    if device.type != "cuda":
        return _INTERPRETED
    return int(torch.cuda.get_device_properties(device).multi_processor_count)
