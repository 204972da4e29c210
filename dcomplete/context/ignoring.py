"""Git's rules of what is ignored: nested files, the deepest first, then those outside the tree.

Names are compared as composed characters, as git does on macOS, whose disks may hold them taken apart.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from unicodedata import normalize

from dcomplete.context.patterns import Pattern, read, verdict

IGNORE_FILES = (".gitignore", ".dcompleteignore")
OWN_IGNORE_FILES = (".dcompleteignore",)

# Whether names that differ in case alone are one name, as disks are set up there
ANY_CASE = sys.platform in ("win32", "darwin")
_LARGEST = 1 << 24  # bytes of an ignore file
_CORE = re.compile(r"^\s*\[\s*core\s*\](.*?)(?=^\s*\[|\Z)", re.I | re.M | re.S)
_VALUE = r'^\s*{}\s*=\s*"?([^"\n;#]+?)"?\s*(?:[;#].*)?$'
_EXCLUDES = re.compile(_VALUE.format("excludesfile"), re.I | re.M)
_ANY_CASE = re.compile(_VALUE.format("ignorecase"), re.I | re.M)


class IgnoreFiles:
    """Reads ignore files and keeps them until they change."""

    def __init__(self) -> None:
        self._specs: dict[tuple[Path, bool], tuple[int, int, tuple[Pattern, ...]]] = {}
        self._outside: dict[Path, tuple[tuple[Path, ...], bool | None]] = {}

    def ignored(self, path: Path, root: Path, names: Sequence[str]) -> bool:
        """Whether ignore files called `names` exclude `path` or a folder above, from `root` on."""
        top = repository(root)
        parts = path.relative_to(top).parts
        above = [top.joinpath(*parts[:depth]) for depth in range(len(parts))]
        return any(
            self._excluded(above[:depth], parts[:depth], names, folder=depth < len(parts))
            for depth in range(1, len(parts) + 1)
        )

    def _excluded(
        self, above: Sequence[Path], parts: Sequence[str], names: Sequence[str], folder: bool
    ) -> bool:
        """Git's rule: the deepest ignore file with an opinion decides; `above` are the folders of `parts`.

        A repository in another one has lists of its own, which come behind its files.
        """
        places = [(place, "/".join(parts[depth:])) for depth, place in enumerate(above)][::-1]
        outside = [self._outside_of(place) for place, _ in places]
        any_case = next((case for _, case in outside if case is not None), ANY_CASE)
        for name in names:
            files: list[tuple[Path, str]] = []
            for (place, rest), (lists, _) in zip(places, outside, strict=True):
                more = lists if name == ".gitignore" else ()
                files += [(file, rest) for file in (place / name, *more)]
            for file, rest in files:
                said = verdict(self._read(file, any_case), as_compared(rest, any_case), folder)
                if said:
                    return True
                if said is not None:
                    break
        return False

    def _read(self, path: Path, any_case: bool) -> tuple[Pattern, ...]:
        try:
            status = path.stat()
            key = (status.st_mtime_ns, status.st_size)
            known = self._specs.get((path, any_case))
            if known is None or known[:2] != key:
                # Notepad puts a byte order mark before the first pattern.
                text = read_bytes(path.resolve(), _LARGEST).decode("utf-8-sig", "replace")
                known = (*key, listed(text.split("\n"), any_case))
                self._specs[path, any_case] = known
        except (OSError, ValueError):
            return ()
        return known[2]

    def _outside_of(self, top: Path) -> tuple[tuple[Path, ...], bool | None]:
        """The repository's own list and the person's: what `.gitignore` files say comes first.

        And whether `Build/` means `build/` as well: git asks the disk once, and writes it down. None
        where `top` is no repository or nobody says.
        """
        known = self._outside.get(top)
        if known is None:
            git = _git_folder(top)
            said = [] if git is None else _configured(git, _ANY_CASE)
            any_case = said[-1].lower() in ("true", "yes", "on", "1") if said else None
            lists = () if git is None else (git / "info" / "exclude", _persons(git))
            known = self._outside[top] = (lists, any_case)
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
    named = _configured(git, _EXCLUDES)
    if not named:
        return _person_folder() / "ignore"
    value = named[-1].replace("\\\\", "\\")
    return _home() / value[2:] if value.startswith("~/") else _of_person(Path(value))


def _configured(git: Path, name: re.Pattern[str]) -> list[str]:
    """The values of a `core` setting in git's configuration files; the last one counts."""
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    persons = [Path(named)] if named else [_person_folder() / "config", _home() / ".gitconfig"]
    found: list[str] = []
    for file in (*_system(), *persons, git / "config"):
        try:
            text = read_bytes(file.resolve(), _LARGEST).decode("utf-8", "replace")
        except (OSError, ValueError):
            continue
        for section in _CORE.finditer(text):
            found += name.findall(section.group(1))
    return found


def _home() -> Path:
    """As git for Windows does too, which other programs there do not."""
    return _of_person(Path(os.environ.get("HOME") or "~"))


def _person_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config") / "git"


def _system() -> tuple[Path, ...]:
    """The machine's own; those of Homebrew on both kinds of Mac."""
    if os.name == "nt":
        return (Path(os.environ.get("PROGRAMFILES", "C:/Program Files"), "Git/etc/gitconfig"),)
    roots = ("/", "/usr/local", "/opt/homebrew") if sys.platform == "darwin" else ("/",)
    return tuple(Path(root, "etc/gitconfig") for root in roots)


def as_compared(text: str, any_case: bool) -> str:
    """A name, or patterns, so that what the disk takes for the same is the same."""
    return normalize("NFC", text.lower() if any_case else text)


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


def listed(lines: Iterable[str], any_case: bool) -> tuple[Pattern, ...]:
    """What a list says of names as `as_compared` gives them."""
    return read((as_compared(line.removesuffix("\r"), False) for line in lines), any_case)


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
