"""How a document indents, for editors that do not say."""

import re

_INDENTED = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_LOOK_AT = 16_384  # code points
_LINES = 50


def guess(text: str) -> tuple[int, bool]:
    """Tab size, and whether the first indented lines use spaces; (4, True) where none is."""
    smallest = 9
    for count, match in enumerate(_INDENTED.finditer(text, 0, _LOOK_AT)):
        if count == _LINES:
            break
        if match[1].startswith("\t"):
            return 4, False
        if len(match[1]) > 1:  # a single space aligns the stars of a comment
            smallest = min(smallest, len(match[1]))
    return (smallest, True) if smallest <= 8 else (4, True)
