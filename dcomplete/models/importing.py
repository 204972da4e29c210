"""Bring a foreign model in: a GGUF file or a Hugging Face folder becomes a folder of ours.

A base whose tokenizer has fill-in-the-middle sentinels works at once: its canvas has no practice, but
the `verify` policy checks every token causally, so the answer is the base's own. Other bases are
material for the trainer.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import Manifest, read_hf, write
from dcomplete.models.config import NetConfig
from dcomplete.models.gguf import GgufFile
from dcomplete.models.quant import FORMATS, flatten
from dcomplete.models.specials import Specials

# Sentinel names by family: prefix, suffix, middle, the token that ends a middle, one for the mask.
_SENTINELS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|fim_pad|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>", "<fim_pad>"),
)


def import_model(source: Path, folder: Path) -> Manifest:
    """Read `source` (a .gguf file or a folder) and write `folder`; raises ModelError."""
    if source.is_dir():
        config, state, tokenizer_json = read_hf(source)
        stored = dict(state)
    elif source.suffix == ".gguf":
        file = GgufFile(source)
        config, tokenizer_json = file.config(), file.tokenizer_json()
        stored = _gguf_tensors(file)
    elif source.exists():
        raise ModelError(f"{source} is neither a GGUF file nor a model folder.")
    else:
        raise ModelError(f"There is no file or folder {source}.")
    manifest = describe(config, tokenizer_json, {"source": source.name})
    write(folder, manifest, [stored], tokenizer_json)
    return manifest


def describe(config: NetConfig, tokenizer_json: str, card: Mapping[str, Any]) -> Manifest:
    """The manifest of a base: with sentinels an infill model that needs checking, else a plain base."""
    added = {t["content"]: t["id"] for t in json.loads(tokenizer_json).get("added_tokens", [])}
    special = tuple(sorted(added.values()))
    for prefix, suffix, middle, end, mask in _SENTINELS:
        if all(name in added for name in (prefix, suffix, middle, end, mask)):
            ids = Specials(
                mask=added[mask],
                prefix=added[prefix],
                suffix=added[suffix],
                middle=added[middle],
                fill=added[end],
                reserved=special,
            )
            return Manifest(
                config, ids, "context-canvas", suffix_first=False, policy="verify", card=dict(card)
            )
    return Manifest(config, Specials(mask=-1, reserved=special), "base", card=dict(card))


def _gguf_tensors(file: GgufFile) -> dict[str, Tensor]:
    """All tensors; blocks in a format that we store too are taken over bit by bit."""
    import torch

    stored: dict[str, Tensor] = {}
    for ours, theirs in file.names().items():
        try:
            pieces = [file.quantized(name) for name in theirs]
        except KeyError as error:
            raise ModelError(f"The GGUF file lacks the tensor {error.args[0]!r}.") from None
        kinds = {kind for kind, _ in pieces}
        if len(kinds) == 1 and (kind := kinds.pop()) in FORMATS:
            raw = torch.cat([block for _, block in pieces])
            stored |= flatten(ours, kind, FORMATS[kind].from_gguf(raw))
        else:
            dense = torch.cat([file.tensor(name) for name in theirs])
            stored[ours] = dense if dense.dim() == 1 else dense.half()
    return stored
