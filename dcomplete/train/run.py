"""The training loop: a wall-clock budget, exact resume, one line of JSON per step.

A checkpoint holds everything that the next step depends on: weights, averages, optimiser, step. The
data position and the noise follow from (seed, step) alone, so a killed run that is started again ends
with the same weights as an unbroken one.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dcomplete import swapping
from dcomplete.errors import UserError
from dcomplete.models.decoder import Decoder
from dcomplete.train.batch import Batch
from dcomplete.train.config import TrainConfig
from dcomplete.train.feed import Feed
from dcomplete.train.folder import made
from dcomplete.train.hardware import Hardware
from dcomplete.train.loss import Losses, See, Share, dense, flex, losses
from dcomplete.train.rounding import Rounding
from dcomplete.train.shards import Shards
from dcomplete.train.trainee import Trainee

STATE = "state.pt"
LOG = "log.jsonl"


def rate(config: TrainConfig, step: int) -> float:
    """Learning rate: linear warm-up, then cosine to `final_lr` of the peak."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    low = config.final_lr
    return config.lr * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))


class Run:
    """A run in a folder, resumable at any step."""

    def __init__(
        self,
        trainee: Trainee,
        shards: Shards,
        config: TrainConfig,
        folder: Path,
        hardware: Hardware | None = None,
    ) -> None:
        self.trainee, self.shards, self.config, self.folder = trainee, shards, config, folder
        self.hardware = hardware or Hardware.cpu()
        self.see: See = flex if self.hardware.device.type == "cuda" else dense
        self.step = 0
        self.tokens = 0
        self.optimizer = torch.optim.AdamW(
            trainee.groups(config.weight_decay),
            lr=config.lr,
            betas=(0.9, 0.95),
            fused=self.hardware.device.type == "cuda",
        )
        self.rounding = Rounding(trainee.trained())
        self.average = {n: p.detach().clone() for n, p in trainee.trained().items()}
        if config.compile:
            _compile(trainee.net, self.hardware.device.type == "cpu")
        made(folder)
        if (folder / STATE).exists():
            self._load()

    def go(self, deadline: float | None = None) -> Iterator[dict[str, Any]]:
        """Train until the last step or until `time.monotonic()` passes `deadline`; yields log lines."""
        feed = Feed(self.shards, self.trainee.specials, self.config, self.hardware)
        with (self.folder / LOG).open("a", encoding="utf-8", newline="\n") as log, feed:
            while self.step < self.config.steps:
                line = self._one_step(feed.take(self.step))
                if self.hardware.rank == 0:
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                late = self._late(deadline)
                if (
                    self.step % self.config.save_every == 0
                    or late
                    or self.step == self.config.steps
                ):
                    self.save()
                yield line
                if late:
                    break

    def _late(self, deadline: float | None) -> bool:
        """Whether time is up for any process: one that stopped alone would leave the others waiting."""
        if deadline is None:
            return False
        return self.hardware.summed(time.monotonic() > deadline)[0] > 0

    def _one_step(self, batches: list[Batch]) -> dict[str, Any]:
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        seen: list[Losses] = []
        share = Share(*self.hardware.summed(*astuple(Share.of(batches))))
        for batch in batches:
            with self.hardware.autocast(self.config.dtype):
                loss = losses(
                    self.trainee.net,
                    self.trainee.length_head,
                    batch.to(self.hardware.device),
                    self.config.length_weight,
                    self.see,
                    share,
                )
            loss.total.backward()  # type: ignore[no-untyped-call]
            seen.append(loss)
        self.hardware.add_gradients(self.trainee.parameters)
        norm = nn.utils.clip_grad_norm_(self.trainee.parameters, self.config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.config, self.step)
        self.rounding.restore()
        self.optimizer.step()
        self._average()
        self.step += 1
        if self._rounds():
            self.rounding.round()
        tokens = sum(batch.real for batch in batches) * self.hardware.world
        self.tokens += tokens
        return self._line(seen, norm, tokens, start)

    def _line(self, seen: list[Losses], norm: Tensor, tokens: int, start: float) -> dict[str, Any]:
        def mean(name: str) -> float:
            return round(float(np.nanmean([float(getattr(x, name).detach()) for x in seen])), 4)

        (total,) = self.hardware.summed(sum(float(loss.total.detach()) for loss in seen))
        named = {name: mean(name) for name in ("canvas", "clean", "length")}
        seconds = time.perf_counter() - start  # the values above waited for the device
        tflops = 6 * self.trainee.net.config.parameters * tokens / seconds / 1e12
        peak = self.hardware.peak_tflops
        return {
            "step": self.step,
            "loss": round(total, 4),
            **named,
            "norm": round(float(norm), 3),
            "lr": self.optimizer.param_groups[0]["lr"],
            "tokens": self.tokens,
            "tokens_per_s": round(tokens / seconds, 1),
            "tflops": round(tflops, 3),
            "mfu": None if peak is None else round(tflops / (peak * self.hardware.world), 3),
            "seconds": round(seconds, 3),
        }

    def _rounds(self) -> bool:
        return self.step >= self.config.round_from * self.config.steps

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for name, parameter in self.trainee.trained().items():
            self.average[name].lerp_(parameter.detach(), 1 - keep)

    def save(self) -> None:
        """Write the state beside the old one, then swap: a kill leaves one or the other, whole."""
        if self.hardware.rank != 0:
            return
        state = {
            "step": self.step,
            "tokens": self.tokens,
            "weights": {n: p.detach() for n, p in self.trainee.trained().items()}
            | self.rounding.exact,
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "config": self.config.to_json(),
            "data": self._data(),
        }
        fresh = self.folder / (STATE + ".new")
        torch.save(state, fresh)
        swapping.replace(fresh, self.folder / STATE)

    def _data(self) -> dict[str, Any]:
        """What the rows of a step follow from besides the configuration, in the words of a sentence."""
        return {
            "tokenizer of the data": self.shards.tokenizer,
            "seed of the data": self.shards.metadata.get("seed", ""),
            "number of examples": len(self.shards),
            "number of processes": self.hardware.world,
        }

    def _load(self) -> None:
        state = torch.load(
            self.folder / STATE, weights_only=True, map_location=self.hardware.device
        )
        if state["config"] != self.config.to_json():
            raise UserError(f"{self.folder} holds a run with other settings; use another folder.")
        now = self._data()
        for name, before in state.get("data", {}).items():
            if now[name] != before:
                raise UserError(
                    f"{self.folder} holds a run with another {name} ({before}, now {now[name]}); "
                    "use another folder."
                )
        with torch.no_grad():
            for name, parameter in self.trainee.trained().items():
                parameter.copy_(state["weights"][name])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.tokens = state["step"], state["tokens"]
        if self._rounds():
            self.rounding.round()
        if self.hardware.rank == 0:
            _cut_log(self.folder / LOG, self.step)


def _compile(net: Decoder, on_cpu: bool) -> None:
    """Layer by layer: one small graph serves all. On a CPU shapes vary, and attention is left out,
    because the compiler's masked softmax takes a hundred times as long there (LOG.md)."""
    if on_cpu:
        net.attend = torch.compiler.disable(net.attend)  # type: ignore[no-untyped-call]
    for layer in net.blocks:
        layer.compile(dynamic=True if on_cpu else None)


def _cut_log(path: Path, step: int) -> None:
    """Drop log lines of steps that were lost with the process."""
    if path.exists():
        kept = []
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                break
            if line["step"] <= step:
                kept.append(text)
        beside = path.with_suffix(".new")
        beside.write_text("".join(line + "\n" for line in kept), encoding="utf-8", newline="\n")
        swapping.replace(beside, path)
