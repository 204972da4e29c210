"""Which weights answered: two models may share a name, and a name may get other weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

_MANIFEST = "dcomplete.json"
_DIGITS = 16


def of_model(name: str) -> str:
    """What an installed model, or a folder of ours, computes with. Raises UserError."""
    from dcomplete.models.store import find

    return of_folder(find(name).path)


def of_folder(folder: Path) -> str:
    """A digest of a model folder's weights, tokenizer and settings.

    The card is left out but for the checksums that an export wrote, which spare reading the weights:
    scores are added to a card long after the answers.
    """
    said: dict[str, Any] = {}
    if (folder / _MANIFEST).is_file():
        said = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    known = said.pop("card", {}).get("sha256", {})
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for file in sorted(
        [*folder.glob("*.safetensors"), *folder.glob("tokenizer.json"), *folder.glob("config.json")]
    ):
        found.update(f"{file.name} {known.get(file.name) or _whole(file)}\n".encode())
    return found.hexdigest()[:_DIGITS]


def of_file(path: Path) -> str:
    """A digest of a model in one file."""
    return _whole(path)[:_DIGITS]


def _whole(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
