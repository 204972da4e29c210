"""Signs that no grammar counts: brackets in strings and comments, and pairs of `<` and `>`.

Editors insert closers there too, and an interpolation (`f"{|}"`) is code again. They are looked at on
the gap's own line only, and nothing is ever cut for them but what is typed twice.
"""

import re
from dataclasses import replace

from dcomplete.postprocess.lexing import CLOSERS, PAIRS, Mark, leave
from dcomplete.postprocess.proposal import Proposal, Surroundings

BRACKET = re.compile(r"[()\[\]{}]")
_ANGLE = re.compile(r"->|=>|<-|<=|>=|<<|[<>]")


def marks_within(text: str, inside: str) -> list[Mark]:
    """The brackets of the string or comment `inside` that `text` starts in, on its first line."""
    if not inside:
        return []
    mark, end = leave(text, inside)
    if mark is not None:
        end = mark.start
    newline = text.find("\n")
    return _brackets(text, 0, end if newline < 0 else min(end, newline))


def open_within(text: str, since: int) -> list[str]:
    """The brackets left open by the last line of a string or comment that starts at `since`."""
    found: list[str] = []
    for mark in _brackets(text, max(since, text.rfind("\n") + 1), len(text)):
        if mark.opens:
            found.append(mark.kind)
        elif found and found[-1] == mark.kind:
            found.pop()
    return found


def loose_within(text: str, inside: str) -> list[Mark]:
    """The closers among `marks_within` that close none of them."""
    opened: list[str] = []
    loose = []
    for mark in marks_within(text, inside):
        if mark.opens:
            opened.append(mark.kind)
        elif opened and opened[-1] == mark.kind:
            opened.pop()
        else:
            loose.append(mark)
    return loose


def _brackets(text: str, start: int, end: int) -> list[Mark]:
    found = []
    for match in BRACKET.finditer(text, start, end):
        sign, at = match.group(), match.start()
        found.append(Mark(CLOSERS.get(sign, sign), sign in PAIRS, at, at + 1, False))
    return found


def reuse_angle(proposal: Proposal, around: Surroundings) -> Proposal:
    """A `>` right of the gap that closes a `<` of its line is not typed twice.

    ``Vec<|>``, ``#include <|>``, ``<div|>``: most editors insert it. As in `reuse_closers`, it is cut
    from the text's end, or replaced where the text goes on behind it.
    """
    owed = _loose_angles(around.line)[0]
    there = len(around.rest) - len(around.rest.lstrip(">"))
    if proposal.after or not owed or not there:
        return proposal
    typed = _loose_angles(proposal.text.partition("\n")[0])[1]
    if not typed:
        return proposal
    behind = proposal.text[typed[0] :]
    if around.rest.startswith(behind.strip()):
        return replace(proposal, text=proposal.text[: typed[0]])
    run = len(behind) - len(behind.lstrip(">"))
    return replace(proposal, after=min(run, there, owed))


def _loose_angles(line: str) -> tuple[int, list[int]]:
    """How many `<` stay open, and where a `>` closes none. Arrows and comparisons are neither."""
    opened, loose = 0, []
    for match in _ANGLE.finditer(line):
        if match.group() == "<":
            opened += 1
        elif match.group() == ">" and opened:
            opened -= 1
        elif match.group() == ">":
            loose.append(match.start())
    return opened, loose
