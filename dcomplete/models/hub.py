"""Models from the hub: what there is, room for it, download with resume, checksums, install at once.

Downloads go to a hidden folder beside the models, so that a lost connection goes on where it stopped;
a model appears under its name only when everything in it was written. No code is fetched or run.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from dcomplete.errors import ModelError, UserError
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.foreign import read_source
from dcomplete.models.importing import import_model
from dcomplete.models.published.registry import recognise
from dcomplete.models.store import Installing

_SMALL = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "model.safetensors.index.json",
    "chat_template.jinja",
    "processor_config.json",
)
_WEIGHTS = "*.safetensors"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_PART = 1 << 20
_MOVES = "WIN_PD_OVERRIDE_LOCAL_APPDATA" if os.name == "nt" else "XDG_DATA_HOME"

Report = Callable[[str, int, int], None]  # (what is done, bytes done, bytes in all)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. `digest` is "sha256:.." or git's "blob:..", None where the hub says none."""

    name: str
    size: int
    digest: str | None


def quiet(what: str, done: int, total: int) -> None:
    """Reports to nobody."""


def pull(repository: str, name: str, report: Report = quiet) -> Manifest:
    """Download `repository` and install it as `name`.

    Raises UserError for what cannot be had, does not fit on the disk, arrives changed, or is no model
    that this engine can run. What was downloaded before a lost connection is kept for the next try.
    """
    target = Installing.free(name)
    staging = target.parent / f".pull-{name}"
    with _alone(staging), _room_kept(staging):
        files, commit = _listing(repository)
        folder = staging / commit / repository.rpartition("/")[2]
        _check_space(target.parent, folder, files)
        small = [f for f in files if not fnmatch(f.name, _WEIGHTS)]
        progress = _Progress(report, sum(f.size for f in files))
        for file in small:
            _fetch(repository, commit, file, folder, progress)
        recognise(read_source(folder))  # refuses what is not for us before the weights are fetched
        for file in files:
            if file not in small:
                _fetch(repository, commit, file, folder, progress)
        report("installing", progress.done, progress.total)
        with Installing(name) as place:
            manifest = import_model(folder, place)
    shutil.rmtree(staging, ignore_errors=True)
    return manifest


@contextmanager
def _alone(staging: Path) -> Iterator[None]:
    """One download of a model at a time."""
    from filelock import FileLock, Timeout

    staging.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{staging}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        name = staging.name.removeprefix(".pull-")
        raise UserError(f"{name!r} is being downloaded already.") from None
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):  # on Windows, another process may be trying it just now
            Path(lock.lock_file).unlink()


@contextmanager
def _room_kept(staging: Path) -> Iterator[None]:
    """A full disk is one sentence, and is not left full."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        shutil.rmtree(staging, ignore_errors=True)
        raise ModelError(
            f"The disk that holds {staging.parent} is full; nothing was installed and the download "
            "was removed. Make room and try again."
        ) from None
    except ModelError as error:
        if "is full" in str(error):
            shutil.rmtree(staging, ignore_errors=True)
        raise


class _Progress:
    """Bytes done of all files together."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self.total, self.done = report, total, 0

    def add(self, name: str, count: int) -> None:
        self.done = min(self.total, max(0, self.done + count))
        self._report(name, self.done, self.total)


def _listing(repository: str) -> tuple[list[RemoteFile], str]:
    """The repository's files that a model is made of, and the commit they are of."""
    hub = _hub()
    with _hub_errors(repository):
        info = hub.HfApi(endpoint=_endpoint()).model_info(repository, files_metadata=True)
    files = []
    for entry in info.siblings or ():
        weights = fnmatch(entry.rfilename, _WEIGHTS) and "/" not in entry.rfilename
        if entry.rfilename in _SMALL or weights:
            sha = entry.lfs.sha256 if entry.lfs else None
            blob = f"blob:{entry.blob_id}" if entry.blob_id else None
            files.append(
                RemoteFile(entry.rfilename, entry.size or 0, f"sha256:{sha}" if sha else blob)
            )
    names = [entry.rfilename for entry in info.siblings or ()]
    if not any(fnmatch(f.name, _WEIGHTS) for f in files):
        pickled = any(fnmatch(name, kind) for name in names for kind in _PICKLED)
        why = " Pickled weights are not read, they can run code." if pickled else ""
        raise ModelError(f"{repository} has no safetensors files.{why}")
    return files, info.sha or "main"


def _check_space(models: Path, folder: Path, files: list[RemoteFile]) -> None:
    """Room for what is still to come, and for the installed copy beside it."""
    there = sum(path.stat().st_size for path in folder.glob("*")) if folder.is_dir() else 0
    need = 2 * sum(f.size for f in files) - there
    free = shutil.disk_usage(models).free
    if need > free:
        raise ModelError(
            f"Downloading and installing needs {need / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are "
            f"free where {models} is; make room or set {_MOVES} to another disk."
        )


def _fetch(
    repository: str, commit: str, file: RemoteFile, folder: Path, progress: _Progress
) -> None:
    """One file, going on where an earlier try stopped; it gets its name when its digest is right."""
    hub, path, part = _hub(), folder / file.name, folder / f"{file.name}.part"
    if path.is_file():
        progress.add(file.name, file.size)
        return
    from huggingface_hub.file_download import http_get

    folder.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as out, _hub_errors(repository):
        http_get(
            hub.hf_hub_url(repository, file.name, revision=commit, endpoint=_endpoint()),
            out,
            resume_size=out.tell(),
            headers=hub.utils.build_hf_headers(),
            expected_size=file.size,
            displayed_filename=file.name,
            tqdm_class=_bar(file.name, progress),
        )
    found = _digest(part, file.digest)
    if found != file.digest:
        part.unlink()
        raise ModelError(
            f"{file.name} of {repository} has the wrong checksum ({found}, but the hub says "
            f"{file.digest}); it was removed. Try again, and tell its owners if it happens again."
        )
    part.rename(path)


def _digest(path: Path, like: str | None) -> str | None:
    """The file's digest, of the kind of `like`."""
    kind = None if like is None else like.partition(":")[0]
    if kind is None:
        return None
    summed = hashlib.sha256() if kind == "sha256" else hashlib.sha1(usedforsecurity=False)
    if kind == "blob":  # as git names a file's contents
        summed.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while part := file.read(_PART):
            summed.update(part)
    return f"{kind}:{summed.hexdigest()}"


def _bar(name: str, progress: _Progress) -> type[Any]:
    """The hub library's progress bar, which draws nothing and tells `progress`."""
    from huggingface_hub.utils.tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            progress.add(name, int(options.get("initial") or 0))
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            progress.add(name, int(n or 0))
            return None

    return Silent


def _endpoint() -> str | None:
    """Another hub, as the hub's own tools are told of it; read now, not when they are imported."""
    return os.environ.get("HF_ENDPOINT") or None


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise UserError("Downloading needs: pip install 'dcomplete[hub]'.") from None
    say = huggingface_hub.logging.set_verbosity_error
    say()  # type: ignore[no-untyped-call]  # what goes wrong, we say ourselves
    return huggingface_hub


@contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    """Whatever goes wrong on the way becomes one sentence."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise UserError(
            f"{repository} asks you to accept its licence on the hub first; "
            "then log in with 'hf auth login'."
        ) from None
    except errors.RepositoryNotFoundError:
        raise UserError(f"There is no model {repository} on the hub.") from None
    except Exception as error:
        mine = type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "huggingface_hub")
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if full or not (mine or isinstance(error, OSError)):
            raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{repository} could not be downloaded ({reason}); nothing was installed. Check the "
            "network and try again: it goes on where it stopped."
        ) from None
