"""The rows of a published data set, from disk or from the hub: JSON, JSON lines, gzip, parquet."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, cast

from dcomplete.errors import UserError

_PATIENCE = 10.0  # seconds until the hub must have answered

Row = dict[str, Any]
Form = type | dict[str, "Form"] | list["Form"]  # of a value, of an object, of a list's values


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where a data set is published, and where it lies on disk.

    `revision` is the commit of the hub repository that downloads are pinned to, "" for the newest.
    """

    folder: str  # below the data folder
    hub: str  # id on the hub, "" where it is not there
    revision: str = ""
    address: str = ""  # where else it is published

    def files(self, data: Path, *patterns: str) -> list[Path]:
        """The files of the first of the glob `patterns` that any fits, sorted; from disk or the hub.

        Raises UserError with what to get and where to put it.
        """
        here = data / self.folder
        where = f"put {' or '.join(patterns)} of {self._address()} below {here}"
        if found := _fitting(here, patterns):
            return found
        if not self.hub:
            raise UserError(f"{self.folder} is not there: {where}.")
        if found := _fitting(self._downloaded(patterns, where), patterns):
            return found
        raise UserError(f"The hub's {self.hub} holds no {' or '.join(patterns)}: {where}.")

    def _address(self) -> str:
        return self.address or f"https://huggingface.co/datasets/{self.hub}"

    def _downloaded(self, patterns: Sequence[str], where: str) -> Path:
        """The hub's files; without a connection, what an earlier download left."""
        try:
            from huggingface_hub import snapshot_download
            from huggingface_hub.errors import HfHubHTTPError
        except ImportError:
            raise UserError(
                f"{self.folder} is not there: {where}, or have it downloaded after: "
                "pip install 'dcomplete[hub]'."
            ) from None
        get = partial(
            snapshot_download,
            self.hub,
            repo_type="dataset",
            revision=self.revision or None,
            allow_patterns=[*patterns, *(f"*/{pattern}" for pattern in patterns)],
        )
        try:
            if self._answers():
                return Path(get())
            return Path(get(local_files_only=True))
        except HfHubHTTPError as error:
            said = _sentence(error).rstrip(".")
            raise UserError(f"The hub does not give {self.hub} ({said}): {where}.") from None
        except _bases(HfHubHTTPError):
            raise UserError(
                f"{self.folder} is not on disk and the hub cannot be reached: {where}."
            ) from None

    def _answers(self) -> bool:
        """Whether the hub can be reached: without this, a download would try for half a minute."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        try:
            HfApi().dataset_info(self.hub, timeout=_PATIENCE)
        except HfHubHTTPError:
            raise
        except _bases(HfHubHTTPError):
            return False
        return True


def _bases(error: type[Exception]) -> tuple[type[Exception], ...]:
    """Of the hub's error: those of whichever HTTP client its library is built on, and OSError."""
    return cast(tuple[type[Exception], ...], error.__bases__)


def _fitting(folder: Path, patterns: Sequence[str]) -> list[Path]:
    for pattern in patterns:
        if found := sorted(path for path in folder.rglob(pattern) if path.is_file()):
            return found
    return []


def rows(path: Path, /, **fields: Form) -> Iterator[Row]:
    """The rows of a file, each with `fields` of these forms, such as ``rows(path, prompt=str)``.

    Raises UserError for a file that cannot be read, is in no known format, or lacks a field.
    """
    try:
        found = _parquet(path) if path.suffix == ".parquet" else _json(path)
        for number, row in enumerate(found, start=1):
            missing = lacking(row, fields)
            if missing is not None:
                raise UserError(
                    f"{path} is in another format: row {number} has no {missing or 'fields'}."
                )
            yield row
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {_sentence(error)}") from None


def lacking(value: Any, form: Form) -> str | None:
    """What `value` lacks of a form, by name ("" where it is another thing); None where it has all."""
    if isinstance(form, type):
        return None if isinstance(value, form) else ""
    if isinstance(form, list):
        inner = [lacking(part, form[0]) for part in value] if isinstance(value, list) else [""]
        return next((name for name in inner if name is not None), None)
    if not isinstance(value, dict):
        return ""
    for name, inside in form.items():
        deeper = lacking(value.get(name), inside)
        if deeper is not None:
            return f"{name}.{deeper}".rstrip(".")
    return None


def _json(path: Path) -> Iterator[Any]:
    with _opened(path) as lines:
        if path.name.removesuffix(".gz").endswith(".json"):
            yield from json.load(lines)
            return
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _parquet(path: Path) -> Iterator[Any]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise UserError(f"Reading {path} needs: pip install 'dcomplete[eval]'.") from None
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=256):
            yield from batch.to_pylist()


def _sentence(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{text.rstrip('.')}."
