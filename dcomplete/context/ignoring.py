"""Git's rules of what is ignored: nested files, the deepest first, then those outside the tree."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".dcompleteignore")
OWN_IGNORE_FILES = (".dcompleteignore",)

_LARGEST = 1 << 24  # bytes of an ignore file
_INSIDE = "ps_d"  # pathspec's group for the slash behind which a pattern tells of what is inside
_CORE = re.compile(r"^\s*\[\s*core\s*\](.*?)(?=^\s*\[|\Z)", re.I | re.M | re.S)
_EXCLUDES = re.compile(r'^\s*excludesfile\s*=\s*"?([^"\n;#]+?)"?\s*(?:[;#].*)?$', re.I | re.M)


class IgnoreFiles:
    """Reads ignore files and keeps them until they change."""

    def __init__(self) -> None:
        self._specs: dict[Path, tuple[int, int, GitIgnoreSpec]] = {}
        self._outside: dict[Path, tuple[Path, ...]] = {}

    def ignored(self, path: Path, root: Path, names: Sequence[str]) -> bool:
        """Whether ignore files called `names` exclude `path` or a folder above, from `root` on."""
        top = repository(root)
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
            files = [
                (top.joinpath(*parts[:depth], name), "/".join(parts[depth:]))
                for depth in range(len(parts) - 1, -1, -1)
            ]
            if name == ".gitignore":
                files += [(file, "/".join(parts)) for file in self._outside_of(top)]
            for file, rest in files:
                verdict = self._verdict(file, rest + "/" * folder)
                if verdict:
                    return True
                if verdict is not None:
                    break
        return False

    def _verdict(self, file: Path, rest: str) -> bool | None:
        """What the last pattern of `file` that matches `rest` itself says; None without one.

        A folder that comes back does not bring what is in it back.
        """
        spec = self._read(file)
        for pattern in reversed(list(spec.patterns)) if spec is not None else ():
            regex = getattr(pattern, "regex", None)
            for match in regex.finditer(rest) if regex is not None else ():
                if match.groupdict().get(_INSIDE) is None or match.end(_INSIDE) == len(rest):
                    return bool(pattern.include)
        return None

    def _read(self, path: Path) -> GitIgnoreSpec | None:
        try:
            status = path.stat()
            key = (status.st_mtime_ns, status.st_size)
            known = self._specs.get(path)
            if known is None or known[:2] != key:
                # Notepad puts a byte order mark before the first pattern.
                lines = read_bytes(path.resolve(), _LARGEST).decode("utf-8-sig", "replace")
                known = (*key, GitIgnoreSpec.from_lines(valid(lines.splitlines())))
                self._specs[path] = known
        except (OSError, ValueError):
            return None
        return known[2]

    def _outside_of(self, top: Path) -> tuple[Path, ...]:
        """The repository's own list and the person's: what `.gitignore` files say comes first."""
        known = self._outside.get(top)
        if known is None:
            git = _git_folder(top)
            known = () if git is None else (git / "info" / "exclude", _persons(git))
            self._outside[top] = known
        return known


def repository(root: Path) -> Path:
    """The folder with `.git` at or above `root`, whose ignore files count too; else `root`."""
    return next((f for f in (root, *root.parents) if holds((f / ".git").exists)), root)


def _git_folder(top: Path) -> Path | None:
    """Where the repository's own files are; a work tree's `.git` is a file that tells it."""
    git = top / ".git"
    try:
        if git.is_file():
            git = top / git.read_text("utf-8").removeprefix("gitdir:").strip()
            common = git / "commondir"
            return git / common.read_text("utf-8").strip() if common.is_file() else git
    except (OSError, ValueError):
        return None
    return git if holds(git.is_dir) else None


def _persons(git: Path) -> Path:
    """`core.excludesFile`, the last one that git's configuration names, else its default place."""
    home = _of_person(Path("~"))
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    persons = [Path(named)] if named else [config / "config", home / ".gitconfig"]
    found = config / "ignore"
    for file in (Path("/etc/gitconfig"), *persons, git / "config"):
        try:
            text = read_bytes(file.resolve(), _LARGEST).decode("utf-8", "replace")
        except (OSError, ValueError):
            continue
        for section in _CORE.finditer(text):
            for value in _EXCLUDES.findall(section.group(1)):
                found = _of_person(Path(value.replace("\\\\", "\\")))
    return found


def holds(asked: Callable[[], bool]) -> bool:
    """What a path says of itself; False where it lies in a folder that may not be looked into, or is
    too long: pathlib raises there.
    """
    try:
        return asked()
    except OSError:
        return False


def _of_person(path: Path) -> Path:
    """`path` with its ~ resolved; as it is where nobody of that name, or no home, is known here."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def valid(lines: Iterable[str]) -> list[str]:
    """The patterns that can be understood; git passes over the others too."""
    found = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        found.append(line)
    return found


def read_bytes(path: Path, most: int) -> bytes:
    """Bytes of a regular file, opened so that no pipe blocks and no late symlink is followed."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is no regular file.")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} is larger than {most} bytes.")
    return data
