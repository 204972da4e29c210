"""Where pinned packages come from: PyPI's wheels, npm's archives, Debian's packages of source files.

Nothing of what is fetched is run: archives are unpacked, never installed.
"""

import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import rmtree
from zipfile import BadZipFile, ZipFile

from dcomplete.errors import UserError

_AT_ONCE = 50  # pins a call: a command line has an end
# The line that says why, in what apt and npm write; pip's is the last.
_TELLING = re.compile(r"E: (.+)|npm error (?:\w+ )?((?:No matching|Not Found|\w*Error:).+)")


@dataclass(frozen=True, slots=True)
class Registry:
    """How pins are written, fetched into a folder, and unpacked."""

    name: str  # of the folder for archives, too
    program: str  # what fetches, in words
    mark: str  # before a pin in a list of packages
    pin: str  # pattern of what is behind the mark
    fetch: tuple[str, ...]  # the command; pins follow
    stem: Callable[[str], str]  # an archive's file name to its folder's
    unpack: Callable[[Path, Path], None]  # archive, place

    def owns(self, pin: str) -> bool:
        """Whether a line of a list is a pin of this registry's."""
        rest = pin.removeprefix(self.mark)
        return pin.startswith(self.mark) and re.fullmatch(self.pin, rest) is not None

    def get(self, pins: Sequence[str], folder: Path) -> None:
        """Fetch into `folder` and unpack each archive into a folder of its own; what is there stays.

        Raises UserError where the program is missing or cannot get a pin, and for a damaged archive.
        """
        archives = folder / self.name
        archives.mkdir(parents=True, exist_ok=True)
        plain = [pin.removeprefix(self.mark) for pin in pins]
        for start in range(0, len(plain), _AT_ONCE):
            self._call([*self.fetch, *plain[start : start + _AT_ONCE]], archives)
        for archive in sorted(file for file in archives.iterdir() if file.is_file()):
            place = folder / self.stem(archive.name)
            if not place.exists():
                self._unpack(archive, place)

    def _call(self, command: Sequence[str], folder: Path) -> None:
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace",
                check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise UserError(
                f"The packages cannot be downloaded: there is no {self.program} here."
            ) from None
        if done.returncode:
            reason = _reason(done.stderr) or f"{self.program} failed"
            raise UserError(
                f"The packages cannot be downloaded ({reason}); go on without --download."
            )

    def _unpack(self, archive: Path, place: Path) -> None:
        """All of it or nothing: a folder that is there counts as whole."""
        partial = place.with_name(f".{place.name}")
        rmtree(partial, ignore_errors=True)  # of one that was killed
        try:
            partial.mkdir()
            self.unpack(archive, partial)
            partial.rename(place)
        except (ValueError, OSError, BadZipFile, tarfile.TarError, EOFError) as error:
            rmtree(partial, ignore_errors=True)
            raise UserError(f"{archive} is damaged; delete it and run again.") from error


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [found[1] or found[2] for found in map(_TELLING.match, lines) if found]
    return (told or lines[-1:] or [""])[0].rstrip(".")


def _unzip(archive: Path, place: Path) -> None:
    with ZipFile(archive) as opened:
        opened.extractall(place)


def _untar(archive: Path, place: Path) -> None:
    """Plain files only, none outside `place`."""
    with tarfile.open(archive) as opened:
        for member in opened:
            name = PurePosixPath(member.name)
            source = opened.extractfile(member) if member.isfile() else None
            if source is None or name.is_absolute() or ".." in name.parts:
                continue
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read())


def _undeb(archive: Path, place: Path) -> None:
    """With what the package says of itself in ``DEBIAN/control``."""
    done = subprocess.run(
        ["dpkg-deb", "--raw-extract", archive, place], capture_output=True, check=False
    )
    if done.returncode:
        raise ValueError(archive)


PYPI = Registry(
    "wheels", "pip", "", r"[\w.-]+==[\w.+!-]+",
    (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
     "--only-binary", ":all:", "--dest", "."),
    lambda name: name.split("-")[0], _unzip,
)  # fmt: skip
NPM = Registry(
    "npm", "npm", "npm:", r"(@[\w.-]+/)?[\w.-]+@[\w.+-]+",
    ("npm", "pack", "--loglevel=error", "--ignore-scripts"),
    lambda name: f"npm-{name.removesuffix('.tgz')}", _untar,
)  # fmt: skip
DEBIAN = Registry(
    "debian", "apt-get", "deb:", r"[a-z0-9][a-z0-9.+-]+=[\w.+~:-]+",
    ("apt-get", "download", "--quiet"), lambda name: f"deb-{name.split('_')[0]}", _undeb,
)  # fmt: skip
REGISTRIES = (PYPI, NPM, DEBIAN)
