"""Which files are nobody's business: secrets, ignored files, and whatever is outside the workspace.

The built-in list joins those of Zed and Continue; that an assistant reads `.env` is among the most
repeated complaints (vscode 335397, positron 7724, continue 3244).
"""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from fnmatch import translate
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from pathspec import GitIgnoreSpec

SECRET_FILES = (
    ".env*", "*.env", ".dev.vars*", "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.ppk", "*.jks",
    "*.keystore", "*.kdb", "*.kdbx", "*.crt", "*.cert", "*.cer", "*.der", "*.csr", "*.asc", "*.gpg",
    "*.pgp", "*.ovpn", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials*", "secrets.*",
    "secret.*", ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf",
    ".htpasswd", ".dockercfg", ".boto", ".s3cfg", ".vault-token", "kubeconfig", "*.kubeconfig",
    "*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.*", "service-account*.json",
    "*.mobileprovision",
)  # fmt: skip
SECRET_FOLDERS = frozenset(
    {".aws", ".azure", ".docker", ".gcloud", ".gnupg", ".kube", ".password-store", ".ssh", ".git"}
)
_SECRET = re.compile("|".join(map(translate, SECRET_FILES)))
IGNORE_FILES = (".gitignore", ".dcompleteignore")
OWN_IGNORE_FILES = (".dcompleteignore",)

_LARGEST_IGNORE_FILE = 1 << 24  # bytes


def path_of(uri: str) -> Path | None:
    """The file that `uri` stands for; None for untitled and other documents that are no file."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "file" or "\0" in unquote(parts.path):
            return None
        return Path(os.path.normpath(url2pathname(parts.path)))
    except ValueError:
        return None


def is_secret(path: Path) -> bool:
    """Whether the name or a folder of `path` is on the built-in list, in any case."""
    parts = [part.lower() for part in path.parts]
    return bool(parts) and (
        not SECRET_FOLDERS.isdisjoint(parts[:-1]) or _SECRET.match(parts[-1]) is not None
    )


class Privacy:
    """The rules for one set of workspace folders and one list of further ignore patterns."""

    def __init__(self, folders: Iterable[Path] = (), ignore: Sequence[str] = ()) -> None:
        self.folders = tuple(_resolved(folder) or folder for folder in folders)
        self._spec = GitIgnoreSpec.from_lines(_valid(ignore))
        self._specs: dict[Path, tuple[int, int, GitIgnoreSpec]] = {}

    def hidden(self, uri: str) -> str | None:
        """Why nothing is suggested inside the document, in words; None where it is fine.

        A file that only `.gitignore` names is fine here: the person opened it.
        """
        path = path_of(uri)
        if path is None:
            name = Path(unquote(uri.partition(":")[2]).partition("#")[0])
            return "This looks like a file with secrets." if is_secret(name) else None
        for place in self._places(path):
            if is_secret(place):
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
            return uri.startswith("untitled:") and self.hidden(uri) is None
        places = self._places(path)
        inside = not self.folders or any(map(places[-1].is_relative_to, self.folders))
        return inside and not any(is_secret(p) or self._ignored(p, IGNORE_FILES) for p in places)

    def allowed(self, path: Path) -> Path | None:
        """Where the file of the workspace at `path` really is; None for what is not read."""
        if not path.is_file():  # a pipe is none either
            return None
        found = _resolved(path)
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
            data = b"\0" if found is None else _read(found, most)
            return None if b"\0" in data else data.decode("utf-8").removeprefix("\ufeff")
        except (OSError, ValueError):
            return None

    def relative(self, uri: str) -> str:
        """How the document is called in context: its path from the workspace folder, or its name."""
        path = path_of(uri)
        if path is None:
            return unquote(uri.partition(":")[2]).rpartition("/")[2] or "untitled"
        for place in (path, _resolved(path) or path):
            for folder in self.folders:
                if place.is_relative_to(folder):
                    return place.relative_to(folder).as_posix()
        return path.name

    def _places(self, path: Path) -> tuple[Path, ...]:
        found = _resolved(path)
        return (path,) if found is None or found == path else (path, found)

    def _ignored(self, path: Path, names: Sequence[str]) -> bool:
        """Whether ignore files called `names`, or the settings, exclude `path` or a folder above."""
        root = next((f for f in self.folders if path.is_relative_to(f)), path.parent)
        if self._spec.match_file(path.relative_to(root).as_posix()):
            return True
        top = _repository(root)
        parts = path.relative_to(top).parts
        return any(
            self._excluded(top, parts[:depth], names, folder=depth < len(parts))
            for depth in range(1, len(parts) + 1)
        )

    def _excluded(
        self, top: Path, parts: tuple[str, ...], names: Sequence[str], folder: bool
    ) -> bool:
        """Git's rule: the deepest ignore file with an opinion decides; `top` holds the first one."""
        for name in names:
            for depth in range(len(parts) - 1, -1, -1):
                rest = "/".join(parts[depth:]) + ("/" if folder else "")
                spec = self._read_spec(top.joinpath(*parts[:depth], name))
                verdict = None if spec is None else spec.check_file(rest).include
                if verdict:
                    return True
                if verdict is not None:
                    break
        return False

    def _read_spec(self, path: Path) -> GitIgnoreSpec | None:
        try:
            status = path.stat()
            key = (status.st_mtime_ns, status.st_size)
            known = self._specs.get(path)
            if known is None or known[:2] != key:
                lines = _read(path.resolve(), _LARGEST_IGNORE_FILE).decode("utf-8", "replace")
                known = (*key, GitIgnoreSpec.from_lines(_valid(lines.splitlines())))
                self._specs[path] = known
        except (OSError, ValueError):
            return None
        return known[2]


def _repository(root: Path) -> Path:
    """The folder with `.git` at or above `root`, whose ignore files count too; else `root`."""
    return next((f for f in (root, *root.parents) if (f / ".git").exists()), root)


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return None


def _valid(lines: Iterable[str]) -> list[str]:
    """The patterns that can be understood; git passes over the others too."""
    valid = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        valid.append(line)
    return valid


def _read(path: Path, most: int) -> bytes:
    """Bytes of a regular file, opened so that no pipe blocks and no late symlink is followed."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is no regular file.")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} is larger than {most} bytes.")
    return data
