"""Cut a document into gaps as people meet them: lines, rests of lines, syntax nodes, any span.

The shares are about those of the recipe: 43 % lines, 28 % syntax nodes, 11 % several lines, 16 %
any run of characters (the first weights were weakest there), and a few empty gaps, whose right answer
is nothing. All choices come from the random generator that is passed in.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from dcomplete.train.syntax import Nodes, nodes_of


class Kind(IntEnum):
    """What a gap holds; the number is stored with each example."""

    LINE = 0
    REST_OF_LINE = 1
    EXPRESSION = 2
    ARGUMENTS = 3
    STATEMENT = 4
    BLOCK = 5
    BODY = 6
    LINES = 7
    SPAN = 8
    EMPTY = 9


SINGLE_LINE = (Kind.LINE, Kind.REST_OF_LINE)
SYNTAX = (Kind.EXPRESSION, Kind.ARGUMENTS, Kind.STATEMENT, Kind.BLOCK, Kind.BODY)
_SHARES = (
    (Kind.LINE, 0.26), (Kind.REST_OF_LINE, 0.17), (Kind.EXPRESSION, 0.06), (Kind.ARGUMENTS, 0.05),
    (Kind.STATEMENT, 0.06), (Kind.BLOCK, 0.06), (Kind.BODY, 0.05), (Kind.LINES, 0.11),
    (Kind.SPAN, 0.16), (Kind.EMPTY, 0.02),
)  # fmt: skip
MAX_CHARACTERS = 260  # 63 tokens are seldom more
_LONGEST_SPAN = 150  # characters
_DULL = 0.75  # share of comments and docstring lines that are passed over
_BORDER = re.compile(r"(?<=[\s(\[{.,=:@])(?=\S)|(?<=\w)(?=\W)")
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap at characters `start` to `end` of a document."""

    start: int
    end: int
    kind: Kind


class Cutter:
    """One document, ready to be cut: its lines and its syntax."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        if self._starts[-1] == len(text) and len(self._starts) > 1:
            self._starts.pop()
        self._nodes: Nodes = nodes_of(text, language, MAX_CHARACTERS)

    def kind(self, rng: Random) -> Kind:
        """A random kind by the shares."""
        return rng.choices([k for k, _ in _SHARES], [share for _, share in _SHARES])[0]

    def gap(self, rng: Random, kind: Kind) -> Gap | None:
        """A random gap of the kind, or None where none was found."""
        for _ in range(_TRIES):
            found = self._try(rng, kind)
            if found and found.end - found.start <= MAX_CHARACTERS:
                return found
        return None

    def _try(self, rng: Random, kind: Kind) -> Gap | None:
        if kind == Kind.EMPTY:
            return self._empty(rng)
        if kind == Kind.SPAN:
            return self._span(rng)
        if kind == Kind.LINES:
            return self._lines(rng)
        if kind in SYNTAX:
            return self._node(rng, kind)
        return self._line(rng, kind)

    def _line(self, rng: Random, kind: Kind) -> Gap | None:
        start, end = self._bounds(rng.randrange(len(self._starts)))
        line = self.text[start:end]
        if not line.strip() or (self._is_dull(start, line) and rng.random() < _DULL):
            return None
        first = start + len(line) - len(line.lstrip())
        if kind == Kind.LINE:
            start = start if rng.random() < 0.5 else first
        else:
            start = self._inside(rng, first, end)
        return Gap(start, self._maybe_newline(rng, end), kind)

    def _inside(self, rng: Random, first: int, end: int) -> int:
        """Where in a line a cursor stands: mostly at a border of words, sometimes anywhere."""
        if rng.random() < 0.7:
            borders = [first + m.start() for m in _BORDER.finditer(self.text[first:end])]
            if borders:
                return rng.choice(borders)
        return rng.randrange(first, end)

    def _lines(self, rng: Random) -> Gap | None:
        """Two to eight lines, from the start of a line, its first word, or inside it."""
        at = rng.randrange(len(self._starts))
        last = at + min(1 + int(rng.expovariate(0.5)), 7)
        if last >= len(self._starts):
            return None
        start, end = self._bounds(at)
        stop = self._bounds(last)[1]
        if not self.text[start:end].strip() or not self.text[self._starts[last] : stop].strip():
            return None
        if self._is_dull(start, self.text[start:end]) and rng.random() < _DULL:
            return None
        first = start + len(self.text[start:end]) - len(self.text[start:end].lstrip())
        where = rng.random()
        if where > 0.4:
            start = first if where < 0.75 else self._inside(rng, first, end)
        return Gap(start, self._maybe_newline(rng, stop), Kind.LINES)

    def _span(self, rng: Random) -> Gap | None:
        size = int(_LONGEST_SPAN ** rng.random())
        start = rng.randrange(len(self.text))
        end = min(len(self.text), start + size)
        return Gap(start, end, Kind.SPAN) if self.text[start:end].strip() else None

    def _empty(self, rng: Random) -> Gap:
        """Where a cursor often rests with nothing missing: the end of a line, or anywhere."""
        if rng.random() < 0.6:
            at = self._bounds(rng.randrange(len(self._starts)))[1]
        else:
            at = rng.randrange(len(self.text) + 1)
        return Gap(at, at, Kind.EMPTY)

    def _node(self, rng: Random, kind: Kind) -> Gap | None:
        """A syntax node; without a grammar, lines in its place."""
        if not self._nodes.known:
            large = kind in (Kind.BLOCK, Kind.BODY)
            return self._lines(rng) if large else self._line(rng, Kind.LINE)
        spans = self._nodes.spans[kind.name]
        if not spans:
            return None
        start, end = rng.choice(spans)
        if kind == Kind.ARGUMENTS and end - start >= 2 and rng.random() < 0.7:
            return Gap(start + 1, end - (rng.random() < 0.7), kind)  # behind the typed bracket
        if kind not in (Kind.STATEMENT, Kind.BLOCK, Kind.BODY):
            return Gap(start, end, kind) if end > start else None
        line = self._starts[bisect_right(self._starts, start) - 1]
        if not self.text[line:start].strip() and rng.random() < 0.4:
            start = line
        if end < len(self.text) and self.text[end] == "\n":
            end = self._maybe_newline(rng, end)
        return Gap(start, end, kind)

    def _bounds(self, line: int) -> tuple[int, int]:
        start = self._starts[line]
        end = self.text.find("\n", start)
        return start, len(self.text) if end < 0 else end

    def _maybe_newline(self, rng: Random, end: int) -> int:
        """In half of the cuts the gap holds the newline that ends its line."""
        return end + (end < len(self.text) and rng.random() < 0.5)

    def _is_dull(self, start: int, line: str) -> bool:
        words = line.strip()
        if words.startswith(("#", "//", "*", "/*")) or sum(map(str.isalnum, words)) < 2:
            return True
        at = bisect_right(self._nodes.strings, (start, len(self.text) + 1)) - 1
        return at >= 0 and self._nodes.strings[at][1] > start
