"""Where a run computes: device, number format, and the other processes of `torchrun`."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.errors import UserError

# Dense bf16 peaks in TFLOP/s, from NVIDIA's data sheets, by a part of the card's name.
_PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "4090": 165.0}


@dataclass(frozen=True, slots=True)
class Hardware:
    """One process's share of the machine."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @staticmethod
    def cpu() -> "Hardware":
        return Hardware(torch.device("cpu"))

    @staticmethod
    def find(name: str = "auto") -> "Hardware":
        """The device asked for; under `torchrun` each process takes its own and joins the others."""
        rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        kind = name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        if kind not in ("cpu", "cuda"):
            raise UserError(f"Unknown device {name!r}; use auto, cpu or cuda.")
        if kind == "cuda" and not torch.cuda.is_available():
            raise UserError("There is no CUDA device here; use --device cpu.")
        device = torch.device(kind)
        if kind == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
            torch.set_float32_matmul_precision("high")
        if world > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
        return Hardware(device, rank, world)

    @property
    def peak_tflops(self) -> float | None:
        """The card's dense bf16 peak, or None where it is not known."""
        if self.device.type != "cuda":
            return None
        name = torch.cuda.get_device_name(self.device)
        return next((peak for part, peak in _PEAKS.items() if part in name), None)

    def autocast(self, dtype: str) -> AbstractContextManager[object]:
        """float32 masters, computing in `dtype`."""
        bf16 = dtype == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16)

    def summed(self, *values: float) -> list[float]:
        """Each value's sum over all processes, which ask together."""
        if self.world == 1:
            return list(values)
        message = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(message)
        return [float(value) for value in message]

    def add_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """The sum over processes, in place, as one message: each has its part of the step's loss."""
        if self.world == 1:
            return
        grads: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in grads])
        torch.distributed.all_reduce(flat)
        at = 0
        for grad in grads:
            grad.copy_(flat[at : at + grad.numel()].view_as(grad))
            at += grad.numel()
