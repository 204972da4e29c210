"""A text with gaps in it: where they are, what is around them, and the text once they are filled.

Everything is counted in code points. Models know only ``\\n``; a document's own line ends are kept
outside the gaps and given to the infill.
"""

from dataclasses import dataclass

from dcomplete.errors import DocumentError

BOM = "\ufeff"
# What editors insert by themselves, and what has to be typed for it
CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<", '"': '"', "'": "'", "`": "`"}
_DIGITS = 18  # of a line or column; Python refuses to read numbers of thousands


@dataclass(frozen=True, slots=True)
class Gap:
    """A span to be filled; equal ends are a plain insertion."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """The whole text and its gaps, in order and apart from each other."""

    text: str
    gaps: tuple[Gap, ...]

    @property
    def eol(self) -> str:
        """The line end that the document uses most."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf and 2 * crlf >= self.text.count("\n") else "\n"

    def pieces(self) -> list[str]:
        """The texts before, between and after the gaps, as they are."""
        starts = [0, *(g.end for g in self.gaps)]
        ends = [*(g.start for g in self.gaps), len(self.text)]
        return [self.text[a:b] for a, b in zip(starts, ends, strict=True)]

    def for_model(self) -> tuple[str, tuple[str, ...], str]:
        """Prefix, texts between the gaps, and suffix, with ``\\n`` line ends and no byte order mark."""
        prefix, *between, suffix = (p.replace("\r\n", "\n") for p in self.pieces())
        return prefix.removeprefix(BOM), tuple(between), suffix

    def localize(self, infill: str) -> str:
        """A model's answer with the document's line ends."""
        return infill.replace("\n", "\r\n") if self.eol == "\r\n" else infill

    def filled(self, infills: tuple[str, ...]) -> str:
        """The text with the gaps replaced; everything else is kept to the character."""
        first, *rest = self.pieces()
        woven = first
        for infill, piece in zip(infills, rest, strict=True):
            woven += self.localize(infill) + piece
        return woven


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document at one moment, and what is asked of it. All offsets are code points.

    `automatic` is False where the person asked for a suggestion. `selected` is the item selected in
    the editor's popup menu, as (start, end, text): suggestions must begin with it.
    """

    uri: str
    language: str  # the LSP language identifier, "" if unknown
    version: int
    text: str
    gap: Gap
    automatic: bool = True
    tab_size: int = 4
    insert_spaces: bool = True
    selected: tuple[int, int, str] | None = None

    @property
    def document(self) -> Document:
        return Document(self.text, (self.gap,))


def decode(raw: bytes, name: str) -> str:
    """Bytes of a source file to text; raises DocumentError for what is no UTF-8 text."""
    if b"\0" in raw[:65536]:
        raise DocumentError(f"{name} is a binary file; dcomplete fills gaps in text.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} is not valid UTF-8 (byte {error.start}); convert it to UTF-8 first."
        ) from None


def offset(text: str, position: str) -> int:
    """``LINE:COL`` (both from 1) to an offset; raises DocumentError where there is no such place."""
    line_text, colon, column_text = position.partition(":")
    if not (line_text.isdecimal() and column_text.isdecimal() and colon):
        raise DocumentError(f"{position!r} is no position; write LINE:COL, both counted from 1.")
    if max(len(line_text), len(column_text)) > _DIGITS:
        raise DocumentError("There is no such place: the line or the column is too large.")
    line, column = int(line_text), int(column_text)
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise DocumentError(f"There is no line {line}: the text has {len(lines)} lines.")
    hidden = len(BOM) if line == 1 and text.startswith(BOM) else 0  # no editor shows it
    length = len(lines[line - 1].removesuffix("\r")) - hidden
    if not 1 <= column <= length + 1:
        raise DocumentError(f"Line {line} has columns 1 to {length + 1}, not {column}.")
    return sum(len(other) + 1 for other in lines[: line - 1]) + hidden + column - 1


def at_position(text: str, at: str, to: str | None = None) -> Document:
    """One gap at `at`, replacing what stands before `to`."""
    start = offset(text, at)
    end = start if to is None else offset(text, to)
    if end < start:
        raise DocumentError(f"--to {to} lies before --at {at}.")
    return Document(text, (Gap(start, end),))


def at_markers(text: str, marker: str) -> Document:
    """A gap in place of every `marker`; the document is the text without the markers."""
    if not marker:
        raise DocumentError("The gap marker must not be empty.")
    pieces = text.split(marker)
    if len(pieces) == 1:
        raise DocumentError(
            f"The marker {marker!r} is not in the text; use --at LINE:COL or another --gap."
        )
    gaps, place = [], 0
    for piece in pieces[:-1]:
        place += len(piece)
        gaps.append(Gap(place, place))
    return Document("".join(pieces), tuple(gaps))
