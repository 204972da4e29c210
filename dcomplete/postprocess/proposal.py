"""What a filter gets and gives: a proposed text, and all that it may know of its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from dcomplete.types import Shape

NEAR = 8000  # code points on each side of the gap that filters look at
_MARGIN = re.compile(r"\n(?=\S)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The place of a proposal. Texts have ``\\n`` line ends; everything counts code points.

    `prefix` and `suffix` are the whole or clipped text before and after the gap; the suffix starts
    right after the gap's end. `indent` is the indentation of the gap's line. `unsure`: the model would go
    on, but is not sure how.
    """

    prefix: str
    suffix: str
    shape: Shape
    indent: str = ""
    tab_size: int = 4
    insert_spaces: bool = True
    language: str = ""  # the LSP language identifier, "" if unknown
    replaced: str = ""  # the gap's own text
    automatic: bool = True
    unsure: bool = False

    @property
    def line(self) -> str:
        """The gap's line up to the gap."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def rest(self) -> str:
        """The gap's line after the gap."""
        return self.suffix.partition("\n")[0]

    @property
    def below(self) -> str:
        """The text below the gap's line."""
        return self.suffix.partition("\n")[2]

    def width(self, whitespace: str) -> int:
        """Columns that leading white space takes."""
        return len(whitespace.expandtabs(max(1, self.tab_size)))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text to insert at the gap. `after` code points of the suffix, within the gap's line, go."""

    text: str
    after: int = 0


Filter = Callable[[Proposal, Surroundings], Proposal]
"""Returns the proposal, mended; raises Refusal to drop it."""


def leading(line: str) -> str:
    """A line's leading white space."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def filled_lines(text: str) -> list[str]:
    """The lines that are not blank, without trailing white space."""
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def clipped(around: Surroundings) -> Surroundings:
    """The surroundings near the gap: from a line at the left margin if there is one, to a line's end."""
    prefix, suffix = around.prefix, around.suffix
    if len(prefix) > NEAR:
        start = len(prefix) - NEAR
        margin = _MARGIN.search(prefix, start) or re.compile(r"\n").search(prefix, start)
        prefix = prefix[margin.end() if margin else start :]
    if len(suffix) > NEAR:
        suffix = suffix[: suffix.rfind("\n", 0, NEAR) + 1 or NEAR]
    return replace(around, prefix=prefix, suffix=suffix)
