"""Where models live: the embedded ones in the package, the user's in the data folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from dcomplete.errors import ModelError

if TYPE_CHECKING:
    from dcomplete.models.checkpoint import Manifest

DEFAULT = "smol-135m"
MANIFEST = "dcomplete.json"  # a folder that holds it is a model
_OUTSIDE = frozenset("/\\")  # a name with one of them may lead out of the folder
_DEVICES = frozenset(  # of Windows, with any ending
    {"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(10))}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An installed model."""

    name: str
    path: Path
    embedded: bool

    @property
    def bytes(self) -> int:
        return sum(f.stat().st_size for f in self.path.iterdir() if f.is_file())

    def manifest(self) -> "Manifest":
        from dcomplete.models.checkpoint import Manifest  # torch: whoever wants names goes without

        return Manifest.read(self.path)


def user_folder() -> Path:
    """The user's models."""
    return platformdirs.user_data_path("dcomplete") / "models"


def embedded_folder() -> Path:
    """The models that come with the package."""
    return Path(str(files("dcomplete") / "weights"))


def entries() -> list[Entry]:
    """All installed models, by name; a user's model hides an embedded one of the same name."""
    found: dict[str, Entry] = {}
    for folder, embedded in ((embedded_folder(), True), (user_folder(), False)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (path / MANIFEST).is_file():
                found[path.name] = Entry(path.name, path, embedded)
    return [found[name] for name in sorted(found)]


def path_of(path: str) -> Path:
    """A path as a person writes it; the home of somebody who is not known here stays as it is.

    Raises ModelError for what the system does not let us look at.
    """
    found = Path(path)
    try:
        found = found.expanduser()
        found.exists()
    except RuntimeError:
        pass
    except OSError as error:
        raise ModelError(f"The model {path[:64]} cannot be read: {error.strerror}.") from None
    return found


def find(name: str) -> Entry:
    """An installed model by name, or a model folder by path; raises ModelError."""
    name = name or DEFAULT
    for entry in entries():
        if entry.name == name:
            return entry
    path = path_of(name)
    if (path / MANIFEST).is_file():
        return Entry(path.resolve().name, path, embedded=False)
    if path.is_dir():
        raise ModelError(
            f"{path} is no dcomplete model; import it first: dcomplete models import {path}"
        )
    known = ", ".join(e.name for e in entries()) or "none installed"
    raise ModelError(f"Unknown model {name!r}. Known: {known}. See 'dcomplete models list'.")


def remove(name: str) -> Path:
    """Delete a user's model, or what was downloaded of one; raises ModelError for others."""
    started = user_folder() / f".pull-{name}"
    for entry in entries():
        if entry.name == name:
            if entry.embedded:
                raise ModelError(f"{name!r} comes with dcomplete and cannot be removed.")
            _delete(entry)
            shutil.rmtree(started, ignore_errors=True)
            return entry.path
    if not _OUTSIDE & set(name) and started.is_dir():
        shutil.rmtree(started)
        return started
    raise ModelError(f"Unknown model {name!r}. See 'dcomplete models list'.")


def _delete(entry: Entry) -> None:
    """All of a model or nothing: Windows deletes no file that a process has in its memory."""
    apart = None
    try:
        apart = Path(tempfile.mkdtemp(prefix=".old-", dir=entry.path.parent))
        entry.path.rename(apart / entry.name)
    except PermissionError:
        raise ModelError(
            f"{entry.name!r} is in use or not yours to remove; end what uses it "
            "(dcomplete serve --stop) and try again."
        ) from None
    finally:
        if apart is not None:
            shutil.rmtree(apart, ignore_errors=True)
    if apart.exists():
        raise ModelError(f"{entry.name!r} is removed, but some of its files stay in {apart}.")


def _is_usable(name: str, on_windows: bool) -> bool:
    """Whether a folder beside the other models can be called so."""
    if not name or name.startswith(".") or _OUTSIDE & set(name):
        return False
    if not on_windows:
        return True
    odd = any(c in ':*?"<>|' or c < " " for c in name) or name.endswith((".", " "))
    return not odd and name.partition(".")[0].rstrip().upper() not in _DEVICES


class Installing:
    """A folder that becomes a model only when everything in it was written."""

    def __init__(self, name: str) -> None:
        self.target = self.free(name)
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=".new-", dir=self.target.parent))
        except OSError as error:
            raise ModelError(
                f"Nothing can be installed in {self.target.parent}: {error.strerror}."
            ) from None

    @staticmethod
    def free(name: str) -> Path:
        """Where a model of that name will lie; raises ModelError for a name that cannot be used."""
        if not _is_usable(name, os.name == "nt"):
            raise ModelError(f"{name!r} is no usable model name; choose one with --name.")
        target = user_folder() / name
        if target.exists():
            raise ModelError(
                f"There is a model {name!r} already; remove it or choose another --name."
            )
        return target

    def __enter__(self) -> Path:
        return self.folder

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.folder.rename(self.target)
        except OSError as error:  # another program has installed one of that name meanwhile
            raise ModelError(f"{self.target} cannot be made: {error.strerror}.") from None
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def files_of(entry: Entry) -> Iterator[Path]:
    """The files of a model."""
    yield from sorted(f for f in entry.path.iterdir() if f.is_file())
