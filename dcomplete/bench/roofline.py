"""The machine's own limits, measured in the run that is compared with them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from dcomplete.bench.scenarios import quantile
from dcomplete.bench.shapes import Cost


@dataclass(frozen=True, slots=True)
class Roofline:
    """Bytes and floating-point operations a second that large copies and matrix products reach here."""

    bandwidth: float
    throughput: float

    def floor_ms(self, cost: Cost) -> float:
        """No run can take less: memory and arithmetic perfectly overlapped."""
        return 1e3 * max(cost.bytes / self.bandwidth, cost.flops / self.throughput)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of repeated runs, the wait for the device included."""

    p50: float
    p90: float
    runs: int


def wait(device: torch.device) -> None:
    """Until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(
    run: Callable[[], object],
    device: torch.device,
    repeats: int,
    seconds: float = 30.0,
    before: Callable[[], object] = lambda: None,
) -> Timing:
    """Run once for warmth, then up to `repeats` times but not, after three, for longer than `seconds`.

    `before` prepares each run and is not timed.
    """
    before()
    run()
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < repeats:
        if len(times) >= 3 and time.perf_counter() - begun > seconds:
            break
        before()
        wait(device)
        start = time.perf_counter()
        run()
        wait(device)
        times.append(1e3 * (time.perf_counter() - start))
    return Timing(quantile(times, 0.5), quantile(times, 0.9), len(times))


def measure(device: torch.device, dtype: torch.dtype) -> Roofline:
    """The better of many copies (bytes read and written) and of many square products."""
    large = device.type == "cuda"
    count = 2**29 if large else 2**24  # 1 GiB and 64 MB of 2- and 4-byte numbers: beyond the caches
    source = torch.ones(count, dtype=dtype, device=device)
    copied = _best(partial(torch.empty_like(source).copy_, source), device)
    moved = 2.0 * source.numel() * source.element_size()
    del source
    side = 8192 if large else 512
    a = torch.randn(side, side, device=device).to(dtype)
    b = a.t().contiguous()
    product = partial(torch.mm, a, b, out=torch.empty_like(a))
    return Roofline(moved / copied, 2.0 * side**3 / _best(product, device))


@torch.inference_mode()
def _best(
    run: Callable[[], object], device: torch.device, batch: int = 5, rounds: int = 8
) -> float:
    """Seconds of one run, in the best of `rounds` batches: a limit is what is reached at least once."""
    run()
    best = float("inf")
    for _ in range(rounds):
        wait(device)
        start = time.perf_counter()
        for _ in range(batch):
            run()
        wait(device)
        best = min(best, (time.perf_counter() - start) / batch)
    return best
