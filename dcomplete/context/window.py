"""The contiguous text around the gap: as much as the budget allows, cut at borders that stay put.

The model keeps what it computed for a context, so the beginning of the prefix must not move while
somebody types. The cut therefore moves in strides of a quarter of the budget, anchored at the
document's beginning; the suffix depends on nothing before the gap.
"""

from bisect import bisect_right
from collections.abc import Callable

import tree_sitter

from dcomplete.context.trees import Parsed
from dcomplete.document import CLOSERS

CHARACTERS_PER_TOKEN = 3.5  # of source code, on the safe side
SUFFIX_SHARE = 0.25
PREAMBLE_SHARE = 1 / 3

_INSERTIONS = frozenset([*CLOSERS, *";, \t\r\n"])
_INSERTED = 200  # code points behind the gap in which all may be closers

_DEEPEST = 16  # levels of syntax that are searched for a border
_SIBLINGS = 200  # that are looked at on one level

Count = Callable[[str], int]


def estimate(text: str) -> int:
    """Tokens that `text` takes, without a tokenizer."""
    return int(len(text) / CHARACTERS_PER_TOKEN) + 1 if text else 0


def characters(tokens: int) -> int:
    """About how many characters `tokens` tokens are."""
    return max(0, int(tokens * CHARACTERS_PER_TOKEN))


def prefix_start(text: str, gap: int, tokens: int, count: Count, parsed: Parsed | None) -> int:
    """Where the prefix begins so that at most `tokens` tokens stand before the code point `gap`."""
    most = characters(tokens)
    if gap <= most and count(text[:gap]) <= tokens:
        return 0
    stride = max(1, most // 4)
    low = -(-max(0, gap - most) // stride) * stride
    while low < gap:
        start = border(text, low, min(gap, low + stride), parsed)
        if count(text[start:gap]) <= tokens:
            return start
        low += stride
    start = max(0, gap - stride)
    while start < gap and count(text[start:gap]) > tokens:
        start += max(1, (gap - start) // 2)
    return start


def suffix_end(text: str, gap: int, tokens: int, count: Count) -> int:
    """Where the suffix ends so that at most `tokens` tokens stand after the code point `gap`.

    Depends on the text after the gap alone; prefers the end of a paragraph, then of a line.
    """
    most = characters(tokens)
    if len(text) - gap <= most and count(text[gap:]) <= tokens:
        return len(text)
    limit = min(len(text), gap + most)
    while limit > gap:
        end = _ending(text, gap, limit)
        if count(text[gap:end]) <= tokens:
            return end
        limit = gap + (limit - gap) * 3 // 4
    return gap


def anchored(text: str, gap: int) -> int:
    """The first code point behind `gap` that is no closer and no white space, as editors insert them.

    Measured from there, the suffix has the same end whether a bracket or a line was opened before it.
    """
    reach = min(len(text), gap + _INSERTED)
    place = gap
    while place < reach and text[place] in _INSERTIONS:
        place += 1
    return place if place < reach else gap


def _ending(text: str, gap: int, limit: int) -> int:
    paragraph = text.rfind("\n\n", limit - (limit - gap) // 4, limit)
    if paragraph >= 0:
        return paragraph + 1
    line = text.rfind("\n", gap + (limit - gap) // 2, limit)
    return line + 1 if line >= 0 else limit


def border(text: str, low: int, high: int, parsed: Parsed | None) -> int:
    """The best place in `low` to `high` to begin: a statement, else a paragraph, a line, or `low`."""
    if parsed is not None:
        found = _statement(parsed, low, high)
        if found is not None:
            return found
    paragraph = text.find("\n\n", low, high)
    if 0 <= paragraph < high - 2:
        return paragraph + 2
    line = text.find("\n", max(0, low - 1), high)
    if 0 <= line < high - 1:
        return line + 1
    return low + 1 if text[low - 1 : low + 1] == "\r\n" else low


def _statement(parsed: Parsed, low: int, high: int) -> int | None:
    """The line of the outermost node that begins between `low` and `high`."""
    first, last = parsed.byte(low), parsed.byte(high)
    node: tree_sitter.Node | None = parsed.root
    for _ in range(_DEEPEST):
        # `Node.first_child_for_byte` crashes the process where no child is found (tree-sitter 0.26.1).
        children = [] if node is None else node.children
        index = bisect_right(children, first, key=lambda child: child.end_byte)
        for child in children[index : index + _SIBLINGS]:
            if child.start_byte >= last:
                break
            line = child.start_byte - child.start_point[1]
            alone = not parsed.data[line : child.start_byte].strip()
            if line >= first and child.is_named and alone:
                return parsed.offset(line)
        node = children[index] if index < len(children) else None
    return None
