"""A pair as it is seen: some lines around the gap, the answer, and what each piece of text is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from dcomplete_eval.arena.sitting import Shown

_LEXED = 20_000  # characters before the gap that are looked at for the colours of what is shown
# The kinds of text that are told apart, by the beginning of Pygments' token names.
_KINDS = (
    ("Comment", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Builtin", "builtin"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Decorator", "builtin"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of one line. `kind` is "" for what has no colour of its own."""

    text: str
    kind: str
    answer: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1 in the text with this answer in it."""

    number: int
    pieces: tuple[Piece, ...]
    answer: bool  # whether some of it is the answer's


def sides(shown: Shown, before: int, after: int) -> tuple[list[Line], list[Line]]:
    """Both answers with at most `before` and `after` lines around them."""
    return lines(shown, shown.first, before, after), lines(shown, shown.second, before, after)


def lines(shown: Shown, answer: str, before: int, after: int) -> list[Line]:
    """One answer in its place."""
    answer, whole, rest = (
        text.replace("\r\n", "\n") for text in (answer, shown.task.prefix, shown.task.suffix)
    )
    prefix, hidden = whole[-_LEXED:], whole[:-_LEXED]
    suffix = "".join(rest.splitlines(keepends=True)[: after + 1])
    begin, end = len(prefix), len(prefix) + len(answer)
    rows: list[list[Piece]] = [[]]
    at = 0
    for text, kind in _coloured(prefix + answer + suffix, shown.task.language):
        for cut, inside in _cut(text, at, begin, end):
            for number, part in enumerate(cut.split("\n")):
                if number:
                    rows.append([])
                _append(rows[-1], Piece(part, kind, inside))
        at += len(text)
    first = prefix.count("\n")
    last = first + answer.count("\n")
    start = max(0, first - before)
    shift = hidden.count("\n") + 1
    return [
        Line(number + shift, tuple(row), first < number < last or any(p.answer for p in row))
        for number, row in enumerate(rows)
        if start <= number <= last + after
    ]


def _append(row: list[Piece], piece: Piece) -> None:
    """Add a piece, to the last one where that is of the same sort."""
    if not piece.text:
        return
    if row and (row[-1].kind, row[-1].answer) == (piece.kind, piece.answer):
        row[-1] = replace(piece, text=row[-1].text + piece.text)
    else:
        row.append(piece)


def _coloured(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Pieces of `text` and their kinds; together they are `text`."""
    try:
        from pygments.lexers import get_lexer_by_name
        from pygments.util import ClassNotFound

        lexer = get_lexer_by_name(language or "text", stripnl=False, ensurenl=False)
    except (ImportError, ClassNotFound):
        yield text, ""
        return
    told = [(piece, str(token).removeprefix("Token.")) for token, piece in lexer.get_tokens(text)]
    if "".join(piece for piece, _ in told) != text:  # a lexer may normalise line ends
        yield text, ""
        return
    for piece, token in told:
        yield piece, next((kind for start, kind in _KINDS if token.startswith(start)), "")


def _cut(text: str, at: int, begin: int, end: int) -> Iterator[tuple[str, bool]]:
    """`text`, which starts at `at`, in parts outside and inside `begin` to `end`."""
    borders = sorted({at, at + len(text), *(b for b in (begin, end) if at < b < at + len(text))})
    for start, stop in pairwise(borders):
        yield text[start - at : stop - at], begin <= start and stop <= end
