"""What stands behind the gap and only closes what is open there.

Editors insert closers while somebody types, `print()` and the `}` of a block, and a line further down with
Enter. To a model that does not see them the text behind the gap stays the same, and it ends the line as
its author would (engine/LOG.md).
"""

import re

from dcomplete.postprocess.brackets import frame
from dcomplete.postprocess.proposal import Surroundings

_ENDS = ";,"  # of a statement or an item, behind its closers
_LINES = re.compile(r"(?:\n[ \t]*[)\]}][)\]};,]*[ \t]*(?=\n|\Z))+")


def closing(around: Surroundings) -> int:
    """How many characters right of the gap only close: the rest of its line and lines of closers below.

    0 where the line goes on with anything else.
    """
    closers = around.rest.rstrip().rstrip(_ENDS)
    if closers and not _closes(around, closers):
        return 0
    below = _LINES.match(around.suffix, len(around.rest))
    if below is not None:
        return below.end()
    return len(around.rest) if closers else 0


def _closes(around: Surroundings, closers: str) -> bool:
    if any(c.isalnum() for c in closers):
        return False  # most often so, and quickly told
    known = "".join(around.rest[mark.start : mark.end] for mark in frame(around).tail)
    return known == "".join(closers.split())
