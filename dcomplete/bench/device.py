"""The engine and its peers on one device, on networks of true shapes with random weights, in one run.

Nothing is downloaded. Each row says who filled how many tokens behind which context in how many passes,
how long it took, and what share of the machine's own limits that is.
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from dcomplete.bench import loops
from dcomplete.bench.autoregressive import OwnDecoder, Transformers
from dcomplete.bench.loops import Task
from dcomplete.bench.roofline import Roofline, Timing, measure, timed
from dcomplete.bench.shapes import SHAPES, Cost, pass_cost, prefill_cost, random_family
from dcomplete.engine.load import static_steps
from dcomplete.errors import first_line
from dcomplete.models.config import NetConfig
from dcomplete.models.family import Family
from dcomplete.models.kernels import Ask, choose
from dcomplete.models.memory import free_bytes, need, too_small
from dcomplete.models.recording import Graphs, plain


@dataclass(frozen=True, slots=True)
class Settings:
    """What is run: every context with every canvas and every number of steps, on every shape.

    `repeats` timed runs of each; `seconds` bound a slow one's, never below three runs. `compiled` are
    the shapes that transformers is compiled for, which takes half a minute each; None: all of them.
    """

    shapes: tuple[str, ...]
    contexts: tuple[int, ...] = (1024, 4096)
    canvases: tuple[int, ...] = (16, 32, 64)
    steps: tuple[int, ...] = (1, 2, 4, 8, 16)
    repeats: int = 20
    seconds: float = 5.0
    peers: bool = True
    compiled: tuple[str, ...] | None = None

    def tasks(self, context: int) -> Iterator[Task]:
        """The tasks of one context; no step without a token to decide."""
        for canvas in self.canvases:
            for steps in self.steps:
                if steps <= canvas:
                    yield Task(context, canvas, steps)


Told = Callable[[str], None]
_PLACE = ("shape", "context", "canvas")
_DECODERS = ("own autoregressive", "transformers")
_AGAINST = {"published loop": "no cache", "dual cache": "cold"} | dict.fromkeys(_DECODERS, "warm")


def run(settings: Settings, device: torch.device, dtype: torch.dtype, told: Told) -> dict[str, Any]:
    """All rows with the limits they are compared with; a shape that does not fit is said and left out."""
    limits = measure(device, dtype)
    rows: list[dict[str, Any]] = []
    notes: dict[str, str] = {}
    for name in settings.shapes:
        bench = _Bench(name, settings, device, dtype, limits)
        wanted = need(SHAPES.get(name), dtype.itemsize, tokens=max(settings.contexts))
        if sentence := too_small(f"The {name} shape", wanted, free_bytes(device)):
            notes[name] = sentence
            told(sentence)
            continue
        try:
            for row in bench.rows():
                rows.append(row)
                told(", ".join(str(row[key]) for key in ("who", "state", *_PLACE, "steps")))
        except torch.OutOfMemoryError as error:  # what was measured before is kept
            notes[name] = f"out of memory: {first_line(error)}"
        notes |= {f"{name} {what}": why for what, why in bench.notes.items()}
        _empty(device)
    return {
        "settings": asdict(settings),
        "roofline": {
            "bandwidth_gb_s": round(limits.bandwidth / 1e9, 1),
            "matmul_tflops": round(limits.throughput / 1e12, 2),
        },
        "attention": {
            pattern: str(choose(Ask(device, dtype, 128, pattern))) for pattern in ("all", "length")
        },
        "notes": notes,
        "rows": rows,
        "ratios": ratios(rows),
    }


def _empty(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


@dataclass(slots=True)
class _Bench:
    """One shape."""

    name: str
    settings: Settings
    device: torch.device
    dtype: torch.dtype
    limits: Roofline
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> NetConfig:
        return SHAPES.get(self.name)

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return self.dtype.itemsize

    def rows(self) -> Iterator[dict[str, Any]]:
        family = random_family(self.name, self.device, self.dtype)
        family.static = static_steps(family.net, family.regime)
        for context in self.settings.contexts:
            for task in self.settings.tasks(context):
                yield from self._diffusion(family, task)
            if self.settings.peers:
                yield from self._own_decoding(family, context)
        if family.static is None:
            self.notes["graphs"] = "none: steps run launch by launch without a CUDA device"
        elif family.static.trouble:
            self.notes["graphs"] = family.static.trouble
        chosen = self.settings.compiled
        if self.settings.peers and (chosen is None or self.name in chosen):
            yield from self._transformers(family)

    def _timed(
        self, call: Callable[[], object], before: Callable[[], object] = lambda: None
    ) -> Timing:
        return timed(call, self.device, self.settings.repeats, self.settings.seconds, before)

    def _diffusion(self, family: Family, task: Task) -> Iterator[dict[str, Any]]:
        step = pass_cost(self.config, task.canvas, task.context, self.size)
        prefill = prefill_cost(self.config, task.context, self.size)
        warm = self._timed(lambda: loops.ours(family, task, cold=False))
        yield self._row("ours", "warm", task, warm, step * task.steps)
        cold = self._timed(lambda: loops.ours(family, task, cold=True))
        yield self._row("ours", "cold", task, cold, step * task.steps + prefill)
        if not self.settings.peers:
            return
        every = pass_cost(self.config, task.context + task.canvas, 0, self.size)
        gap = pass_cost(self.config, task.context + task.canvas, 0, self.size, heads=task.canvas)
        found = self._timed(lambda: loops.published(family, task))
        yield self._row("published loop", "no cache", task, found, every * task.steps)
        found = self._timed(lambda: loops.dual_cache(family, task))
        floor = gap + step * (task.steps - 1)
        yield self._row("dual cache", "cold", task, found, floor)

    def _own_decoding(self, family: Family, context: int) -> Iterator[dict[str, Any]]:
        capacity = context + max(self.settings.canvases)
        recorder = Graphs() if self.device.type == "cuda" else plain
        try:
            decoder = OwnDecoder(family, capacity, recorder)
        except RuntimeError as error:
            self.notes["own decoding"] = f"without CUDA graphs: {first_line(error)}"
            decoder = OwnDecoder(family, capacity)
        yield from self._decoding("own autoregressive", decoder, context)

    def _transformers(self, family: Family) -> Iterator[dict[str, Any]]:
        family.pool.clear()
        family.static = None
        for context in self.settings.contexts:
            _empty(self.device)
            try:
                capacity = context + max(self.settings.canvases)
                peer = Transformers.load(self.config, capacity, family)
                rows = list(self._decoding("transformers", peer, context))
            except (ImportError, RuntimeError, TypeError, ValueError) as error:
                self.notes["transformers"] = f"{type(error).__name__}: {first_line(error)}"
                return
            if not peer.compiled:
                self.notes["transformers"] = (
                    "static cache, not compiled: that is done on a GPU only"
                )
            yield from rows

    def _decoding(
        self, who: str, decoder: OwnDecoder | Transformers, context: int
    ) -> Iterator[dict[str, Any]]:
        """A token a pass: as many passes as tokens, whatever the settings' steps."""
        for canvas in self.settings.canvases:
            task = Task(context, canvas, canvas)

            def whole(task: Task = task) -> None:
                decoder.prefill(task)
                decoder.decode(task)

            def decode(task: Task = task) -> None:
                decoder.decode(task)

            def prefill(task: Task = task) -> None:
                decoder.prefill(task)

            token = pass_cost(self.config, 1, context, self.size)
            warm = self._timed(decode, prefill)
            yield self._row(who, "warm", task, warm, token * canvas)
            first = prefill_cost(self.config, context, self.size)
            yield self._row(who, "cold", task, self._timed(whole), token * canvas + first)

    def _row(self, who: str, state: str, task: Task, found: Timing, cost: Cost) -> dict[str, Any]:
        floor = self.limits.floor_ms(cost)
        return {
            "who": who,
            "shape": self.name,
            "state": state,
            **asdict(task),
            "p50_ms": round(found.p50, 3),
            "p90_ms": round(found.p90, 3),
            "runs": found.runs,
            "tokens_per_s": round(1e3 * task.canvas / found.p50, 1),
            "floor_ms": round(floor, 4),
            "roofline": round(floor / found.p50, 4),
        }


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each warm row of ours: how many times its p50 every peer took for as many tokens.

    Autoregressive peers have their context cached as well; the published loops begin anew by nature.
    """
    found = []
    for row in rows:
        if row["who"] != "ours" or row["state"] != "warm":
            continue
        place = (row["shape"], row["context"], row["canvas"])
        peers = {
            peer["who"]: round(peer["p50_ms"] / row["p50_ms"], 2)
            for peer in rows
            if (peer["shape"], peer["context"], peer["canvas"]) == place
            and peer["state"] == _AGAINST.get(peer["who"])
            and peer["steps"] == (row["canvas"] if peer["who"] in _DECODERS else row["steps"])
        }
        found.append({**dict(zip(_PLACE, place, strict=True)), "steps": row["steps"], **peers})
    return found
