"""Closers: which ones a proposal still owes, and which ones the suffix already has.

An opener before the gap is *closed* when the suffix holds its closer. A closer of the proposal that
closes it again is an extra one. Kinds alone cannot tell an opener's own closer from an outer one where
the texts are clipped or half written, so a closer that starts a line must also be indented like the
line of its opener.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from dcomplete.postprocess.lexing import LONG, PAIRS, Mark, balanced, locate, read, unclosed
from dcomplete.postprocess.proposal import Proposal, Surroundings, leading
from dcomplete.postprocess.raw import BRACKET, loose_within, marks_within, open_within


@dataclass(frozen=True, slots=True)
class Opener:
    """A bracket or quote that is open at the gap. `indent` is its line's, in columns."""

    kind: str
    indent: int
    closed: bool = False
    own: bool = False  # opened by the proposal itself


@dataclass(frozen=True, slots=True)
class Frame:
    """What is open at the gap, outermost first, and the string or comment that the gap lies in."""

    openers: tuple[Opener, ...]
    raw: tuple[Opener, ...]  # brackets within `inside`, on the gap's line
    inside: str
    clipped: bool  # the prefix does not start at the top level
    tail: tuple[Mark, ...]  # the suffix's closers on the gap's line that close one of these


def frame(around: Surroundings) -> Frame:
    """The frame of a gap; the same surroundings are read once."""
    return _frame(around.prefix, around.suffix, around.language, max(1, around.tab_size))


@lru_cache(maxsize=16)
def _frame(prefix: str, suffix: str, language: str, tab_size: int) -> Frame:
    marks, inside, since = locate(prefix, language)
    openers = []
    for mark in unclosed(marks)[0]:
        line_start = prefix.rfind("\n", 0, mark.start) + 1
        indent = len(leading(prefix[line_start : mark.start]).expandtabs(tab_size))
        openers.append(Opener(mark.kind, indent))
    first = next((line for line in prefix.split("\n") if line.strip()), prefix)
    clipped = bool(leading(first))
    rest = suffix.find("\n") if "\n" in suffix else len(suffix)
    closers = unclosed(read(suffix, language, inside)[0])[1]
    if inside in LONG and (not closers or closers[0].end > rest):
        closers = []  # it cannot be told whether the next quotes below end this string or start one
    indents = [_closer_indent(mark, prefix, suffix, tab_size) for mark in closers]
    openers = _pair(openers, closers, indents)
    paired = sum(opener.closed for opener in openers)
    raw, within = _pair_within(prefix, suffix, inside, since)
    tail = within + [mark for mark in closers[:paired] if mark.end <= rest]
    return Frame(tuple(openers), tuple(raw), inside, clipped, tuple(tail))


def _pair_within(
    prefix: str, suffix: str, inside: str, since: int
) -> tuple[list[Opener], list[Mark]]:
    """The brackets open within the string or comment at the gap, and the closers of the innermost."""
    raw = [Opener(kind, 0) for kind in (open_within(prefix, since) if inside else [])]
    tail: list[Mark] = []
    for mark, place in zip(loose_within(suffix, inside), range(len(raw) - 1, -1, -1), strict=False):
        if raw[place].kind != mark.kind:
            break
        raw[place] = replace(raw[place], closed=True)
        tail.append(mark)
    return raw, tail


def _closer_indent(mark: Mark, prefix: str, suffix: str, tab_size: int) -> int | None:
    """The column of a closer that starts its line; None of another, -1 of an outer one.

    It is an outer one where a statement stands at its column between the gap and it.
    """
    start = suffix.rfind("\n", 0, mark.start) + 1
    line = prefix[prefix.rfind("\n") + 1 :]
    if not mark.first or (start == 0 and line.strip()):
        return None
    indent = len(((line if start == 0 else "") + suffix[start : mark.start]).expandtabs(tab_size))
    for other in suffix[:start].split("\n")[1:-1]:
        text = other.strip()
        statement = bool(text) and text[0] not in ")]}#/*" and not text.endswith(":")
        if statement and len(leading(other).expandtabs(tab_size)) <= indent:
            return -1
    return indent


def _pair(openers: list[Opener], closers: list[Mark], indents: list[int | None]) -> list[Opener]:
    """The openers, with `closed` where one of the closers is theirs."""
    result = list(openers)
    place = len(openers)
    for number, (mark, indent) in enumerate(zip(closers, indents, strict=True)):
        after = [
            c.kind
            for c, i in zip(closers[number + 1 :], indents[number + 1 :], strict=True)
            if i is None
        ]
        found = place - 1
        while found >= 0 and not _closes(mark.kind, indent, after, openers, found):
            found -= 1
        if found < 0:
            break
        result[found] = replace(result[found], closed=True)
        place = found
    return _outermost_first(result)


def _closes(
    kind: str, indent: int | None, after: list[str], openers: list[Opener], place: int
) -> bool:
    if openers[place].kind != kind:
        return False
    if indent is None or openers[place].indent == indent:
        return True
    # `call(a,` / `        b => {` is closed by `})` at the indentation of `call`.
    for other in after:
        place -= 1
        if place < 0 or openers[place].kind != other:
            return False
        if openers[place].indent == indent:
            return True
    return False


def _outermost_first(openers: list[Opener]) -> list[Opener]:
    """Of neighbours that look alike, too few closers close the outer ones."""
    result, start = list(openers), 0
    for end in range(1, len(openers) + 1):
        first, last = openers[start], openers[min(end, len(openers) - 1)]
        alike = last.kind == first.kind and (last.indent == first.indent or first.kind != "{")
        if end < len(openers) and alike:
            continue
        count = sum(opener.closed for opener in openers[start:end])
        for place in range(start, end):
            result[place] = replace(openers[place], closed=place - start < count)
        start = end
    return result


@dataclass(frozen=True, slots=True)
class Balance:
    """What is wrong with a proposal's closers."""

    extra: tuple[Mark, ...]  # the suffix has them already
    stray: int | None  # where something is closed that nothing opened
    raw: int = 0  # how many of `extra`, the first ones, are no code


def balance(text: str, around: Surroundings) -> Balance:
    """Follow the proposal's brackets on top of those open at the gap.

    After an extra closer, an opener of its kind takes the suffix's closer over: of ``} else {`` ...
    ``}`` the last one is the extra one.
    """
    place = frame(around)
    extra = _extra_within(text, place)
    raw, stack = len(extra), list(place.openers)
    for mark in read(text, around.language, place.inside)[0]:
        depth = next((i for i in range(len(stack) - 1, -1, -1) if stack[i].kind == mark.kind), None)
        skipped = stack if depth is None else stack[depth + 1 :]
        unknown = depth is None and not (place.clipped and not stack)
        if mark.opens:
            _open(mark, stack, extra)
        elif unknown or any(opener.own or opener.closed for opener in skipped):
            return Balance(tuple(extra), mark.start, raw)
        elif depth is not None:
            if stack[depth].closed:
                extra.append(mark)
            del stack[depth:]
    return Balance(tuple(extra), None, raw)


def _extra_within(text: str, place: Frame) -> list[Mark]:
    """The closers within the string or comment at the gap that stand right of it already."""
    extra: list[Mark] = []
    stack = list(place.raw)
    for mark in marks_within(text, place.inside):
        if mark.opens:
            _open(mark, stack, extra)
        elif stack and stack[-1].kind == mark.kind and stack.pop().closed:
            extra.append(mark)
    return extra


def _open(mark: Mark, stack: list[Opener], extra: list[Mark]) -> None:
    freed = bool(extra) and extra[-1].kind == mark.kind
    if freed:
        extra.pop()
    stack.append(Opener(mark.kind, 0, closed=freed, own=True))


def cut_open_string(proposal: Proposal, around: Surroundings) -> Proposal:
    """A string that is left open would swallow the closer right of the gap, so it is cut.

    Seen in VS Code: ``puts(|)`` became ``puts("mean = ""))``, whose last closers are in a string.
    """
    place = frame(around)
    if not balanced(around.language) or place.inside or not place.tail:
        return proposal
    marks, inside = read(proposal.text, around.language)
    if inside not in ("'", '"') or inside in around.rest:
        return proposal
    return replace(proposal, text=proposal.text[: marks[-1].start].rstrip(" \t"))


def reuse_closers(proposal: Proposal, around: Surroundings) -> Proposal:
    """A closer that stands right of the gap is not typed twice.

    Editors insert ``)``, ``]`` and quotes by themselves (copilot.lua#43, aws-toolkit-vscode#3873,
    continue#3200, tabby#1294). Where the text ends like the rest of the line, that end is cut
    (codemirror-copilot#18); where it goes on behind the closer, the closer is replaced, as a range
    (Cody: ``sort(|)`` and ``array) {``).
    """
    text = proposal.text
    extra = balance(text, around).extra
    tail = [mark for mark in frame(around).tail if mark.start >= proposal.after]
    if not extra or not tail:
        return proposal
    count = 0
    while count < min(len(extra), len(tail)) and extra[count].kind == tail[count].kind:
        count += 1
    lead, start = around.rest[: tail[0].start], extra[0].start
    if lead.strip() and text[:start].endswith(lead):  # `f"{d['|']}"`: a quote stands before it
        start -= len(lead)
    while count:
        end, typed = tail[count - 1].end, text[start:]
        behind = text[extra[count - 1].end :].strip()
        if typed.strip() == around.rest.strip() or (
            text[start : extra[count - 1].end].strip() == around.rest[:end].strip()
            and around.rest[end:].lstrip().startswith(behind)
        ):
            return replace(proposal, text=text[:start])
        if _in_order(around.rest[:end], typed):
            for sign in ("/>", ">"):  # the end of a tag: `<a href="|">`
                if around.rest.startswith(sign, end) and sign in behind.partition("<")[0]:
                    end += len(sign)
            more = around.rest[end:].strip()
            if more and not BRACKET.search(more) and behind.endswith(more):
                end = len(around.rest.rstrip())  # `print("|");` and `a", b);`
            return replace(proposal, after=max(proposal.after, end))
        count -= 1
    return proposal


def _in_order(wanted: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in wanted if not letter.isspace())


def stop_at_extra_closer(proposal: Proposal, around: Surroundings) -> Proposal:
    """Cut at the first closer that nothing opened, or whose opener the suffix closes already.

    Continue's BracketMatchingService; Tabby's removeDuplicatedBlockClosingLine; Cody #3032.
    """
    if not balanced(around.language):
        return proposal
    found = balance(proposal.text, around)
    spared = sum(mark.end <= proposal.after for mark in frame(around).tail)
    places = [mark.start for mark in found.extra[max(spared, found.raw) :]]
    if found.stray is not None:
        places.append(found.stray)
    if not places:
        return proposal
    text = proposal.text[: min(places)]
    line_start = text.rfind("\n")
    if line_start >= 0 and not text[line_start:].strip():
        text = text[:line_start]
    return replace(proposal, text=text)


def opened_kinds(around: Surroundings) -> list[str]:
    """The kinds of brackets open at the gap, outermost first; quotes are left out."""
    return [opener.kind for opener in frame(around).openers if opener.kind in PAIRS]
