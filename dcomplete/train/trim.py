"""A smaller vocabulary: the tokens that code needs, with everything they are merged from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from dcomplete.errors import UserError
from dcomplete.models.checkpoint import Manifest, read_tensors, write
from dcomplete.models.specials import Specials
from dcomplete.train.folder import made


@dataclass(frozen=True, slots=True)
class Trimmed:
    """`kept[new id]` is the old id; text made of kept tokens is cut exactly as before."""

    tokenizer_json: str
    kept: list[int]

    @property
    def new_id(self) -> dict[int, int]:
        return {old: new for new, old in enumerate(self.kept)}


def trim(tokenizer_json: str, wanted: Iterable[int]) -> Trimmed:
    """Keep `wanted`, all special and single-character tokens, and all ancestors in the merges."""
    raw = json.loads(tokenizer_json)
    model = raw["model"]
    if model["type"] != "BPE":
        raise UserError(f"Only BPE vocabularies can be trimmed, not {model['type']}.")
    vocab: dict[str, int] = model["vocab"]
    merges = [m if isinstance(m, list) else m.split(" ", 1) for m in model["merges"]]
    made_from = {a + b: (a, b) for a, b in reversed(merges)}
    names = {i: t for t, i in vocab.items()}
    special = {t["id"] for t in raw["added_tokens"]}
    keep = {t for t, i in vocab.items() if len(t) == 1 or i in special}
    waiting = [names[i] for i in wanted if i in names]  # networks may be padded beyond the names
    while waiting:
        token = waiting.pop()
        if token not in keep:
            keep.add(token)
            waiting += made_from.get(token, ())
    kept = sorted(vocab[t] for t in keep)
    new = {old: n for n, old in enumerate(kept)}
    model["vocab"] = {names[old]: n for n, old in enumerate(kept)}
    model["merges"] = [[a, b] for a, b in merges if {a, b, a + b} <= keep]
    raw["added_tokens"] = [_moved(t, new) for t in raw["added_tokens"]]
    return Trimmed(json.dumps(raw, ensure_ascii=False, separators=(",", ":")), kept)


def _moved(token: dict[str, Any], new: dict[int, int]) -> dict[str, Any]:
    return {**token, "id": new[token["id"]]}


def like(tokenizer_json: str, smaller_json: str) -> Trimmed:
    """The trim that turns one tokenizer into a smaller one; raises UserError where none does."""
    vocab: dict[str, int] = json.loads(tokenizer_json)["model"]["vocab"]
    smaller: dict[str, int] = json.loads(smaller_json)["model"]["vocab"]
    unknown = smaller.keys() - vocab.keys()
    if unknown or sorted(smaller.values()) != list(range(len(smaller))):
        raise UserError("The smaller tokenizer was not trimmed from the model's own.")
    return Trimmed(smaller_json, [vocab[name] for name in sorted(smaller, key=smaller.__getitem__)])


def trim_model(folder: Path, smaller_json: str, out: Path, piece_bytes: int) -> list[Path]:
    """Write a model folder of ours with another's (trimmed) vocabulary; stored blocks stay as they are."""
    manifest = Manifest.read(folder)
    trimmed = like((folder / "tokenizer.json").read_text(encoding="utf-8"), smaller_json)
    tensors = {n: rows(n, t, trimmed.kept) for n, t in read_tensors(folder).items()}
    smaller = replace(
        manifest,
        net=replace(manifest.net, vocab=len(trimmed.kept)),
        specials=moved(manifest.specials, trimmed),
    )
    made(out)
    return write(out, smaller, [tensors], trimmed.tokenizer_json, piece_bytes)


def rows(name: str, value: Tensor, kept: list[int]) -> Tensor:
    """A stored tensor with the vocabulary rows of the kept tokens alone."""
    return value[kept].contiguous() if name.startswith(("embed.", "lm_head.")) else value


def moved(specials: Specials, trimmed: Trimmed) -> Specials:
    """The special tokens under their new ids."""
    new = trimmed.new_id

    def of(old: int | None) -> int | None:
        return None if old is None else new[old]

    return Specials(
        mask=new.get(specials.mask, specials.mask),  # a base has none: -1
        suffix=of(specials.suffix),
        prefix=of(specials.prefix),
        middle=of(specials.middle),
        fill=of(specials.fill),
        expand=of(specials.expand),
        bos=of(specials.bos),
        reserved=tuple(new[i] for i in specials.reserved if i in new),
    )
