"""Find source files to train on: the standard library, installed packages, and folders of the user.

Only files with a recognisably permissive licence are taken (`licences.py`), and only hand-written
code (`filters.py`). A folder that the user names is taken as it is: its licence is theirs to judge.
"""

import json
import os
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from dcomplete.errors import UserError
from dcomplete.train.filters import LANGUAGES, MAX_BYTES, is_benchmark, reject_path, reject_text
from dcomplete.train.licences import of_debian, of_metadata, of_npm

_OWN = "dcomplete"  # holds the evaluation harness
_NPM, _DEBIAN = "package/package.json", "DEBIAN/control"
_NOT_STDLIB = ("site-packages/", "dist-packages/", "test/", "idlelib/idle_test/", "lib-dynload/")


@dataclass(frozen=True, slots=True)
class Source:
    """A package: its files by their path within it (with `/`), sorted; where they are is absolute."""

    name: str
    version: str
    licence: str
    files: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One source file's text, with `\\n` line ends."""

    package: str
    path: str
    language: str
    text: str
    file: Path | None = None  # where it was read from


@dataclass(frozen=True, slots=True)
class Found:
    """Packages to read, by name, and those left out with the reason."""

    sources: tuple[Source, ...]
    skipped: dict[str, str]


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find(
    folders: Iterable[Path] = (),
    stdlib: bool = True,
    installed: bool = True,
    unpacked: Sequence[Path] = (),
) -> Found:
    """All packages of this environment, of `folders`, and `unpacked` ones; the first of a name wins.

    A folder with packages unpacked in it (itself or its children hold ``*.dist-info``, npm's
    ``package/package.json`` or ``DEBIAN/control``) gives those packages; any other folder is one package
    with the folder's name. Of `unpacked` only those are taken that say what they are. Raises UserError for
    a folder that is none.
    """
    sources: dict[str, Source] = {}
    skipped: dict[str, str] = {}
    offered = [standard_library()] if stdlib else []
    for folder in folders:
        offered += _of_folder(folder, skipped)
    offered += _of_places(unpacked, skipped)
    skipped |= {p.name: "no metadata" for p in unpacked if not _says_of_itself(p)}
    if installed:
        offered += _of_distributions(distributions(), skipped)
    for source in offered:
        if is_benchmark(source.name):
            skipped[source.name] = "benchmark"
        elif source.files:
            sources.setdefault(normal(source.name), source)
    return Found(tuple(sources[n] for n in sorted(sources)), skipped)


def standard_library() -> Source:
    """The running Python's own library, without its test suite."""
    root = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    files = [(p, f) for p, f in _walk(root) if not p.startswith(_NOT_STDLIB)]
    version = ".".join(map(str, sys.version_info[:3]))
    return Source("python-standard-library", version, "PSF-2.0", tuple(files))


def _of_folder(folder: Path, skipped: dict[str, str]) -> list[Source]:
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name one that holds source files.")
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    if any(map(_says_of_itself, places)):
        return _of_places(places, skipped)
    return [Source(folder.resolve().name, "", "given by the user", tuple(_walk(folder)))]


def _of_places(places: Iterable[Path], skipped: dict[str, str]) -> list[Source]:
    """The packages that lie in them and say which they are."""
    places = list(places)
    others = [place for place in places if _is_other(place)]
    return [*_of_distributions(_wheels(places), skipped), *_of_others(others, skipped)]


def _wheels(places: Sequence[Path]) -> Iterable[Distribution]:
    return distributions(path=[str(place) for place in places]) if places else ()


def _of_distributions(found: Iterable[Distribution], skipped: dict[str, str]) -> list[Source]:
    sources = []
    for dist in found:
        name = dist.metadata["Name"]
        if not name or normal(name) == _OWN:
            continue
        licence = _licence(dist)
        if licence is None:
            skipped[name] = "licence"
            continue
        root = Path(str(dist.locate_file(""))).resolve()
        files = sorted(
            (path.as_posix(), root / path)
            for path in dist.files or ()
            if path.suffix.lower() in LANGUAGES and ".." not in path.parts
        )
        sources.append(Source(name, dist.version, licence, tuple(files)))
    return sources


def _says_of_itself(place: Path) -> bool:
    return _is_other(place) or any(_wheels([place]))


def _is_other(place: Path) -> bool:
    return (place / _NPM).is_file() or (place / _DEBIAN).is_file()


def _of_others(places: Iterable[Path], skipped: dict[str, str]) -> list[Source]:
    """Packages of npm and Debian; each is called by its registry's name and its own."""
    sources = []
    for place in places:
        name, version, licence = _npm(place) if (place / _NPM).is_file() else _debian(place)
        if licence is None:
            skipped[name] = "licence"
            continue
        own = tuple(at for at in _walk(place) if not at[1].is_symlink())  # links lead elsewhere
        sources.append(Source(name, version, licence, own))
    return sources


def _npm(place: Path) -> tuple[str, str, str | None]:
    text = (place / _NPM).read_text("utf-8", errors="replace")
    try:
        said = json.loads(text)
        named = f"npm:{said['name']}", str(said["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return place.name, "", None
    return (*named, of_npm(text))


def _debian(place: Path) -> tuple[str, str, str | None]:
    control = (place / _DEBIAN).read_text("utf-8", errors="replace")
    said = dict(re.findall(r"^(Package|Version): *(\S+)", control, re.M))
    name = said.get("Package", "")
    try:
        told = (place / "usr/share/doc" / name / "copyright").read_text("utf-8", errors="replace")
    except OSError:
        told = ""
    return f"deb:{name or place.name}", said.get("Version", ""), of_debian(told)


def _licence(dist: Distribution) -> str | None:
    texts = [
        Path(str(path.locate())).read_text("utf-8", errors="replace")
        for path in dist.files or ()
        if ".dist-info/" in path.as_posix() and re.match(r"(?i)licen[cs]e|copying", path.name)
    ]
    return of_metadata(dist.metadata, tuple(texts))  # type: ignore[arg-type]  # typeshed: a protocol


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    """Source files under a folder, sorted by path; hidden folders are not entered."""
    found, root = [], root.resolve()
    for here, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in names:
            if PurePosixPath(name).suffix.lower() in LANGUAGES:
                file = Path(here, name)
                found.append((file.relative_to(root).as_posix(), file))
    yield from sorted(found)


def read(source: Source, dropped: Counter[str]) -> list[Document]:
    """A package's documents; what is left out is counted by reason in `dropped`."""
    documents = []
    for path, file in source.files:
        reason = reject_path(path)
        text = "" if reason else _text(file)
        reason = reason or (reject_text(text) if text is not None else "unreadable")
        if reason or text is None:
            dropped[reason or "unreadable"] += 1
            continue
        language = LANGUAGES[PurePosixPath(path).suffix.lower()]
        documents.append(Document(source.name, path, language, text, file))
    return documents


def _text(file: Path) -> str | None:
    """A file's text, or None where it is too big, gone, or not UTF-8."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return None
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    text = text.removeprefix("\ufeff")
    return None if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n")
