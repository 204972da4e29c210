"""A run's file: one JSON line for each start and for each task, safe against crashes and company.

A line is written under a lock and in one piece, and whoever writes next removes a torn last line: a
process that was killed left it. So a run goes on where it stopped, and several may write to one file.
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import FileLock

from dcomplete.appending import write_all
from dcomplete.errors import UserError
from dcomplete_eval.types import Answer, Record, Verdict

_SAME = ("benchmark", "contestant", "settings", "data", "sandbox")  # what may not change in a file
_TIMED = {
    "machine": "machine",
    "judges": "number of judging threads",
}  # nor these: times hang on them
_OTHER = re.compile(r"[^A-Za-z0-9.=+-]+")


@dataclass(frozen=True, slots=True)
class Run:
    """What a file holds. `heads` say of every start what its numbers need beside them."""

    path: Path
    heads: tuple[Mapping[str, Any], ...]
    records: Mapping[str, Record] = field(default_factory=dict)  # by task, in the order of writing
    starts: Mapping[str, int] = field(
        default_factory=dict
    )  # by task, which of `heads` it was under

    @property
    def head(self) -> Mapping[str, Any]:
        """The latest start's."""
        return self.heads[-1]

    @property
    def contestant(self) -> str:
        return str(self.head["contestant"])

    @property
    def benchmark(self) -> str:
        return str(self.head["benchmark"])

    def used(self, tasks: Iterable[str] | None = None) -> list[Mapping[str, Any]]:
        """The starts whose answers these are, of some tasks or of all; the latest where there are none."""
        chosen = self.records if tasks is None else tasks
        numbers = sorted({self.starts[task] for task in chosen if task in self.starts})
        return [self.heads[at] for at in numbers] or [self.head]

    def about(self, tasks: Iterable[str] | None = None) -> dict[str, Any]:
        """The latest head, but with the commits and machines under which the answers were given."""
        found, used = dict(self.head), self.used(tasks)
        for name in ("commit", "machine", "judges"):
            values = list(dict.fromkeys(head[name] for head in used if head.get(name) is not None))
            if values:
                found[name] = values[0] if len(values) == 1 else "; ".join(map(str, values))
        return found | {"started": used[0].get("started")}


class Store:
    """Appends to a run's file. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path.parent} cannot be made: {error.strerror}.") from None
        self._between_threads = threading.Lock()
        self._between_processes = FileLock(path.with_name(f".{path.name}.lock"))

    def begin(self, head: Mapping[str, Any]) -> Mapping[str, Record]:
        """Write the head of a start; returns what was judged before.

        Raises UserError where the file holds answers that cannot stand beside new ones.
        """
        head = json.loads(json.dumps(head))  # as it will be read
        with self._opened() as file:
            file.seek(0)
            before = _parse(self.path, file.read().splitlines())
            if before.heads:
                _check(before, head)
            _write(file, {"run": head})
        return before.records

    def append(self, record: Record) -> None:
        with self._opened() as file:
            _write(file, asdict(record))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[FileIO]:
        """The file for this thread alone, without a torn last line. Raises UserError."""
        try:
            with (
                self._between_threads,
                self._between_processes,
                self.path.open("a+b", buffering=0) as file,
            ):
                _mend(file)
                yield file
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from None


def read_run(path: Path) -> Run:
    """A run's file; a torn last line is left out. Raises UserError for what is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    whole = raw[: raw.rfind(b"\n") + 1]
    run = _parse(path, whole.splitlines())
    if not run.heads:
        raise UserError(f"{path} is no run; `dcomplete eval run` writes them.")
    return run


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """The runs in files, and in the files of folders, by name."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return [read_run(path) for path in files]


def run_file(folder: Path, benchmark: str, contestant: str) -> Path:
    """Where a contestant's answers to a benchmark are kept."""
    names = (_OTHER.sub("-", name).strip("-") for name in (benchmark, contestant))
    return folder / ("__".join(names) + ".jsonl")


def _parse(path: Path, lines: Iterable[bytes]) -> Run:
    heads: list[Mapping[str, Any]] = []
    records: dict[str, Record] = {}
    starts: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
            if "run" in said:
                heads.append(said["run"])
                continue
            record = _record(said)
        except (ValueError, TypeError, KeyError):
            raise UserError(f"{path}, line {number}, is no line of a run.") from None
        known = records.get(record.task)
        if known is None or known.answer.error:  # an answer replaces trouble, nothing an answer
            records[record.task] = record
            starts[record.task] = max(0, len(heads) - 1)
    return Run(path, tuple(heads), records, starts)


def _record(said: Mapping[str, Any]) -> Record:
    answer, verdict = Answer(**said["answer"]), Verdict(**said["verdict"])
    return Record(**{**said, "answer": answer, "verdict": verdict})


def _mend(file: FileIO) -> None:
    """Cut off what follows the last line end."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return
    file.seek(size - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def _write(file: FileIO, value: object) -> None:
    write_all(file, json.dumps(value).encode("ascii") + b"\n")


def _check(before: Run, head: Mapping[str, Any]) -> None:
    for name, old, new in _differences(before.head, head):
        raise UserError(
            f"{before.path} holds answers with another {name} ({old!r}, now {new!r}); "
            "choose another --out, or remove the file."
        )
    kept = [task for task, record in before.records.items() if not record.answer.error]
    for name, said in _TIMED.items():
        for old in before.used(kept) if kept else ():
            if old.get(name) != head.get(name):
                raise UserError(
                    f"{before.path} holds answers with another {said} ({old.get(name)!r}, now "
                    f"{head.get(name)!r}), whose times would be taken for these; choose another --out."
                )


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """What decides the answers and is not the same any more."""
    for name in _SAME:
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for key in dict.fromkeys((*old, *new)):
                if old.get(key) != new.get(key):
                    yield key, old.get(key), new.get(key)
        elif old != new:
            yield name, old, new
