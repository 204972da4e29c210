"""Other text, as the model gets to see it: comments with a path, then what the file itself left out."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dcomplete.context.languages import Language
from dcomplete.context.outline import Definition, definitions, flat, import_lines
from dcomplete.context.shape import Place
from dcomplete.context.similarity import identifiers, nearby
from dcomplete.context.source import Visited
from dcomplete.context.trees import Edit, Parsed, reparse
from dcomplete.context.window import Count
from dcomplete.types import Snippet

LEAST_LINES = 2  # of a snippet that is worth showing

_CLOSER = re.compile(r"^\s*(?:[)\]}]|end\b|else\b|elif\b|except\b|catch\b|finally\b)")
_IMPORT_WORDS = frozenset({"import", "from", "use", "using", "include", "package"})
_IMPORT, _LATER, _CODE = range(3)  # the order of an outline's parts


class Spot(NamedTuple):
    """Where a line stands in an outline."""

    part: int
    line: int
    within: int = -1


def commented(snippet: Snippet, language: Language) -> str:
    """The snippet as comments of `language`, its path first; "" in languages without comments."""
    path = snippet.path.replace("\n", " ").replace("\r", " ")
    return language.commented(f"{path}\n{snippet.text}")


def fit(
    snippets: Sequence[Snippet], language: Language, room: int, count: Count
) -> tuple[str, tuple[Snippet, ...]]:
    """As many snippets, best first, as fit into `room` tokens; the best comes last in the text.

    The last one that fits only in part loses lines from its end, or from both where the line that
    was visited is in its middle. What is in one before it already is not shown again.
    """
    blocks: list[str] = []
    used: list[Snippet] = []
    for snippet in snippets:
        if any(s.path == snippet.path and snippet.text.strip() in s.text for s in used):
            continue
        lines = snippet.text.splitlines()
        at = snippet.at if isinstance(snippet, Visited) else 0
        block = commented(snippet, language)
        while block and count(block) > room and len(lines) > LEAST_LINES:
            least = max(LEAST_LINES, len(lines) * 3 // 4)
            first = max(0, min(at - least // 2, len(lines) - least))
            lines, at = lines[first : first + least], at - first
            block = commented(replace(snippet, text="\n".join(lines)), language)
        if block and count(block) <= room:
            room -= count(block)
            blocks.append(block)
            used.append(replace(snippet, text="\n".join(lines)))
    return "".join(reversed(blocks)), tuple(used)


def outline(place: Place, start: int, end: int, room: int, count: Count) -> str:
    """What the window from `start` to `end` does not show of its own file, in `room` tokens.

    The headers that enclose the gap come first in importance, then the signatures of what is named
    near the gap, imports of names used there, the rest of the class, and other imports.
    """
    headers = enclosing(place, start)
    last = max(headers, default=-1)
    inner = " " * (place.width(headers[last]) + place.snapshot.tab_size) if headers else ""
    mark = (inner + place.language.commented("...")).rstrip() + "\n"
    chosen = {Spot(_CODE, at): line + "\n" for at, line in headers.items()}
    room -= count("".join(chosen.values()) + mark)
    if room < 0:
        return ""
    for spot, line in _wanted(place, start, end, headers):
        cost = count(line + "\n")
        if spot not in chosen and cost <= room:
            chosen[spot] = line + "\n"
            room -= cost
    shown = "".join(line for _, line in sorted(chosen.items()))
    return shown + mark if shown and mark.strip() else shown


def enclosing(place: Place, start: int) -> dict[int, str]:
    """Position and text of the headers before `start` in whose blocks the gap stands, outermost first.

    Found by indentation, which also holds where the code does not parse.
    """
    text = place.snapshot.text
    width = place.width(place.left)
    found: dict[int, str] = {}
    stop = place.snapshot.gap.start - len(place.left)
    tail = 0  # where a header's last line, such as `) -> int:`, ends; 0 while there is none
    while stop > 0 and width > 0:
        begin = text.rfind("\n", 0, stop - 1) + 1
        line = text[begin : stop - 1]
        here = place.width(line)
        if not line.strip() or (here < width and _in_text(place, begin)):
            pass
        elif here < width:
            width = here
            tail = stop - 1 if _CLOSER.match(line) else 0
            found[begin] = line
        elif tail and here == width and not _CLOSER.match(line):
            found.pop(max(p for p in found if begin < p < tail), None)
            found[begin] = text[begin:tail]
            tail = 0
        stop = begin
    return {at: _header(found[at]) for at in sorted(found) if at < start}


def _in_text(place: Place, at: int) -> bool:
    """Whether the line at `at` begins inside a string or a comment of several lines."""
    parsed = place.parsed
    nodes = () if parsed is None else parsed.around(at + 1)
    first = 0 if parsed is None else parsed.byte(at)
    return any(
        node.start_byte < first and ("string" in node.type or "comment" in node.type)
        for node in nodes
    )


def _header(lines: str) -> str:
    """A header on one line; of `if` and `else`, only the two lines themselves."""
    first, *_, last = [line for line in lines.split("\n") if line.strip()] * 2
    blank = first[: len(first) - len(first.lstrip(" \t"))]
    if last is not first and not last.lstrip().startswith((")", "]")):
        lines = f"{first} ... {last}"
    return blank + flat(lines)


def _wanted(place: Place, start: int, end: int, headers: dict[int, str]) -> list[tuple[Spot, str]]:
    """Lines that are worth showing beside the headers, with their places, best first."""
    parsed = _sound(place)
    if parsed is None:
        return []
    gap = place.snapshot.gap.start
    near = identifiers(nearby(place.snapshot))
    known = definitions(parsed)
    owners = {d.name: d.line for d in known if d.line in headers}
    named: list[tuple[Spot, str]] = []
    members: list[tuple[Spot, str]] = []
    for definition in sorted(known, key=lambda d: abs(d.start - gap)):
        if start <= definition.start < end or definition.line in headers:
            continue
        shown = (
            _spot(definition, gap, owners),
            definition.indent + definition.shown(place.language),
        )
        if definition.name in near:
            named.append(shown)
        elif definition.owner in owners:
            members.append(shown)
    imports = [
        (Spot(_IMPORT, number), line) for number, line in enumerate(import_lines(parsed, start))
    ]
    used = [pair for pair in imports if not near.isdisjoint(identifiers(pair[1]) - _IMPORT_WORDS)]
    return [*named, *used, *members, *imports]


def _sound(place: Place) -> Parsed | None:
    """The tree without the unfinished line of the gap, which may hide all that comes after it.

    Blanks of the same length stand for the line, so that all positions still hold.
    """
    parsed = place.parsed
    if parsed is None or not parsed.root.has_error:
        return parsed
    gap = place.snapshot.gap
    start, end = gap.start - len(place.left), gap.end + len(place.right)
    blanks = re.sub(r"[^\n]", " ", place.snapshot.text[start:end])
    return reparse(parsed, [Edit(start, end, blanks)])


def _spot(definition: Definition, gap: int, owners: dict[str, int]) -> Spot:
    """Where a signature is shown: in the file's order, but never after the gap's own headers."""
    if definition.start < gap:
        return Spot(_CODE, definition.line, definition.start)
    if definition.owner in owners:
        return Spot(_CODE, owners[definition.owner], definition.start)
    return Spot(_LATER, definition.line, definition.start)
