"""A block whose braces are still on one line: `if (x) {|}`, as editors leave it until Enter is pressed.

What is asked there is asked of the document as that key makes it, and told as a text for the line as it
is. So the block appears before the key, and after it nothing has to be computed. Copilot suggests so, too.
"""

import re
from dataclasses import dataclass, replace

from dcomplete.context import language_of
from dcomplete.document import Gap, Snapshot
from dcomplete.settings import TriggerSettings
from dcomplete.types import Suggestion

_CLOSERS = re.compile(r"\}[)\]};,]*")
# What stands before the `{` of an object, a set, a list of names or a hole in a text
_VALUE = re.compile(
    r"(?:[=:(\[,$\"'`]|\b(?:return|import|export|default|from|use|yield|await|new|typeof|case)"
    r"|(?:(?<![=!<>])=|[(,\[]|\breturn)\s*(?!(?:loop|unsafe|async|do|try|struct|class)$)\w[\w:.<>]*)$"
)
_LENGTH = 200  # characters left of the brace that are looked at


@dataclass(frozen=True, slots=True)
class Braces:
    """The place between them, what goes between them above and below, and how long their line's rest is."""

    place: int
    above: str
    below: str
    rest: int

    def joined(self, suggestion: Suggestion) -> Suggestion:
        """A suggestion for the line between as one for the line as it is."""
        text = self.above + suggestion.text + self.below
        return replace(suggestion, text=text, start=self.place, end=self.place + self.rest)


def split(snapshot: Snapshot, settings: TriggerSettings) -> tuple[Braces | None, Snapshot]:
    """The braces around the gap, and the document with a line opened between them.

    Where there are none that stand for a block: None, and the snapshot as it is.
    """
    text, gap = snapshot.text, snapshot.gap
    left = text[text.rfind("\n", 0, gap.start) + 1 : gap.start]
    rest = text[gap.end : gap.end + _LENGTH].partition("\n")[0].removesuffix("\r")
    between = gap.start == gap.end and left.endswith("{") and _CLOSERS.fullmatch(rest)
    if not between or settings.multiline == "never":
        return None, snapshot
    language = language_of(snapshot.language, snapshot.uri)
    if language.indented or not language.opens_block(left) or _is_value(left[:-1][-_LENGTH:]):
        return None, snapshot
    eol, indent = snapshot.document.eol, left[: len(left) - len(left.lstrip(" \t"))]
    above = eol + indent + (" " * snapshot.tab_size if snapshot.insert_spaces else "\t")
    below, place = eol + indent + rest, gap.start + len(above)
    opened = text[: gap.start] + above + below + text[gap.end + len(rest) :]
    braces = Braces(gap.start, above, below, len(rest))
    return braces, replace(snapshot, text=opened, gap=Gap(place, place))


def _is_value(before: str) -> bool:
    head = before.rstrip()
    made = head == before and head[-1:].isalnum()  # `Point{}`
    return made or _VALUE.search(head) is not None
