"""When the host looks at the device: at every step, or one step late so that the device never waits.

On a CPU looking is free, and only cells that matter are computed. On a GPU every look drains the queue:
the host would launch a step only after it saw the last one's end. So it asks for the stop flag without
waiting, launches the next step, and reads the flag then: at most one step too many, which commits
nothing, for a device that is always busy.
"""

from typing import Protocol

import torch
from torch import Tensor


class Pace(Protocol):
    """Made anew for every canvas. Both ask for bool tensors [R, W]."""

    def done(self, window: Tensor, last: bool) -> bool:
        """Whether nothing is left to do, as far as is known; at the `last` step this is certain."""
        ...

    def cells(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Rows and columns, int64 [N] each, of cells to compute: all of `wanted`, perhaps others."""
        ...


class AtOnce:
    """Look at every step."""

    def done(self, window: Tensor, last: bool) -> bool:
        return not bool(window.any())

    def cells(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = wanted.nonzero(as_tuple=True)
        return rows, columns


class StepLate:
    """Read the flag of the step before; compute every cell, because counting them would be a look."""

    def __init__(self) -> None:
        self._flag: tuple[Tensor, torch.cuda.Event | None] | None = None

    def done(self, window: Tensor, last: bool) -> bool:
        if last:
            return not bool(window.any())
        before, self._flag = self._flag, self._send(window.any())
        if before is None:
            return False
        flag, event = before
        if event is not None:
            event.synchronize()  # the step before is done; this one is on its way
        return not bool(flag)

    def cells(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        rows, width = wanted.shape  # not kept: a recording of this step outlives the canvas
        every = torch.arange(rows * width, device=wanted.device)
        return every // width, every % width

    @staticmethod
    def _send(flag: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
        """Copy a flag to the host without waiting for it."""
        if not flag.is_cuda:
            return flag.clone(), None
        host = torch.empty((), dtype=torch.bool, pin_memory=True)
        host.copy_(flag, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return host, event


def pace_for(device: torch.device) -> Pace:
    """What suits the device."""
    return AtOnce() if device.type == "cpu" else StepLate()
