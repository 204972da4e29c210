"""Which files are nobody's business: secrets, ignored files, and whatever is outside the workspace."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from dcomplete.context.addresses import is_abroad, path_of
from dcomplete.context.ignoring import (
    ANY_CASE,
    IGNORE_FILES,
    OWN_IGNORE_FILES,
    IgnoreFiles,
    as_compared,
    holds,
    listed,
    read_bytes,
)
from dcomplete.context.patterns import verdict
from dcomplete.context.secret_names import is_sealed, is_secret

__all__ = ["Privacy", "is_secret", "resolved"]


class Privacy:
    """The rules for one set of workspace folders and one list of further ignore patterns."""

    def __init__(self, folders: Iterable[Path] = (), ignore: Sequence[str] = ()) -> None:
        given = tuple(folders)
        self.folders = tuple(resolved(folder) or folder for folder in given)
        self._named = (*given, *self.folders)
        self._patterns = listed(ignore, ANY_CASE)
        self._files = IgnoreFiles()

    def hidden(self, uri: str) -> str | None:
        """Why nothing is suggested inside the document, in words; None where it is fine.

        A file that only `.gitignore` names is fine here, and so is a program called `secrets`: the
        person opened it.
        """
        path = path_of(uri)
        if path is None:
            return "This looks like a file with secrets." if is_sealed(_named(uri)) else None
        for place in self._places(path):
            if is_sealed(place):
                return "This looks like a file with secrets."
            if self._ignored(place, OWN_IGNORE_FILES):
                return "The file is ignored by .dcompleteignore or a setting."
        return None

    def usable(self, uri: str) -> bool:
        """Whether the text of an open document may be context for another one.

        Without workspace folders there is no border to cross; the person opened the document.
        """
        path = path_of(uri)
        if path is None:
            return uri.startswith("untitled:") and not is_secret(_named(uri))
        places = self._places(path)
        inside = not self.folders or any(map(places[-1].is_relative_to, self.folders))
        return inside and not any(is_secret(p) or self._ignored(p, IGNORE_FILES) for p in places)

    def allowed(self, path: Path) -> Path | None:
        """Where the file of the workspace at `path` really is; None for what is not read."""
        if is_abroad(path, self._named) or not holds(path.is_file):  # a pipe is none either
            return None
        found = resolved(path)
        if found is None or not any(map(found.is_relative_to, self.folders)):
            return None
        places = (path,) if path == found else (path, found)
        return (
            None if any(is_secret(p) or self._ignored(p, IGNORE_FILES) for p in places) else found
        )

    def read(self, path: Path, most: int) -> str | None:
        """The text of a file of the workspace, at most `most` bytes; None for what is not read."""
        found = self.allowed(path)
        try:
            data = b"\0" if found is None else read_bytes(found, most)
            return None if b"\0" in data else data.decode("utf-8").removeprefix("\ufeff")
        except (OSError, ValueError):
            return None

    def relative(self, uri: str) -> str:
        """How the document is called in context: its path from the workspace folder, or its name."""
        path = path_of(uri)
        if path is None:
            return unquote(uri.partition(":")[2]).rpartition("/")[2] or "untitled"
        for place in (path, resolved(path) or path):
            for folder in self.folders:
                if place.is_relative_to(folder):
                    return place.relative_to(folder).as_posix()
        return path.name

    def _places(self, path: Path) -> tuple[Path, ...]:
        found = resolved(path)
        return (path,) if found is None or found == path else (path, found)

    def _ignored(self, path: Path, names: Sequence[str]) -> bool:
        """Whether ignore files called `names`, or the settings, exclude `path` or a folder above."""
        root = next((f for f in self.folders if path.is_relative_to(f)), path.parent)
        parts = [as_compared(part, ANY_CASE) for part in path.relative_to(root).parts]
        named = any(
            verdict(self._patterns, "/".join(parts[:depth]), folder=depth < len(parts))
            for depth in range(1, len(parts) + 1)
        )
        return named or self._files.ignored(path, root, names)


def resolved(path: Path) -> Path | None:
    """Where links lead, such as `/tmp` on macOS; None where that cannot be told."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return None


def _named(uri: str) -> Path:
    """What a document that is no file is called."""
    return Path(unquote(uri.partition(":")[2]).partition("#")[0].partition("?")[0])
