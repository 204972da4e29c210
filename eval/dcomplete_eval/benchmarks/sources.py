"""Source files of any folder, to cut holes from: no secrets, nothing generated, nothing huge.

Both the editor's rules of privacy and the trainer's of what is worth learning from apply. What git
ignores is left out, unless that is everything: then the folder was named on purpose.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from random import Random

from dcomplete.context.privacy import Privacy, is_secret
from dcomplete.errors import UserError
from dcomplete.train.filters import LANGUAGES, MAX_BYTES, reject_path, reject_text
from dcomplete_eval.metrics import parses


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text with `\\n` line ends; `path` is within the folder, with `/`."""

    path: str
    language: str
    text: str


def documents(folder: Path, seed: int) -> Iterator[Document]:
    """The folder's documents, read when asked for: languages take turns, each in a seeded order.

    Raises UserError for a folder that is none or that holds no usable source file.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name one that holds source files.")
    paths = _in_turns(_walk(folder), Random(f"{seed}:documents"))
    found = False
    for rules in (Privacy((folder.resolve(),)), None):
        for path in paths:
            document = _read(folder.resolve(), path, rules)
            if document:
                found = True
                yield document
        if found:
            return
    raise UserError(f"{folder} holds no source file to cut holes from.")


def _walk(folder: Path) -> list[str]:
    """Paths of source files by name, sorted; hidden folders are not entered."""
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(here, name).relative_to(folder)
            if not is_secret(path) and reject_path(path.as_posix()) is None:
                found.append(path.as_posix())
    return sorted(found)


def _in_turns(paths: Iterable[str], rng: Random) -> list[str]:
    """Shuffled, a file of each language after the other, so that no language rules the holes."""
    by_language: dict[str, list[str]] = {}
    for path in paths:
        by_language.setdefault(_language(path), []).append(path)
    for group in by_language.values():
        rng.shuffle(group)
    longest = max(map(len, by_language.values()), default=0)
    return [g[i] for i in range(longest) for g in by_language.values() if i < len(g)]


def _language(path: str) -> str:
    return LANGUAGES[PurePosixPath(path).suffix.lower()]


def _read(folder: Path, path: str, rules: Privacy | None) -> Document | None:
    """None for what is not to be read, or does not parse as a whole: a hole needs a sound frame."""
    file = folder / path
    text = rules.read(file, MAX_BYTES) if rules else _plainly(file, folder)
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if reject_text(text) is not None or parses(text, _language(path)) is False:
        return None
    return Document(path, _language(path), text)


def _plainly(file: Path, folder: Path) -> str | None:
    try:
        inside = file.resolve().is_relative_to(folder)
        if not inside or not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        text = file.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text else text
