"""An exact model to one in 4-bit blocks, which knows what its layers are given (`train.compensate`).

Exact is what `export --dense` writes: with it and what comes out here, the loss of quantising is measured,
not guessed.
"""

import copy
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from dcomplete.errors import UserError
from dcomplete.models.checkpoint import Manifest, read_tensors, write
from dcomplete.models.decoder import Decoder
from dcomplete.models.packing import best_dtype
from dcomplete.models.quant import BLOCK, FORMATS, Parts, flatten, gather, restore
from dcomplete.train.base import Base
from dcomplete.train.batch import Batch
from dcomplete.train.compensate import compensated
from dcomplete.train.config import TrainConfig
from dcomplete.train.feed import arrays_of, rows_of
from dcomplete.train.folder import made
from dcomplete.train.loss import dense
from dcomplete.train.noise import NoiseConfig
from dcomplete.train.rounding import stored_as
from dcomplete.train.shards import Shards

_ROWS = 8  # of a forward pass
_ASKED = ("context-canvas", "base")  # regimes whose context is what training rows have
Watch = Callable[[str, int, int], None]  # what is being done, how far, of how many


@dataclass(frozen=True, slots=True)
class Quantized:
    """The files written, and by how much outputs differ: the mean over the matrices of the error's share
    of their size (1 is all of it), with compensation and with plain rounding."""

    files: list[Path]
    error: float
    plain_error: float


def quantize(
    base: Base, shards: Shards, out: Path, rows: int, piece_bytes: int, watch: Watch
) -> Quantized:
    """Write `base` into `out`, its matrices in 4-bit blocks, its embedding in 8-bit ones.

    `rows` training rows show what the layers are given. Raises UserError where `base` is in no folder,
    and for a model that is not asked as those rows are.
    """
    if base.folder is None:
        raise UserError("A tiny random base is for tests only and cannot be quantised.")
    manifest = Manifest.read(base.folder)
    if manifest.regime not in _ASKED:
        raise UserError(f"{base.name} is a {manifest.regime} model; training data do not suit it.")
    made(out)
    before = {n: parts for n, (kind, parts) in _stored(base.folder).items() if kind == "q4_1"}
    products = _products(base, shards, rows, watch)
    stored: dict[str, Tensor] = {}
    errors: list[tuple[float, float]] = []
    state = base.net.state_dict()
    for number, (name, value) in enumerate(state.items()):
        kind = stored_as(f"net.{name}", value)
        parts = FORMATS[kind].quantize(value) if kind else {}
        if kind == "q4_1":
            plain, parts = parts, compensated(value, products[name], before.get(name))
            ours, theirs = (_error(value, p, products[name]) for p in (parts, plain))
            errors.append((ours, theirs))
        stored |= flatten(name, kind, parts) if kind else {name: value}
        watch("rounding", number + 1, len(state))
    if not errors:
        raise UserError(f"No matrix of {base.name} can be cut into blocks of {BLOCK} columns.")
    stored |= {f"length_head.{name}": value for name, value in base.length_head.items()}
    card = {**manifest.card, "quantised": {"method": "GPTQ", "rows": rows}}
    told = replace(manifest, card=card)
    files = write(out, told, [stored], base.tokenizer_json, piece_bytes)
    error, plain_error = (statistics.fmean(each) for each in zip(*errors, strict=True))
    return Quantized(files, error, plain_error)


def _stored(folder: Path) -> dict[str, tuple[str, Parts]]:
    return gather(read_tensors(folder))


def _error(value: Tensor, parts: Parts, products: Tensor) -> float:
    """The share of a layer's outputs, as sums of squares, that rounding its matrix makes wrong."""
    moved = value.float() - restore("q4_1", parts)
    whole = float((value.float() @ products).mul(value.float()).sum())
    return float((moved @ products).mul(moved).sum()) / max(whole, 1e-30)


@torch.no_grad()
def _products(base: Base, shards: Shards, rows: int, watch: Watch) -> dict[str, Tensor]:
    """The inputs' products [in, in] of every matrix between embedding and head, summed over tokens."""
    noise = NoiseConfig(canvases=2, max_prefix=384, max_suffix=128, prefix_first=0.0)
    config = TrainConfig(rows=_ROWS, micro_rows=_ROWS, mask_warmup=0.0, noise=noise)
    steps = max(1, -(-rows // _ROWS))
    net = copy.deepcopy(base.net).to(getattr(torch, best_dtype(torch.device("cpu"))))
    with _Watched(net) as watched:
        for step in range(steps):
            for arrays in arrays_of(rows_of(shards, base.manifest.specials, config, step), config):
                batch = Batch.of(arrays)
                watched.real = batch.documents >= 0
                net(batch.ids, batch.positions, dense(batch))
            watch("reading", step + 1, steps)
    return watched.products


class _Watched:
    """Sums the products of what each linear layer of a network is given, while it is entered."""

    def __init__(self, net: Decoder) -> None:
        self.real = torch.ones(0, dtype=torch.bool)  # [B, T], False for padding
        self.products: dict[str, Tensor] = {}
        self._layers = {n: m for n, m in net.named_modules() if isinstance(m, nn.Linear)}
        self._stack = ExitStack()

    def __enter__(self) -> "_Watched":
        for name, layer in self._layers.items():
            hook = layer.register_forward_pre_hook(partial(self._add, f"{name}.weight"))
            self._stack.callback(hook.remove)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _add(self, name: str, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        inputs = given[0][self.real].float()
        product = inputs.t() @ inputs
        known = self.products.get(name)
        self.products[name] = product if known is None else known.add_(product)
