"""Keystroke traces as recorded by josephg/editing-traces (`sequential_traces`, CC BY 4.0)."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
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
            return Trace(
                path.name.split(".", maxsplit=1)[0], raw["startContent"], raw["endContent"], strokes
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DocumentError(
                f"{path} is no editing trace ({error}); get it with `dcomplete eval data pull`."
            ) from None

    def first(self, count: int) -> "Trace":
        """The trace's first `count` keystrokes."""
        kept = self.keystrokes[:count]
        *_, end = self.start, *Trace(self.name, self.start, "", kept).texts()
        return Trace(self.name, self.start, end, kept)

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
