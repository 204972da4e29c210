"""What a report is made of: runs, replays of typing, a ranking of votes. `store` reads the runs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval import store
from dcomplete_eval.types import Record


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant on one benchmark. `about` is the file's latest head: what figures must carry."""

    contestant: str
    benchmark: str
    about: Mapping[str, Any]
    records: tuple[Record, ...]

    @property
    def settings(self) -> Mapping[str, Any]:
        return dict(self.about.get("settings") or {})

    @property
    def reference(self) -> bool:
        """The gold and the empty answer bound the others; nobody competes with them."""
        return self.settings.get("kind", self.contestant) in ("gold", "empty")

    @property
    def told(self) -> bool:
        """Whether the true length was told: a ceiling, never to be set beside what had to find it."""
        return bool(self.settings.get("length") == "oracle")

    @property
    def competes(self) -> bool:
        return not (self.reference or self.told)


@dataclass(slots=True)
class Material:
    """All that was given to a report."""

    runs: list[Run] = field(default_factory=list)
    replays: list[dict[str, Any]] = field(default_factory=list)
    rankings: list[dict[str, Any]] = field(default_factory=list)


def read_all(paths: Iterable[Path]) -> Material:
    """Read files, and those that lie in folders. Raises UserError for what is none of the three kinds.

    Of several runs of one contestant on one benchmark, and of several replays of a trace under the
    same settings, the last counts. Raises UserError where runs of a benchmark had different data.
    """
    found = Material()
    runs: dict[tuple[str, str], Run] = {}
    replays: dict[str, dict[str, Any]] = {}
    for path in _files(paths):
        for part in _read(path):
            if isinstance(part, Run):
                runs[part.contestant, part.benchmark] = part
            elif "standings" in part:
                found.rankings.append(part)
            else:
                replays[_same(part)] = part
    found.runs, found.replays = list(runs.values()), list(replays.values())
    if not (found.runs or found.replays or found.rankings):
        raise UserError("There is nothing to report: give files written by `dcomplete eval run`.")
    _check(found.runs)
    return found


def _check(runs: Iterable[Run]) -> None:
    first: dict[str, Run] = {}
    for run in runs:
        other = first.setdefault(run.benchmark, run)
        if run.about.get("data") != other.about.get("data"):
            raise UserError(
                f"{run.contestant} and {other.contestant} answered different tasks under the name "
                f"{run.benchmark}; report them apart, or run one again."
            )


def _same(replay: Mapping[str, Any]) -> str:
    names = ("trace", "contestant", "settings", "clock", "latency_ms", "debounce_ms", "pause_s")
    return repr([replay.get(name) for name in (*names, "accepts", "speed")])


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix in (".json", ".jsonl"))
        elif path.is_file():
            yield path
        else:
            raise UserError(f"There is no file {path}.")


def _read(path: Path) -> Iterator[Run | dict[str, Any]]:
    lines = _objects(path)
    first = lines[0] if lines else {}
    if "run" in first:
        run = store.read_run(path)
        yield Run(run.contestant, run.benchmark, run.about(), tuple(run.records.values()))
    elif first.get("bench") == "usefulness":
        yield from (line for line in lines if line.get("bench") == "usefulness")
    elif "standings" in first:
        yield first
    else:
        raise UserError(f"{path} holds no run, no replay and no ranking.")


def _objects(path: Path) -> list[dict[str, Any]]:
    """JSON lines, or one JSON object over several lines; only the first where it begins a run."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    lines = text.splitlines()
    first = _parsed(lines[:1])
    if first and "run" in first[0]:
        return first
    return _parsed([text]) or _parsed(lines)


def _parsed(lines: Iterable[str]) -> list[dict[str, Any]]:
    """JSON objects; [] where one is none."""
    try:
        found = [json.loads(line) for line in lines]
    except ValueError:
        return []
    return found if all(isinstance(one, dict) for one in found) else []
