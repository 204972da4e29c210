"""The batches of coming steps, made ahead of their use: by a thread, or by processes beside a GPU.

A step's batches follow from the seed and the step alone, so it does not matter who makes them.
"""

import os
from collections import deque
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from dcomplete.models.specials import Specials
from dcomplete.train.batch import Arrays, Batch, collate, fitting, pack
from dcomplete.train.config import TrainConfig
from dcomplete.train.hardware import Hardware
from dcomplete.train.noise import Row, make_row
from dcomplete.train.shards import Shards

_MOST_WORKERS = 12


def rows_of(
    shards: Shards,
    specials: Specials,
    config: TrainConfig,
    step: int,
    rank: int = 0,
    world: int = 1,
) -> list[Row]:
    """One process's rows of a step: a function of the seed and the step alone."""
    cap = min(1.0, (step + 1) / max(1.0, config.mask_warmup * config.steps))
    first = step * config.rows * world + rank * config.rows
    out = []
    for at in range(first, first + config.rows):
        epoch, index = divmod(at, len(shards))
        example = shards[int(_order(shards, config.seed, epoch)[index])]
        rng = np.random.default_rng((config.seed, at))
        out.append(make_row(example, specials, config.noise, cap, rng))
    return out


@lru_cache(maxsize=2)
def _order(shards: Shards, seed: int, epoch: int) -> Any:
    return shards.order(seed, epoch)


def arrays_of(rows: list[Row], config: TrainConfig) -> list[Arrays]:
    """Micro-batches: packed to one shape, or padded among rows of like length."""
    if config.bins:
        rows = fitting(rows, config.bins * config.pack_tokens)
    bins = pack(sorted(rows, key=len), config.pack_tokens)
    if config.bins:
        bins = bins[: config.bins]
    parts = [bins[i : i + config.micro_rows] for i in range(0, len(bins), config.micro_rows)]
    full = config.micro_rows if config.bins else 0
    return [collate(part, config.pack_tokens, least=full) for part in parts]


@dataclass(frozen=True, slots=True)
class _Order:
    """What a step's batches depend on besides the data."""

    specials: Specials
    config: TrainConfig
    rank: int
    world: int

    def make(self, shards: Shards, step: int) -> list[Arrays]:
        rows = rows_of(shards, self.specials, self.config, step, self.rank, self.world)
        return arrays_of(rows, self.config)


class Feed:
    """Asks for batches `ahead` steps before they are needed; a context manager."""

    def __init__(
        self, shards: Shards, specials: Specials, config: TrainConfig, hardware: Hardware
    ) -> None:
        self._order = _Order(specials, config, hardware.rank, hardware.world)
        self._shards, self._config = shards, config
        self._waiting: deque[tuple[int, Future[list[Arrays]]]] = deque()
        beside_gpu = hardware.device.type == "cuda"
        workers = min(_MOST_WORKERS, max(1, (os.cpu_count() or 2) - 2)) if beside_gpu else 0
        self._ahead = 2 + 2 * workers
        self._processes = workers > 0
        self._pool: Executor = (
            ProcessPoolExecutor(
                workers,
                get_context("spawn"),
                initializer=_start,
                initargs=(shards.folder, self._order),
            )
            if workers
            else ThreadPoolExecutor(2)
        )

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self, step: int) -> list[Batch]:
        """The batches of a step; steps are taken one after another."""
        at = self._waiting[-1][0] + 1 if self._waiting else step
        while at < min(step + self._ahead, self._config.steps):
            self._waiting.append((at, self._ask(at)))
            at += 1
        number, future = self._waiting.popleft()
        assert number == step, "steps are taken in order"
        return [Batch.of(arrays) for arrays in future.result()]

    def _ask(self, step: int) -> "Future[list[Arrays]]":
        if self._processes:
            return self._pool.submit(_make, step)
        return self._pool.submit(self._order.make, self._shards, step)


_here: list[tuple[Shards, _Order]] = []  # in a worker process: its own view of the data


def _start(folder: Path, order: _Order) -> None:
    _here.append((Shards(folder), order))


def _make(step: int) -> list[Arrays]:
    shards, order = _here[0]
    return order.make(shards, step)
