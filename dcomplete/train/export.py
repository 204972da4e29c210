"""A run to a model folder: the base's own quantised blocks, adapters, new rows, length head, card.

An adapter run keeps the base's blocks bit by bit, so the export loses nothing but what the vocabulary
trim drops. A full run is quantised afresh.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcomplete.errors import UserError
from dcomplete.models.checkpoint import read_tensors, write
from dcomplete.models.quant import BLOCK, FORMATS, flatten, gather, restore
from dcomplete.models.specials import Specials
from dcomplete.models.store import MANIFEST
from dcomplete.train.adapter import ADAPTED
from dcomplete.train.base import Base
from dcomplete.train.config import TrainConfig
from dcomplete.train.folder import made
from dcomplete.train.rounding import stored_as
from dcomplete.train.run import STATE
from dcomplete.train.shards import Shards
from dcomplete.train.trim import moved, rows, trim


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`min_count` is how often a token must occur in the data to be kept; 0 keeps all. `other_text` is
    whether the weights may be shown other files' text; None: whether the data did so."""

    min_count: int = 2
    policy: str = "threshold"
    piece_bytes: int = 48_000_000
    averaged: bool = True
    quantize: bool = True
    other_text: bool | None = None


def export(
    base: Base,
    run_folder: Path,
    shards: Shards,
    out: Path,
    card: Mapping[str, Any],
    options: ExportOptions,
) -> list[Path]:
    """Write `out`; returns its files. Raises UserError for a folder without a run."""
    path = run_folder / STATE
    if not path.is_file():
        raise UserError(f"There is no run in {run_folder}.")
    made(out)
    state = torch.load(path, weights_only=True)
    config = {k: v for k, v in state["config"].items() if k != "noise"}
    settings = TrainConfig(**config)
    trained: dict[str, Tensor] = state["average" if options.averaged else "weights"]
    trimmed = trim(base.tokenizer_json, used(shards, base.manifest.net.vocab, options.min_count))
    if base.folder is None:
        raise UserError("A run from a tiny random base is for tests only and cannot be exported.")
    stored = gather(read_tensors(base.folder))
    kept: dict[str, Tensor] = {}  # as the base has it: in files of its own, the same for every run
    if settings.mode == "lora":
        kept, tensors = _adapted(stored, trained, base.manifest.specials, settings, options)
    else:
        tensors = _fresh(trained, options)
    tensors = {n: rows(n, t, trimmed.kept) for n, t in tensors.items()}
    tensors |= {n: trained[n] for n in ("length_head.weight", "length_head.bias")}
    shown = shards.surrounded if options.other_text is None else options.other_text
    manifest = replace(
        base.manifest,
        net=replace(base.manifest.net, vocab=len(trimmed.kept)),
        specials=moved(base.manifest.specials, trimmed),
        policy=options.policy,
        usage=replace(base.manifest.usage, other_text=shown),
        card={
            **card,
            **(before := _earlier(base)),
            **_together(before, tokens_seen=state["tokens"], steps=state["step"]),
            "training": state["config"] | {"base": Path(state["config"]["base"]).name},
        },
    )
    files = write(out, manifest, [kept, tensors], trimmed.tokenizer_json, options.piece_bytes)
    return [out / MANIFEST, out / "tokenizer.json", *files]


def _earlier(base: Base) -> dict[str, Any]:
    """What a base that was trained for infilling before had seen."""
    if not base.length_head:
        return {}
    kept = ("tokens_seen", "steps", "device", "time", "training", "continues")
    return {"continues": {k: v for k, v in base.manifest.card.items() if k in kept}}


def _together(before: dict[str, Any], **counts: int) -> dict[str, int]:
    """This run's counts and those of the runs before it."""
    earlier = before.get("continues", {})
    return {name: count + earlier.get(name, 0) for name, count in counts.items()}


def used(shards: Shards, vocabulary: int, min_count: int) -> list[int]:
    """Ids that occur at least `min_count` times in the data."""
    if min_count <= 0:
        return list(range(vocabulary))
    counts = np.zeros(vocabulary, np.int64)
    for tokens in shards.all_tokens():
        counts += np.bincount(tokens, minlength=vocabulary)
    return [int(i) for i in np.flatnonzero(counts >= min_count)]


def _adapted(
    stored: dict[str, tuple[str, dict[str, Tensor]]],
    trained: dict[str, Tensor],
    specials: Specials,
    settings: TrainConfig,
    options: ExportOptions,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(base blocks as they are, what training changed: norms, embedding, adapters)."""
    kept: dict[str, Tensor] = {}
    out: dict[str, Tensor] = {}
    for name, (kind, parts) in stored.items():
        if (fresh := trained.get(f"net.{name}")) is not None:
            out[name] = fresh.float()
        elif name == "embed.weight":
            out |= _embedding(kind, parts, trained["net.embed.rows"], specials, options)
        else:
            kept |= flatten(name, kind, parts) if kind else {name: parts[""]}
    for key, value in trained.items():
        stem, _, part = key.removeprefix("net.").rpartition(".")
        if part in ("a", "b") and stem.rpartition(".")[2] in ADAPTED:
            scaled = value * settings.lora_scale if part == "b" else value
            out |= _adapter(f"{stem}.lora_{part}", scaled, options)
    return kept, out


def _adapter(name: str, value: Tensor, options: ExportOptions) -> dict[str, Tensor]:
    """8-bit blocks: an adapter is a small correction, so a 250th of it is nothing."""
    if options.quantize and value.shape[1] % BLOCK == 0:
        return flatten(name, "q8_0", FORMATS["q8_0"].quantize(value))
    return {name: value.half()}


def _embedding(
    kind: str,
    parts: dict[str, Tensor],
    rows: Tensor,
    specials: Specials,
    options: ExportOptions,
) -> dict[str, Tensor]:
    ids = sorted(
        i
        for i in (specials.suffix, specials.prefix, specials.middle, specials.mask, specials.fill)
        if i is not None
    )
    kind = kind or ("q8_0" if options.quantize else "")
    dense = restore("", parts) if "" in parts else None
    if not kind:
        assert dense is not None
        table = dense.clone()
        table[ids] = rows.to(table.dtype)
        return {"embed.weight": table}
    parts = FORMATS[kind].quantize(dense) if dense is not None else dict(parts)
    for part, value in FORMATS[kind].quantize(rows).items():
        parts[part] = parts[part].clone()
        parts[part][ids] = value
    return flatten("embed.weight", kind, parts)


def _fresh(trained: dict[str, Tensor], options: ExportOptions) -> dict[str, Tensor]:
    """A fully trained network: matrices to 4-bit blocks, the embedding to 8-bit ones."""
    out: dict[str, Tensor] = {}
    for key, value in trained.items():
        name, kind = key.removeprefix("net."), stored_as(key, value)
        if name.startswith("length_head"):
            continue
        if value.dim() != 2:
            out[name] = value.float()
        elif kind and options.quantize:
            out |= flatten(name, kind, FORMATS[kind].quantize(value))
        else:
            out[name] = value.to(torch.bfloat16)
    return out


def checksums(files: list[Path]) -> dict[str, str]:
    """sha256 by file name."""
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def add_to_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write scores or checksums into an exported model's card."""
    path = folder / MANIFEST
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["card"] |= facts
    path.write_text(
        json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
