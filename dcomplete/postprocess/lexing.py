"""Brackets and strings in a piece of source text, without a parser.

Proposals are fragments that no parser accepts, so this reads just enough of a language to skip its
strings and comments. Where a language is unknown, quotes and the commonest comments are taken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in PAIRS.items()}
COMMENT = "comment"
LONG = ('"""', "'''", "`")  # quotes of strings that span lines

_HASH = {
    "python", "ruby", "shellscript", "yaml", "toml", "perl", "r", "elixir", "makefile", "julia",
    "powershell", "dockerfile",
}  # fmt: skip
_DASH = {"lua", "sql", "haskell"}
_BOTH = {"php"}
# In these a single quote is a character, a lifetime or a digit separator, never a long string.
_CHARS = {
    "c", "cpp", "csharp", "go", "java", "kotlin", "rust", "scala", "swift", "zig", "objective-c",
    "objective-cpp",
}  # fmt: skip
_LISPS = {"clojure", "commonlisp", "emacs-lisp", "lisp", "racket", "scheme"}
_QUOTING = _LISPS | {"haskell"}  # a single quote is part of a name, or quotes a form
_PREFIXED = {"python", "sql", "r", "dart"}  # a letter may belong to a string: `r'...'`
_SCRIPT = {"javascript", "javascriptreact", "typescript", "typescriptreact", "svelte", "vue"}
_SLASH = _CHARS | _SCRIPT | {"dart", "scss", "less", "jsonc"}
_TRIPLE = {"python", "kotlin", "java", "scala", "swift"}
# Text without comments: `//` belongs to an address there, `/*` to a pattern.
PROSE = {"markdown", "plaintext", "latex", "restructuredtext", "git-commit"}
_BARE = PROSE | {"html", "xml", "json", "css"} | _LISPS
# Of all others, closers say nothing for sure: prose, `case` patterns of a shell, unknown grammars.
_BALANCED = (
    _SLASH | _DASH | _BOTH | _LISPS | (_HASH - {"shellscript", "dockerfile"}) | {"json", "css"}
)


def balanced(language: str) -> bool:
    """Whether every closer of the language has an opener."""
    return language in _BALANCED


@dataclass(frozen=True, slots=True)
class Mark:
    """An opener or a closer. `kind` is the opener of its pair, or the quotes of a string."""

    kind: str
    opens: bool
    start: int
    end: int
    first: bool  # the first thing on its line


_REGEX = (  # a literal of JavaScript, behind what cannot end an operand
    r"(?P<regex>(?:(?<=[(,=:\[!&|?{};])|(?<=[(,=:\[!&|?{};]\s)|(?<=return\s))"
    r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/)"
)
_RAW = r'(?P<raw>\br(?P<hashes>#+)"[\s\S]*?"(?P=hashes))'  # of Rust


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """What to skip and what to count, the first alternative that fits; names say what `read` does."""
    parts = []
    if language in _TRIPLE:
        quotes = ['"""', "'''"] if language == "python" else ['"""']
        whole = "|".join(rf"{q}(?:\\[\s\S]|[^\\])*?{q}" for q in quotes)
        parts += [f"(?P<long>{whole})", f"(?P<triple>{'|'.join(quotes)})"]
    if language in _SCRIPT or language == "go":
        parts += [r"(?P<template>`(?:\\[\s\S]|[^`\\])*`)", "(?P<tick>`)"]
    parts += [_REGEX] * (language in _SCRIPT) + [_RAW] * (language == "rust")
    parts += _comments(language)
    parts.append(r'(?P<string>"(?:\\.|[^"\\\n])*")')
    if language in _CHARS | _QUOTING:
        before = r"(?<!\w)" if language in _QUOTING else ""
        parts += [rf"(?P<char>{before}'(?:\\[^'\n]+|[^'\\\n]|\\')')"] * (language not in _LISPS)
        parts.append(r'(?P<quote>")')
    else:
        word = "" if language in _PREFIXED else r"(?<!\w)"  # an apostrophe is no quote
        parts += [rf"(?P<single>{word}'(?:\\.|[^'\\\n])*')", rf"(?P<quote>\"|{word}')"]
    parts.append(r"(?P<bracket>[()\[\]{}])")
    # Most letters start nothing: one look at the letter spares trying every alternative.
    return re.compile(rf"(?=[\"'`#/()\[\]{{}}r-])(?:{'|'.join(parts)})", re.MULTILINE)


def _comments(language: str) -> list[str]:
    """The comments of a language; of an unknown one the commonest, but no address is one."""
    known = language in _HASH | _DASH | _BOTH | _SLASH | _BARE
    slashes = language in _SLASH | _BOTH or not known
    address = r"(?<!:)" if language in _SCRIPT or not known else ""
    lines = [r"(?:(?<=\s)|^)#[^\n]*"] * (language in _HASH | _BOTH or not known)
    lines += [r"--[^\n]*"] * (language in _DASH) + [rf"{address}//[^\n]*"] * slashes
    found = [f"(?P<comment>{'|'.join(lines)})"] if lines else []
    blocks = slashes or language in ("css", "sql")
    return found + [r"(?P<block>/\*[\s\S]*?\*/)|(?P<blockstart>/\*)"] * blocks


def leave(text: str, inside: str) -> tuple[Mark | None, int]:
    """Where the string or comment that `text` starts in ends."""
    if inside == COMMENT:
        end = text.find("\n")
        return None, len(text) if end < 0 else end
    if inside == "/*":
        end = text.find("*/")
        return None, len(text) if end < 0 else end + 2
    closes = re.compile(r"(?:\\[\s\S]|(?!" + re.escape(inside) + r")[^\\])*")
    match = closes.match(text)
    end = match.end() if match else 0
    newline = text.find("\n")
    if len(inside) == 1 and inside != "`" and 0 <= newline < end:
        return None, newline  # never closed: such a string ends with its line
    if not text.startswith(inside, end):
        return None, len(text)
    return Mark(inside, False, end, end + len(inside), not text[:end].strip()), end + len(inside)


def read(text: str, language: str, inside: str = "") -> tuple[list[Mark], str]:
    """The brackets of `text` in order, and the string or comment that it ends in ("" if none).

    `inside` is the string or comment that it starts in: its quotes, COMMENT or ``/*``.
    """
    return locate(text, language, inside)[:2]


def locate(text: str, language: str, inside: str = "") -> tuple[list[Mark], str, int]:
    """What `read` tells, and where the string or comment that `text` ends in has its first letter."""
    marks: list[Mark] = []
    place = 0
    if inside:
        mark, place = leave(text, inside)
        if mark is None and place >= len(text):
            return [], inside, 0
        marks += [mark] if mark else []
    for match in _pattern(language).finditer(text, place):
        kind, found, start = match.lastgroup, match.group(), match.start()
        if kind == "bracket":
            opens = found in PAIRS
            marks.append(
                Mark(
                    found if opens else CLOSERS[found], opens, start, start + 1, _first(text, start)
                )
            )
        elif kind in ("comment", "blockstart") and (match.end() == len(text) or kind != COMMENT):
            return marks, COMMENT if kind == COMMENT else "/*", start
        elif kind in ("triple", "tick") or (kind == "quote" and "\n" not in text[start:]):
            marks.append(Mark(found, True, start, match.end(), _first(text, start)))
            return marks, found, match.end()
    return marks, "", len(text)


def _first(text: str, place: int) -> bool:
    return not text[text.rfind("\n", 0, place) + 1 : place].strip()


def unclosed(marks: list[Mark]) -> tuple[list[Mark], list[Mark]]:
    """The openers that stay open, and the closers that close nothing of `marks`."""
    stack: list[Mark] = []
    loose: list[Mark] = []
    for mark in marks:
        if mark.opens:
            stack.append(mark)
        elif any(opener.kind == mark.kind for opener in stack):
            while stack.pop().kind != mark.kind:
                pass  # what was opened in between was never closed
        else:
            loose.append(mark)
    return stack, loose


def by_line(text: str, language: str, inside: str = "") -> Iterator[tuple[str, list[Mark]]]:
    """For each line: the string or block comment that it starts in, and its brackets."""
    for line in text.split("\n"):
        marks, after = read(line + "\n", language, inside)
        yield inside, marks
        inside = after
