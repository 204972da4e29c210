"""One document's syntax tree, kept up to date edit by edit.

tree-sitter counts UTF-8 bytes, dcomplete code points; the conversion is here and nowhere else. A code
point that UTF-8 cannot express (a lone surrogate) is parsed as a question mark.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import tree_sitter

from dcomplete.context.languages import Language, grammar

MOST_CHARACTERS = 1_000_000  # a larger document has no tree
LONGEST_LINE = 20_000  # characters; minified code costs much and tells little
PATIENCE = (
    0.3  # seconds of this thread's processor time; wall time fails sound code on a busy machine
)

QUICK = (
    1 << 16
)  # bytes; the worst text of this size takes about PATIENCE ("x = (1 +", 72 KB: 0.27 s)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the code points `start` to `end`, counted in the text before this edit, by `text`."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        """`text` after this edit."""
        return text[: self.start] + self.text + text[self.end :]


def difference(old: str, new: str) -> Edit:
    """The shortest single edit that makes `new` of `old`. Bisection: texts are compared in C."""
    most = min(len(old), len(new))
    start = _longest(most, lambda n: old[:n] == new[:n])
    end = _longest(most - start, lambda n: n == 0 or old[-n:] == new[-n:])
    return Edit(start, len(old) - end, new[start : len(new) - end])


def _longest(most: int, holds: Callable[[int], bool]) -> int:
    """The greatest number up to `most` for which `holds`, which is true up to some number only."""
    low = 0
    while low < most:
        middle = (low + most + 1) // 2
        low, most = (middle, most) if holds(middle) else (low, middle - 1)
    return low


class Parsed:
    """A text and its tree; `at` is cheap for ASCII text, which needs no conversion."""

    __slots__ = ("data", "text", "tree")

    def __init__(self, text: str, tree: tree_sitter.Tree, data: bytes | None = None) -> None:
        self.text = text
        self.tree = tree
        self.data = encode(text) if data is None else data

    @property
    def root(self) -> tree_sitter.Node:
        return self.tree.root_node

    def byte(self, offset: int) -> int:
        """The byte where the code point `offset` begins."""
        return offset if len(self.data) == len(self.text) else len(encode(self.text[:offset]))

    def offset(self, byte: int) -> int:
        """The code point that begins at `byte`."""
        if len(self.data) == len(self.text):
            return byte
        return len(self.data[:byte].decode("utf-8", "replace"))

    def text_of(self, node: tree_sitter.Node) -> str:
        """What stands in the source for `node`."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def around(self, offset: int) -> Iterator[tree_sitter.Node]:
        """The nodes that contain the code point before `offset`, the innermost first."""
        byte = self.byte(offset)
        node = self.root.descendant_for_byte_range(max(0, byte - 1), byte)
        while node is not None:
            yield node
            node = node.parent


def encode(text: str) -> bytes:
    """UTF-8 bytes with one replacement character for each code point that has none."""
    return text.encode("utf-8", "replace")


def parse(text: str, language: Language) -> Parsed | None:
    """`text` parsed from nothing; None without a grammar, and for huge, minified or hopeless text."""
    found = grammar(language.grammar)
    if found is None or _too_much(text):
        return None
    data = encode(text)
    tree = _parse(found, data, None)
    return None if tree is None else Parsed(text, tree, data)


def reparse(parsed: Parsed, edits: Iterable[Edit]) -> Parsed | None:
    """`parsed` after `edits`, one after another; equal to a parse from nothing, and much faster."""
    language = parsed.tree.language
    tree = parsed.tree.copy()
    text, data = parsed.text, parsed.data
    for edit in edits:
        start = _byte(text, data, edit.start)
        end = _byte(text, data, edit.end)
        text = edit.apply(text)
        if "\n" not in edit.text and len(edit.text) > LONGEST_LINE:
            return None
        inserted = encode(edit.text)
        old_end = _point(data, end)
        begin = _point(data, start)
        data = data[:start] + inserted + data[end:]
        new_end = start + len(inserted)
        tree.edit(start, end, new_end, begin, old_end, _point(data, new_end))
    if len(text) > MOST_CHARACTERS:
        return None
    new = _parse(language, data, tree)
    return None if new is None else Parsed(text, new, data)


def _too_much(text: str) -> bool:
    return len(text) > MOST_CHARACTERS or max(map(len, text.split("\n"))) > LONGEST_LINE


def _byte(text: str, data: bytes, offset: int) -> int:
    return offset if len(data) == len(text) else len(encode(text[:offset]))


def _point(data: bytes, byte: int) -> tuple[int, int]:
    """Row and column of `byte`, both from 0, the column in bytes."""
    return data.count(b"\n", 0, byte), byte - data.rfind(b"\n", 0, byte) - 1


class _Desk(threading.local):
    """Where a thread lays the bytes that the parser reads.

    py-tree-sitter 0.26 never lets go of what a read callback returns (its #464, #483 are of this kind):
    of bytes that would be the document at every keystroke; of views on one buffer it is 0.2 KB.
    """

    buffer = bytearray()

    def lay(self, data: bytes) -> memoryview:
        """A view on a copy of `data`, until the next call."""
        if len(self.buffer) < len(data):
            self.buffer = bytearray(2 * len(data))
        self.buffer[: len(data)] = data
        return memoryview(self.buffer)[: len(data)].toreadonly()


_desk = _Desk()


def _parse(
    language: tree_sitter.Language, data: bytes, old: tree_sitter.Tree | None
) -> tree_sitter.Tree | None:
    parser = tree_sitter.Parser(language)
    if len(data) <= QUICK:
        return parser.parse(data) if old is None else parser.parse(data, old)
    until = time.thread_time() + PATIENCE
    view = _desk.lay(data)

    def read(byte: int, _: object) -> memoryview:
        return view[byte:]

    def late(*_: object) -> bool:
        return time.thread_time() > until

    try:
        if old is None:
            return parser.parse(read, progress_callback=late)
        return parser.parse(read, old, progress_callback=late)
    except ValueError:  # the callback said to stop
        return None
