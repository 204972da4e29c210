"""A smaller vocabulary: the tokens that code needs, with everything they are merged from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dcomplete.errors import UserError


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
