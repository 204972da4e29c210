"""Where pinned packages come from: PyPI's wheels, npm's archives, Debian's packages of source files.

Nothing of what is fetched is run: archives are unpacked, never installed.
"""

import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import rmtree
from zipfile import BadZipFile, ZipFile

from dcomplete.errors import UserError
from dcomplete.train.folder import made

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
    stem: Callable[[str], str]  # an archive's file name to its folder's, with name and version
    place: Callable[[str], str]  # a pin without its mark to such a folder's name
    unpack: Callable[[Path, Path], None]  # archive, place

    def owns(self, pin: str) -> bool:
        """Whether a line of a list is a pin of this registry's."""
        rest = pin.removeprefix(self.mark)
        return pin.startswith(self.mark) and re.fullmatch(self.pin, rest) is not None

    def get(self, pins: Sequence[str], folder: Path) -> list[Path]:
        """Fetch into `folder` and unpack each archive into a folder of its own; what is there stays.

        Returns the folders of these pins. Raises UserError where the program is missing or cannot get
        a pin, and for a damaged archive.
        """
        archives = folder / self.name
        made(archives)
        plain = [pin.removeprefix(self.mark) for pin in pins]
        for start in range(0, len(plain), _AT_ONCE):
            self._call([*self.fetch, *plain[start : start + _AT_ONCE]], archives)
        there = {self.stem(f.name): f for f in sorted(archives.iterdir()) if f.is_file()}
        places = {pin: folder / self._stem(pin, there) for pin in plain}
        for place in places.values():
            if not place.exists():
                self._unpack(there[place.name], place)
        return list(places.values())

    def _stem(self, pin: str, stems: Collection[str]) -> str:
        """Which of the folders' names is the pin's; another version's lies there from before, perhaps."""
        wanted = self.place(pin)
        for alike in (str, _plain, _shortest):
            for stem in stems:
                if alike(stem) == alike(wanted):
                    return stem
        raise UserError(
            f"{self.program} fetched no archive that is called like {self.mark}{pin}; "
            "write its version as the archive's name does."
        )

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


def _plain(name: str) -> str:
    """As PyPI compares names; wheels write them their own way."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _shortest(name: str) -> str:
    """Without the zeros that make no other version (PEP 440): `1.0` is `1`, and `2026.01` is `2026.1`."""
    return re.sub(r"(?<!\d)0+(?=\d)|(-0)+$", "", _plain(name))


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
    lambda name: "-".join(name.split("-")[:2]), lambda pin: pin.replace("==", "-"), _unzip,
)  # fmt: skip
NPM = Registry(
    "npm", "npm", "npm:", r"(@[\w.-]+/)?[\w.-]+@[\w.+-]+",
    ("npm", "pack", "--loglevel=error", "--ignore-scripts"),
    lambda name: f"npm-{name.removesuffix('.tgz')}",
    lambda pin: "npm-" + re.sub("[@/]", "-", pin.removeprefix("@")), _untar,
)  # fmt: skip
DEBIAN = Registry(
    "debian", "apt-get", "deb:", r"[a-z0-9][a-z0-9.+-]+=[\w.+~:-]+",
    ("apt-get", "download", "--quiet"),
    lambda name: "deb-" + "_".join(name.split("_")[:2]),
    lambda pin: "deb-" + pin.replace("=", "_", 1).replace(":", "%3a"), _undeb,
)  # fmt: skip
REGISTRIES = (PYPI, NPM, DEBIAN)
