"""Lines of ignore files as git (`dir.c`, `wildmatch.c`) understands them, but by character, not by byte."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Of ASCII alone, and git's own idea of white space.
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\r ", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_STAR, _FOLDERS = "[^/]*", "(?:.*/)?"
_FIRST = {_STAR: "(?>[^/]*?", _FOLDERS: "(?>(?:.*?/)??"}
_LITERAL = re.compile(r"[^*?\[\\]*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A line that says something of paths: that they are hidden, or that they are not after all."""

    hides: bool
    folders: bool  # of folders alone
    names: bool  # of names, wherever they are
    regex: re.Pattern[str]

    def matches(self, path: str, folder: bool) -> bool:
        """Whether it tells of `path` itself, as seen from where the list counts; not of what is inside."""
        name = path.rpartition("/")[2] if self.names else path
        return (folder or not self.folders) and self.regex.fullmatch(name) is not None


def read(lines: Iterable[str], any_case: bool) -> tuple[Pattern, ...]:
    """The patterns of a list; lines that git can make nothing of match nothing, here as there."""
    return tuple(p for line in lines if (p := _pattern(line, any_case)) is not None)


def verdict(patterns: Sequence[Pattern], path: str, folder: bool) -> bool | None:
    """What the last pattern that tells of `path` says: hidden or not; None without one."""
    found = (pattern.hides for pattern in reversed(patterns) if pattern.matches(path, folder))
    return next(found, None)


def _pattern(line: str, any_case: bool) -> Pattern | None:
    if line.startswith("#"):
        return None
    body = _without_spaces(line)
    hides = not body.startswith("!")
    body = body.removeprefix("!")
    folders = body.endswith("/")
    body = body.removesuffix("/")
    names = "/" not in body
    body = body.removeprefix("/")
    start = _LITERAL.match(body)
    assert start is not None
    rest = _translated(body[start.end() :])  # git cuts the start off: `**` behind it begins anew
    if rest is None or not body:
        return None
    flags = re.DOTALL | (re.IGNORECASE if any_case else 0)
    return Pattern(hides, folders, names, re.compile(re.escape(start[0]) + rest, flags))


def _without_spaces(line: str) -> str:
    """Without those at the end, but for one that is escaped."""
    bare = line.rstrip(" ")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " * (escapes % 2 and len(line) > len(bare))


def _translated(glob: str) -> str | None:
    """As a regular expression; None for what matches nothing."""
    found, at = [], 0
    while at < len(glob):
        sign, piece, end = glob[at], "[^/]", at + 1
        if sign == "*":
            piece, end = _stars(glob, at)
        elif sign == "[":
            inside = _bracket(glob, end)
            if inside is None:
                return None
            piece, end = inside
        elif sign == "\\":
            piece, end = re.escape(glob[end : end + 1]), end + 1
            if not piece:
                return None
        elif sign != "?":
            piece = re.escape(sign)
        found.append(piece)
        at = end
    return _joined(found)


def _joined(pieces: Iterable[str]) -> str:
    """Where another star of its kind follows, a star takes the first that fits and stays with it.

    The other one makes up for it, and nobody's list takes hours: `*a*a*a*a*a*a*ab` would.
    """
    found: list[str] = []
    before: dict[str, int] = {}  # where the last star of a kind is, while one may make up for it
    for piece in pieces:
        if piece in _FIRST:
            if piece in before:
                found[before[piece]] = _FIRST[piece]
                found.append(")")
            if piece == _FOLDERS:
                before.clear()
            before[piece] = len(found)
        elif piece == "/":
            before.pop(_STAR, None)
        found.append(piece)
    return "".join(found)


def _stars(glob: str, at: int) -> tuple[str, int]:
    """Two or more are any number of folders, where they stand alone between slashes."""
    end = len(glob) - len(glob[at:].lstrip("*"))
    alone = end == len(glob) or glob.startswith(("/", "\\/"), end)
    if end - at < 2 or not alone or glob[:at][-1:] not in ("", "/"):
        return _STAR, end
    return (_FOLDERS, end + 1) if glob.startswith("/", end) else (".*", end)


def _bracket(glob: str, at: int) -> tuple[str, int] | None:
    """What stands behind a `[`, and where it ends; None where it does not."""
    negated = glob.startswith(("!", "^"), at)
    at += negated
    found, before, first = [], "", at  # `before`: what a range may begin with
    while at == first or not glob.startswith("]", at):
        named = re.compile(r"\[:([^\]]*):\]").match(glob, at)
        if named is not None:
            if named[1] not in _CLASSES:
                return None
            found.append(_CLASSES[named[1]])
            before, at = "", named.end()
            continue
        ranged = before and glob.startswith("-", at) and glob[at + 1 : at + 2] not in ("", "]")
        at += bool(ranged)
        at += glob.startswith("\\", at)
        if at >= len(glob):
            return None
        if not ranged:
            found.append(re.escape(glob[at]))
        elif before <= glob[at]:
            found.append(f"{re.escape(before)}-{re.escape(glob[at])}")
        before = "" if ranged else glob[at]
        at += 1
    inside = "".join(found)
    return (f"[^/{inside}]" if negated else f"(?!/)[{inside}]"), at + 1
