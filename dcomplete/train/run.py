"""The training loop: a wall-clock budget, exact resume, one line of JSON per step.

A checkpoint holds everything that the next step depends on: weights, averages, optimiser, step. The
data position and the noise follow from (seed, step) alone, so a killed run that is started again ends
with the same weights as an unbroken one.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dcomplete.engine.lengths import LENGTH_BINS
from dcomplete.errors import UserError
from dcomplete.models.decoder import Decoder
from dcomplete.models.specials import Specials
from dcomplete.train.adapter import adapt, start_rows
from dcomplete.train.batch import Losses, See, collate, dense, losses
from dcomplete.train.config import TrainConfig
from dcomplete.train.noise import Row, make_row
from dcomplete.train.shards import Shards

STATE = "state.pt"
LOG = "log.jsonl"


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


def prepare_net(net: Decoder, specials: Specials, config: TrainConfig) -> Trainee:
    """Make a base network trainable as the configuration asks."""
    torch.manual_seed(config.seed)
    rows = sorted(
        i
        for i in (specials.suffix, specials.prefix, specials.middle, specials.mask, specials.fill)
        if i is not None
    )
    start_rows(net, rows)
    head = nn.Linear(net.config.hidden, len(LENGTH_BINS))
    if config.mode == "lora":
        changing = adapt(net, rows, config.rank, config.lora_scale)
    elif config.mode == "full":
        changing = list(net.parameters())
    else:
        raise UserError(f"Training mode {config.mode!r} is unknown; use lora or full.")
    return Trainee(net, head, specials, changing + list(head.parameters()))


def rate(config: TrainConfig, step: int) -> float:
    """Learning rate: linear warm-up, then cosine to `final_lr` of the peak."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    low = config.final_lr
    return config.lr * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))


def rows_of(shards: Shards, specials: Specials, config: TrainConfig, step: int) -> list[Row]:
    """The rows of one step: a function of the seed and the step alone."""
    cap = min(1.0, (step + 1) / max(1.0, config.mask_warmup * config.steps))
    out = []
    for at in range(step * config.rows, (step + 1) * config.rows):
        epoch, index = divmod(at, len(shards))
        example = shards[int(_order(shards, config.seed, epoch)[index])]
        rng = np.random.default_rng((config.seed, at))
        out.append(make_row(example, specials, config.noise, cap, rng))
    return out


@lru_cache(maxsize=2)
def _order(shards: Shards, seed: int, epoch: int) -> Any:
    return shards.order(seed, epoch)


class Run:
    """A run in a folder, resumable at any step."""

    def __init__(self, trainee: Trainee, shards: Shards, config: TrainConfig, folder: Path) -> None:
        self.trainee, self.shards, self.config, self.folder = trainee, shards, config, folder
        self.see: See = dense
        self.step = 0
        self.tokens = 0
        groups = [{"params": trainee.parameters}]
        self.optimizer = torch.optim.AdamW(
            groups, lr=config.lr, betas=(0.9, 0.95), weight_decay=config.weight_decay
        )
        self.average = {n: p.detach().clone() for n, p in trainee.trained().items()}
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE).exists():
            self._load()

    def go(self, deadline: float | None = None) -> Iterator[dict[str, Any]]:
        """Train until the last step or until `time.monotonic()` passes `deadline`; yields log lines."""
        with (self.folder / LOG).open("a") as log:
            while self.step < self.config.steps:
                line = self._one_step()
                log.write(json.dumps(line) + "\n")
                log.flush()
                late = deadline is not None and time.monotonic() > deadline
                if (
                    self.step % self.config.save_every == 0
                    or late
                    or self.step == self.config.steps
                ):
                    self.save()
                yield line
                if late:
                    return

    def _one_step(self) -> dict[str, Any]:
        start, config = time.perf_counter(), self.config
        rows = sorted(rows_of(self.shards, self.trainee.specials, config, self.step), key=len)
        parts = [rows[i : i + config.micro_rows] for i in range(0, len(rows), config.micro_rows)]
        self.optimizer.zero_grad(set_to_none=True)
        seen: list[Losses] = []
        for part in parts:
            batch = collate(part)
            loss = losses(
                self.trainee.net, self.trainee.length_head, batch, config.length_weight, self.see
            )
            (loss.total / len(parts)).backward()  # type: ignore[no-untyped-call]
            seen.append(replace(loss, total=loss.total.detach()))
            self.tokens += batch.real
        norm = nn.utils.clip_grad_norm_(self.trainee.parameters, config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(config, self.step)
        self.optimizer.step()
        self._average()
        self.step += 1
        return self._line(seen, float(norm), time.perf_counter() - start, sum(map(len, rows)))

    def _line(self, seen: list[Losses], norm: float, seconds: float, tokens: int) -> dict[str, Any]:
        def mean(name: str) -> float:
            return round(float(np.nanmean([float(getattr(x, name)) for x in seen])), 4)

        flops = 6 * self.trainee.net.config.parameters * tokens
        return {
            "step": self.step,
            "loss": mean("total"),
            "canvas": mean("canvas"),
            "clean": mean("clean"),
            "length": mean("length"),
            "norm": round(norm, 3),
            "lr": self.optimizer.param_groups[0]["lr"],
            "tokens": self.tokens,
            "tokens_per_s": round(tokens / seconds, 1),
            "tflops": round(flops / seconds / 1e12, 3),
            "seconds": round(seconds, 3),
        }

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for name, parameter in self.trainee.trained().items():
            self.average[name].lerp_(parameter.detach(), 1 - keep)

    def save(self) -> None:
        """Write the state beside the old one, then swap: a kill leaves one or the other, whole."""
        state = {
            "step": self.step,
            "tokens": self.tokens,
            "weights": {n: p.detach() for n, p in self.trainee.trained().items()},
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "config": self.config.to_json(),
        }
        fresh = self.folder / (STATE + ".new")
        torch.save(state, fresh)
        fresh.replace(self.folder / STATE)

    def _load(self) -> None:
        state = torch.load(self.folder / STATE, weights_only=True)
        if state["config"] != self.config.to_json():
            raise UserError(f"{self.folder} holds a run with other settings; use another folder.")
        with torch.no_grad():
            for name, parameter in self.trainee.trained().items():
                parameter.copy_(state["weights"][name])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.tokens = state["step"], state["tokens"]
        _cut_log(self.folder / LOG, self.step)


def _cut_log(path: Path, step: int) -> None:
    """Drop log lines of steps that were lost with the process."""
    if path.exists():
        kept = []
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                break
            if line["step"] <= step:
                kept.append(text)
        path.write_text("".join(line + "\n" for line in kept))
