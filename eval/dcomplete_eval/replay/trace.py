"""Keystroke traces as recorded by josephg/editing-traces (`sequential_traces`, CC BY 4.0)."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from dcomplete.errors import DocumentError

LANGUAGES = {"rustcode": "rust", "sveltecomponent": "svelte"}  # the rest is Markdown


@dataclass(frozen=True, slots=True)
class Patch:
    """Delete `deleted` characters at `at`, then insert `text` there."""

    at: int
    deleted: int
    text: str


Keystroke = tuple[Patch, ...]  # applied one after another


@dataclass(frozen=True, slots=True)
class Trace:
    """A document's whole history."""

    name: str
    start: str
    end: str
    keystrokes: tuple[Keystroke, ...]
    seconds: tuple[int, ...]  # when each was made; the traces keep whole seconds only

    @property
    def language(self) -> str:
        return LANGUAGES.get(self.name, "markdown")

    @staticmethod
    def read(path: Path) -> "Trace":
        """Read ``NAME.json.gz``; raises DocumentError for what is no trace."""
        try:
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                raw: dict[str, Any] = json.load(stream)
            strokes = tuple(tuple(Patch(*p) for p in t["patches"]) for t in raw["txns"])
            seconds = tuple(int(datetime.fromisoformat(t["time"]).timestamp()) for t in raw["txns"])
            name = path.name.split(".", maxsplit=1)[0]
            return Trace(name, raw["startContent"], raw["endContent"], strokes, seconds)
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
            raise DocumentError(
                f"{path} is no editing trace ({error}); get it with `dcomplete eval data pull`."
            ) from None

    def first(self, count: int) -> "Trace":
        """The trace's first `count` keystrokes."""
        kept = self.keystrokes[:count]
        *_, end = self.start, *replace(self, keystrokes=kept).texts()
        return replace(self, end=end, keystrokes=kept, seconds=self.seconds[:count])

    def moments(self, longest: float, draw: Random) -> list[float]:
        """Seconds from the start for each keystroke: drawn within its second, pauses cut to `longest`."""
        exact = sorted(second + draw.random() for second in self.seconds)
        moments, now = [], 0.0
        for before, after in zip([exact[0], *exact], exact, strict=False):
            now += min(after - before, longest)
            moments.append(now)
        return moments

    def texts(self) -> Iterator[str]:
        """The document after each keystroke."""
        text = self.start
        for stroke in self.keystrokes:
            for patch in stroke:
                text = text[: patch.at] + patch.text + text[patch.at + patch.deleted :]
            yield text


def is_typing(stroke: Keystroke) -> bool:
    """Whether an editor would ask for a suggestion after it: something was inserted, or deleted
    within a line, at one place."""
    return len(stroke) == 1 and (len(stroke[0].text) > 0 or stroke[0].deleted <= 4)
