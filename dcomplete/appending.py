"""Result files of JSON lines: found to be writable before a long job, and grown by each line at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError


def check(*paths: Path | None) -> None:
    """Raise UserError for a file that will not take lines, before hours were spent on them."""
    for path in filter(None, paths):
        fresh = not path.exists()
        _write(path, "")
        if fresh:
            path.unlink()  # a job that comes to nothing leaves nothing


def append(path: Path | None, *lines: Mapping[str, Any]) -> None:
    """Add lines to a file, if there is one; raises UserError where that is not possible."""
    if path is not None:
        _write(path, "".join(json.dumps(line) + "\n" for line in lines))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}.") from None
