"""Columns in the units of the editor's position encoding, to and from code points.

The only place that knows UTF-16 and UTF-8. The Language Server Protocol (3.18, "Text Documents")
counts columns in UTF-16 code units unless client and server agree on UTF-8 or UTF-32.
"""

import re
from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_CONTINUATION = bytes(range(0x80, 0xC0))


def code_points(line: str, units: int, encoding: Encoding) -> int:
    """The code points in the first `units` units of `line`; within a character: those before it."""
    if units <= 0:
        return 0
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    if encoding == "utf-16":
        return _after_utf16(line, units)
    encoded = line.encode("utf-8", "surrogatepass")
    if units >= len(encoded):
        return len(line)
    while encoded[units] & 0xC0 == 0x80:
        units -= 1
    return len(encoded[:units].translate(None, _CONTINUATION))


def _after_utf16(line: str, units: int) -> int:
    astral = 0
    for match in _ASTRAL.finditer(line):
        if match.start() + astral + 2 > units:
            return min(units - astral, match.start())
        astral += 1
    return min(units - astral, len(line))


def units(text: str, encoding: Encoding) -> int:
    """How many units of the encoding `text` takes. A lone surrogate counts as it would in WTF-8."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text) + len(_ASTRAL.findall(text))
    return len(text.encode("utf-8", "surrogatepass"))


def inside_pair(line: str, column: int, encoding: Encoding) -> bool:
    """Whether a UTF-16 column lies between the two halves of one character."""
    if encoding != "utf-16" or line.isascii() or column <= 0:
        return False
    place = code_points(line, column, encoding)
    return place < len(line) and units(line[:place], encoding) < column


def halves(character: str) -> tuple[str, str]:
    """The two surrogates of a character beyond U+FFFF."""
    encoded = character.encode("utf-16-le")
    high, low = (encoded[at : at + 2].decode("utf-16-le", "surrogatepass") for at in (0, 2))
    return high, low


def join_pairs(text: str) -> str:
    """`text` with surrogates that stand beside each other joined to the character they mean."""
    return _SPLIT_PAIR.sub(
        lambda m: m[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text
    )
