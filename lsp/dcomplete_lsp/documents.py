"""The open documents, kept equal to the editor's by its edits.

pygls splits the whole text again for every edit. Here a table of line starts is mended around the
edit, and what lies behind it is shifted lazily, so that a keystroke costs the same in every file.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcomplete_lsp.convert import (
    Encoding,
    code_points,
    halves,
    inside_pair,
    join_pairs,
    units,
)

# The three line ends of the Language Server Protocol, and no others.
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Place:
    """A position as the editor counts: a line from 0 and a column in the encoding's units."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Change:
    """What the editor changed: `text` replaces `start` to `end`; no `start` replaces everything."""

    text: str
    start: Place | None = None
    end: Place | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A change in code points of the text before it."""

    start: int
    end: int
    text: str


class LineTable:
    """Where each line starts, in code points."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._shifted = len(self._starts)  # starts from this line on are `_shift` too small
        self._shift = 0

    def __len__(self) -> int:
        return len(self._starts)

    def start(self, line: int) -> int:
        return self._starts[line] + (self._shift if line >= self._shifted else 0)

    def line(self, offset: int) -> int:
        """The line that holds `offset`."""
        if self._shifted < len(self._starts) and offset >= self.start(self._shifted):
            return bisect_right(self._starts, offset - self._shift, lo=self._shifted) - 1
        return bisect_right(self._starts, offset, hi=self._shifted) - 1

    def replace(self, first: int, last: int, starts: list[int], longer: int) -> None:
        """Lines `first` to `last` become one that starts where `first` did, then `starts`.

        The lines after them start `longer` code points later.
        """
        self._shift_from(last + 1)
        self._starts[first + 1 : last + 1] = starts
        self._shifted = first + 1 + len(starts)
        self._shift += longer

    def _shift_from(self, line: int) -> None:
        """Move the border behind which starts are still to be shifted."""
        a, b = sorted((self._shifted, line))
        shift = self._shift if self._shifted < line else -self._shift
        if shift:
            self._starts[a:b] = [start + shift for start in self._starts[a:b]]
        self._shifted = line


class OpenDocument:
    """One document of the editor. Positions outside the text are moved to its nearest end."""

    def __init__(self, uri: str, language: str, version: int, text: str) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self.text = text
        self._lines = LineTable(text)

    def offset(self, place: Place, encoding: Encoding) -> int:
        """The code point offset of a place."""
        if place.line < 0:
            return 0
        if place.line >= len(self._lines):
            return len(self.text)
        start, line = self._line(place.line)
        return start + code_points(line, place.column, encoding)

    def place(self, offset: int, encoding: Encoding) -> Place:
        """The place of a code point offset."""
        offset = max(0, min(offset, len(self.text)))
        line = self._lines.line(offset)
        return Place(line, units(self.text[self._lines.start(line) : offset], encoding))

    def change(self, change: Change, encoding: Encoding) -> Replaced:
        """Apply one change and say what it replaced."""
        if change.start is None or change.end is None:
            done = Replaced(0, len(self.text), join_pairs(change.text))
            self.text = done.text
            self._lines = LineTable(self.text)
            return done
        done = self._in_code_points(change, encoding)
        self._splice(done)
        return done

    def _line(self, line: int) -> tuple[int, str]:
        """Where a line starts, and its text without the line end."""
        start = self._lines.start(line)
        last = line + 1 >= len(self._lines)
        end = len(self.text) if last else self._lines.start(line + 1)
        text = self.text[start:end]
        return start, text[: -len(match[0])] if (match := _ending(text)) else text

    def _in_code_points(self, change: Change, encoding: Encoding) -> Replaced:
        assert change.start is not None and change.end is not None
        places = sorted((change.start, change.end), key=lambda p: (p.line, p.column))
        start, end = (self.offset(place, encoding) for place in places)
        text = change.text
        # Editors that hold UTF-16 may replace one half of a character; the other one stays.
        if self._halved(places[0], encoding):
            text = halves(self.text[start])[0] + text
        if self._halved(places[1], encoding):
            text += halves(self.text[end])[1]
            end += 1
        # Halves that meet are one character.
        if start and text + self.text[end : end + 1] and _is_high(self.text[start - 1]):
            start -= 1
            text = self.text[start] + text
        if end < len(self.text) and _is_low(self.text[end]):
            text += self.text[end]
            end += 1
        return Replaced(start, end, join_pairs(text))

    def _halved(self, place: Place, encoding: Encoding) -> bool:
        if encoding != "utf-16" or not 0 <= place.line < len(self._lines):
            return False
        return inside_pair(self._line(place.line)[1], place.column, encoding)

    def _splice(self, done: Replaced) -> None:
        lines = self._lines
        first, last = lines.line(done.start), lines.line(done.end)
        if first and done.start == lines.start(first):
            first -= 1  # a lone "\r" before the edit may meet a "\n"
        longer = len(done.text) - (done.end - done.start)
        at_end = last + 1 >= len(lines)
        begin = lines.start(first)
        stop = (len(self.text) if at_end else lines.start(last + 1)) + longer
        self.text = f"{self.text[: done.start]}{done.text}{self.text[done.end :]}"
        starts = [match.end() for match in _LINE_END.finditer(self.text, begin, stop)]
        if not at_end:
            starts.pop()  # the next line's, which the table already has
        lines.replace(first, last, starts, longer)


class DocumentStore:
    """The editor's open documents by URI."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self._documents: dict[str, OpenDocument] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(self._documents.values())

    def get(self, uri: str) -> OpenDocument | None:
        return self._documents.get(uri)

    def open(self, uri: str, language: str, version: int, text: str) -> OpenDocument:
        """Take a document; one of the same URI is replaced."""
        document = OpenDocument(uri, language, version, join_pairs(text))
        self._documents[uri] = document
        return document

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> list[Replaced] | None:
        """Apply the editor's changes one after another; None for a document that is not open."""
        if (document := self._documents.get(uri)) is None:
            return None
        document.version = version
        return [document.change(change, self.encoding) for change in changes]

    def close(self, uri: str) -> OpenDocument | None:
        """Forget a document; None if it was not open."""
        return self._documents.pop(uri, None)


def _ending(line: str) -> re.Match[str] | None:
    """The line end that `line` ends with."""
    at = len(line) - 1
    if line.endswith("\r\n"):
        at -= 1
    return _LINE_END.match(line, at) if at >= 0 else None


def _is_high(character: str) -> bool:
    return "\ud800" <= character <= "\udbff"


def _is_low(character: str) -> bool:
    return "\udc00" <= character <= "\udfff"
