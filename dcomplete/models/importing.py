"""Bring a foreign model in: a GGUF file or a Hugging Face folder becomes a folder of ours.

Published diffusion models (`models.published`) infill as their authors say. So does an autoregressive
base whose tokenizer has fill-in-the-middle sentinels: its canvas has no practice, but the `verify`
policy checks every token causally, so the answer is the base's own. Other bases are for the trainer.
"""

import errno
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import Manifest, write
from dcomplete.models.config import NetConfig
from dcomplete.models.decoder import Decoder
from dcomplete.models.foreign import Rename, Source, read_source
from dcomplete.models.gguf import GgufFile
from dcomplete.models.names import fused, parts
from dcomplete.models.published.kinds import Published
from dcomplete.models.published.registry import recognise
from dcomplete.models.quant import FORMATS, flatten
from dcomplete.models.specials import Specials

_FULL = ("No space left", "(os error 112)", "(os error 39)")  # the last two are Windows's
_HEAD, _TABLE = "lm_head.weight", "model.embed_tokens.weight"
# Sentinel names by family: prefix, suffix, middle, the token that ends a middle, one for the mask.
_SENTINELS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|fim_pad|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>", "<fim_pad>"),
)


def import_model(source: Path, folder: Path) -> Manifest:
    """Read `source` (a .gguf file or a folder) and write `folder`; raises ModelError."""
    if source.is_dir():
        return _from_folder(read_source(source), folder)
    if source.suffix == ".gguf":
        file = GgufFile(source)
        config, tokenizer_json = file.config(), file.tokenizer_json()
        manifest = describe(config, tokenizer_json, {"source": source.name})
        with disk_full(folder):
            write(folder, manifest, [_gguf_tensors(file)], tokenizer_json)
        return manifest
    if source.exists():
        raise ModelError(f"{source} is neither a GGUF file nor a model folder.")
    raise ModelError(f"There is no file or folder {source}.")


def _from_folder(source: Source, folder: Path) -> Manifest:
    family = recognise(source)
    if family is not None and not family.native:
        from dcomplete.models.published.diffusion_gemma import install

        with disk_full(folder):
            return install(source, folder)
    config, state = open_hf(source, family)
    if family is not None:
        manifest = family.describe(source, config)
    else:
        manifest = describe(config, source.tokenizer_json, {"source": source.folder.name})
    with disk_full(folder):
        write(folder, manifest, [state], source.tokenizer_json)
    return manifest


def open_hf(
    source: Source, family: Published | None
) -> tuple[NetConfig, Iterator[tuple[str, Tensor]]]:
    """A folder's shape, and its tensors under our names, read when asked for.

    Shapes are checked before; raises ModelError.
    """
    raw = source.config
    rename: Rename = str if family is None else family.rename
    config = NetConfig.from_hf(raw) if family is None else family.net(raw)
    config = replace(config, tied=_tied(source, config, rename))
    _check(source, config, rename)
    return config, fused(config, lambda name: source.tensors[rename(name)])


def _tied(source: Source, config: NetConfig, rename: Rename) -> bool:
    """Whether the head is the token table: what lies in the files counts, configs are often wrong."""
    head, table = rename(_HEAD), rename(_TABLE)
    if head not in source.tensors:
        return config.tied or "tie_word_embeddings" not in source.config
    if not config.tied or table not in source.tensors:
        return False
    return torch.equal(source.tensors[head], source.tensors[table])


def _check(source: Source, config: NetConfig, rename: Rename) -> None:
    """Compare shapes with the config's; raises ModelError for the first that does not fit."""
    expected = _shapes(config)
    for ours, theirs in parts(config).items():
        names = [rename(name) for name in theirs]
        for name in names:
            if name not in source.tensors:
                raise ModelError(f"The checkpoint lacks the tensor {name!r}.")
        shapes = [source.tensors.shape(name) for name in names]
        whole = (sum(shape[0] for shape in shapes), *shapes[0][1:])
        if whole != expected[ours] or len({shape[1:] for shape in shapes}) > 1:
            pairs = zip(names, shapes, strict=True)
            told = ", ".join(f"{name!r} has shape {shape}" for name, shape in pairs)
            raise ModelError(
                f"Tensor {told}, which does not fit the config "
                f"({ours} should be {expected[ours]}); the checkpoint is damaged or of another model."
            )


def _shapes(config: NetConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        net = Decoder(config)
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


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


@contextmanager
def disk_full(folder: Path) -> Iterator[None]:
    """Turn a full disk into one sentence."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        full = any(said in str(error) for said in _FULL)  # safetensors hands no number on
        if not full and getattr(error, "errno", None) != errno.ENOSPC:
            raise
        raise ModelError(
            f"The disk that holds {folder.parent} is full; nothing was installed. Make room and try again."
        ) from None


def _gguf_tensors(file: GgufFile) -> Iterable[tuple[str, Tensor]]:
    """All tensors; blocks in a format that we store too are taken over bit by bit."""
    for ours, theirs in file.names().items():
        try:
            pieces = [file.quantized(name) for name in theirs]
        except KeyError as error:
            raise ModelError(f"The GGUF file lacks the tensor {error.args[0]!r}.") from None
        kinds = {kind for kind, _ in pieces}
        if len(kinds) == 1 and (kind := kinds.pop()) in FORMATS:
            raw = torch.cat([block for _, block in pieces])
            yield from flatten(ours, kind, FORMATS[kind].from_gguf(raw)).items()
        else:
            dense = torch.cat([file.tensor(name) for name in theirs])
            yield ours, dense if dense.dim() == 1 else dense.half()
