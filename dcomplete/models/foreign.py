"""A Hugging Face model folder as a source: config, tokenizer, and tensors that are read when asked for.

Nothing in it is executed, ever: published code is what our own code replaces.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.tokenizer_files import read_tokenizer_json

_INDEX = "model.safetensors.index.json"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_POINTER = b"version https://git-lfs"


class Tensors(Mapping[str, Tensor]):
    """The tensors of a folder's safetensors files by name, read one at a time.

    Raises ModelError for pickled, missing, cut short or damaged files.
    """

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Any] = {}
        for path in _weight_files(folder):
            try:
                opened = safe_open(path, framework="pt")
                names: list[str] = list(opened.keys())  # type: ignore[no-untyped-call]
            except (SafetensorError, OSError) as error:
                raise ModelError(_damaged(path, error)) from None
            self._files |= dict.fromkeys(names, (path, opened))

    def __getitem__(self, name: str) -> Tensor:
        path, opened = self._files[name]
        try:
            tensor: Tensor = opened.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise ModelError(_damaged(path, error)) from None
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def shape(self, name: str) -> tuple[int, ...]:
        """From the file's header, without reading the numbers."""
        return tuple(self._files[name][1].get_slice(name).get_shape())


def _damaged(path: Path, error: object) -> str:
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            return f"{path} is a git-lfs pointer, not the weights; download the model itself."
    return f"The weights file {path} is damaged or cut short ({error}); get the model again."


def _weight_files(folder: Path) -> list[Path]:
    """All safetensors files; where an index names them, exactly those."""
    found = sorted(folder.glob("*.safetensors"))
    index = folder / _INDEX
    if index.is_file():
        try:
            wanted = sorted(
                set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{index} is damaged ({error}); get the model again.") from None
        missing = [name for name in wanted if not (folder / Path(name).name).is_file()]
        if missing:
            raise ModelError(
                f"{folder} is only half downloaded: {missing[0]} is missing "
                f"({len(missing)} of {len(wanted)} weight files); download the rest first."
            )
        found = [folder / Path(name).name for name in wanted]
    if not found:
        pickled = [path for pattern in _PICKLED for path in folder.glob(pattern)]
        why = " Pickled weights are not read, they can run code." if pickled else ""
        raise ModelError(f"There are no safetensors files in {folder}.{why}")
    return found


@dataclass(frozen=True)
class Source:
    """What a model folder says of itself; see `read_source`."""

    folder: Path
    config: Mapping[str, Any]
    tokenizer_json: str
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def tensors(self) -> Tensors:
        return Tensors(self.folder)

    @cached_property
    def added(self) -> dict[str, int]:
        """The tokenizer's added tokens by their text."""
        raw = json.loads(self.tokenizer_json)
        return {t["content"]: t["id"] for t in raw.get("added_tokens", [])}

    @property
    def special(self) -> tuple[int, ...]:
        """Ids of the added tokens: no answer may contain them."""
        return tuple(sorted(self.added.values()))

    @property
    def architecture(self) -> str:
        return str((self.config.get("architectures") or [""])[0])

    @property
    def runs_code(self) -> bool:
        """Whether the checkpoint wants its own code to be run."""
        return bool(self.config.get("auto_map"))

    def declared(self, role: str) -> int | None:
        """The id of ``mask_token``, ``bos_token``.. where the tokenizer's configuration names one."""
        named = self.tokenizer_config.get(role)
        text = named.get("content") if isinstance(named, Mapping) else named
        return self.added.get(text) if isinstance(text, str) else None

    def mask(self, known: int | None = None, *names: str) -> int:
        """The mask's id, on which config and tokenizer must agree.

        `known` is the family's published id and `names` its token's texts, asked where the
        checkpoint itself says nothing. Raises ModelError.
        """
        said = {
            "config.json": self.config.get("mask_token_id"),
            "generation_config.json": self.generation.get("mask_token_id"),
            "the tokenizer": self.declared("mask_token"),
        }
        ids = {where: int(i) for where, i in said.items() if i is not None}
        if len(set(ids.values())) > 1:
            which = ", ".join(f"{where} says {i}" for where, i in ids.items())
            raise ModelError(f"The checkpoint contradicts itself about its mask token: {which}.")
        found = next(iter(ids.values()), None)
        found = next((self.added[n] for n in names if n in self.added), found)
        found = known if found is None else found
        if found is None or not self._is_special(found):
            what = "names no mask token" if found is None else f"has no token {found} for the mask"
            raise ModelError(f"The checkpoint's tokenizer {what}; it is no masked diffusion model.")
        if ids and found not in ids.values():
            where, other = next(iter(ids.items()))
            raise ModelError(
                f"{where} names token {other} as the mask, but the tokenizer's mask is {found}."
            )
        return found

    def _is_special(self, index: int) -> bool:
        """Whether the tokenizer has a token of its own for `index`; some list theirs as plain ones."""
        if index in self.added.values():
            return True
        vocab = json.loads(self.tokenizer_json).get("model", {}).get("vocab", {})
        pairs = vocab.items() if isinstance(vocab, Mapping) else ()
        return any(i == index and "mask" in text.lower() for text, i in pairs)

    def first(self, *names: str) -> int | None:
        """The id of the first of `names` that the tokenizer knows as a token of its own."""
        return next((self.added[n] for n in names if n in self.added), None)


def read_source(folder: Path) -> Source:
    """Read what is small; raises ModelError for a folder that is no model or is damaged."""
    config = _json(folder / "config.json")
    if config is None:
        raise ModelError(
            f"{folder} is no Hugging Face model folder: {folder / 'config.json'} is missing."
        )
    tokenizer_config = _json(folder / "tokenizer_config.json") or {}
    return Source(
        folder,
        config,
        read_tokenizer_json(folder, tokenizer_config),
        tokenizer_config,
        _json(folder / "generation_config.json") or {},
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged ({error}).") from None
    if not isinstance(raw, dict):
        raise ModelError(f"{path} is damaged (no object).")
    return raw


Rename = Callable[[str], str]  # a Llama-style tensor name to the checkpoint's own
