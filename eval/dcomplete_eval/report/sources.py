"""What every figure carries: commit, device, dtype, settings, data, sandbox."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dcomplete_eval.report.runs import Run

_WORDS = {
    "commit": "commit",
    "device": "device",
    "dtype": "dtype",
    "data": "data",
    "sandbox": "sandbox",
}
_SHORT = 12  # characters of a hash that are enough to tell it


@dataclass(frozen=True, slots=True)
class Source:
    """Where numbers come from. `settings` decide a contestant's answers."""

    name: str
    what: str
    commit: str
    device: str
    dtype: str
    data: str
    sandbox: str
    settings: Mapping[str, Any]

    @property
    def spelled(self) -> str:
        """The settings in a line."""
        return ", ".join(f"{key} {_said(value)}" for key, value in self.settings.items()) or "none"


def of_run(run: Run) -> Source:
    """From a run's header."""
    return _source(run.contestant, run.benchmark, run.about)


def of_replay(line: Mapping[str, Any]) -> Source:
    """From a replay's result line; how the author was simulated belongs to the settings."""
    names = ("clock", "latency_ms", "debounce_ms", "pause_s", "every", "speed", "seed", "accepts")
    how = {name: line[name] for name in names if line.get(name) is not None}
    settings = dict(line.get("settings") or {}) | how
    what = f"{line['trace']}, {line['keystrokes']:,} keystrokes"
    return _source(
        line["contestant"], what, {**line, "settings": settings, "sandbox": "nothing is run"}
    )


def of_ranking(ranking: Mapping[str, Any]) -> Source:
    """From a ranking; one made elsewhere may know less."""
    names = ("minimum", "prior_sd", "resampled", "clusters", "judge", "seed")
    how = {name: ranking[name] for name in names if ranking.get(name) is not None}
    return _source("votes", f"{ranking['votes']:,} votes", {**ranking, "settings": how})


def line(sources: Iterable[Source]) -> str:
    """All that differs and all that is common, in a line under a figure."""
    found = list(sources)
    parts = []
    for field, word in _WORDS.items():
        values = list(dict.fromkeys(v for source in found if (v := getattr(source, field))))
        parts.append(f"{word} {'; '.join(values) if values else 'not recorded'}")
    return " · ".join(parts)


def _source(name: str, what: str, about: Mapping[str, Any]) -> Source:
    settings = dict(about.get("settings") or {})

    def known(key: str) -> str:
        value = about.get(key) or settings.get(key)
        return _said(value) if value else ""

    device, machine = known("device"), known("machine")
    if machine and device in ("", "cpu", machine):
        device = machine
    elif machine:
        device = f"{device}, {machine}"
    return Source(
        name, what, known("commit"), device, known("dtype"), known("data"),
        known("sandbox"), settings,
    )  # fmt: skip


def _said(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str() if len(value) > 32 and set(value) <= set("0123456789abcdef"):
            return value[:_SHORT]
        case Mapping():
            return " ".join(f"{k} {_said(v)}" for k, v in value.items())
        case list() | tuple():
            return " ".join(map(_said, value))
        case "":
            return "default"
    return str(value)
