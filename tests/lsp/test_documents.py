"""Documents under random edits in every encoding equal a slow twin that thinks in code units."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete_lsp.convert import Encoding
from dcomplete_lsp.documents import Change, DocumentStore, LineTable, OpenDocument, Place

SOME = settings(deadline=None, max_examples=60)
ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
BITS = ["a", "\t", "é", "漢", "😀", "\n", "\r\n", "\r", "\u2028", "\x0c", "\ud83d", "\ude00", " "]
texts = st.lists(st.sampled_from(BITS), max_size=20).map("".join)
numbers = st.integers(min_value=0, max_value=9)
places = st.builds(Place, numbers, numbers)
ranged = st.builds(Change, texts, places, places)
changes = st.lists(st.one_of(ranged, ranged, ranged, st.builds(Change, texts)), max_size=8)


def normal(text: str) -> str:
    """Surrogates that meet are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def lines_of(text: str) -> list[str]:
    """Split behind the three line ends of the protocol, one character at a time."""
    lines, line, i = [], "", 0
    while i < len(text):
        end = "\r\n" if text[i : i + 2] == "\r\n" else text[i] if text[i] in "\r\n" else ""
        line += end or text[i]
        i += len(end) or 1
        if end:
            lines.append(line)
            line = ""
    return [*lines, line]


def width(character: str, encoding: Encoding) -> int:
    match encoding:
        case "utf-8":
            return len(character.encode("utf-8", "surrogatepass"))
        case "utf-16":
            return 2 if character > "\uffff" else 1
    return 1


def naive_offset(text: str, place: Place, encoding: Encoding) -> int:
    """Walk to the place; a column within a character counts as before it."""
    lines = lines_of(text)
    if place.line >= len(lines):
        return len(text)
    offset, column = sum(map(len, lines[: place.line])), 0
    for character in lines[place.line].rstrip("\r\n"):
        column += width(character, encoding)
        if column > place.column:
            break
        offset += 1
    return offset


def naive_change(text: str, change: Change, encoding: Encoding) -> str:
    """Cut and join; for UTF-16 as an editor does that keeps an array of code units."""
    if change.start is None or change.end is None:
        return normal(change.text)
    start, end = sorted((change.start, change.end), key=lambda p: (p.line, p.column))
    if encoding == "utf-16":
        halves = "".join(
            c if c <= "\uffff" else "".join(chr(unit) for unit in split(c)) for c in text
        )
        first, last = (naive_offset(halves, place, "utf-32") for place in (start, end))
        return normal(halves[:first] + change.text + halves[last:])
    first, last = (naive_offset(text, place, encoding) for place in (start, end))
    return normal(text[:first] + change.text + text[last:])


def split(character: str) -> list[int]:
    value = ord(character) - 0x10000
    return [0xD800 + (value >> 10), 0xDC00 + (value & 0x3FF)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@SOME
@given(text=texts, edits=changes)
def test_edits_keep_the_text_and_what_they_say_they_replaced(encoding, text, edits):
    store = DocumentStore()
    store.encoding = encoding
    document = store.open("file:///a", "python", 0, text)
    expected = normal(text)
    for version, change in enumerate(edits, 1):
        before = expected
        expected = naive_change(expected, change, encoding)
        replaced = store.change("file:///a", version, [change])
        assert document.text == expected
        assert document.version == version
        assert replaced is not None
        [edit] = replaced
        assert before[: edit.start] + edit.text + before[edit.end :] == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
@SOME
@given(text=texts, edits=changes, asked=st.lists(places, min_size=1, max_size=5))
def test_places_and_offsets_agree_with_a_walk_after_any_edits(encoding, text, edits, asked):
    document = OpenDocument("file:///a", "python", 0, normal(text))
    for change in edits:
        document.change(change, encoding)
    for place in asked:
        offset = naive_offset(document.text, place, encoding)
        assert document.offset(place, encoding) == offset
        assert document.offset(document.place(offset, encoding), encoding) == offset
    lines = lines_of(document.text)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    for offset in range(len(document.text) + 1):
        line = max(i for i, start in enumerate(starts) if start <= offset)
        column = sum(width(c, encoding) for c in document.text[starts[line] : offset])
        assert document.place(offset, encoding) == Place(line, column)


@SOME
@given(texts, st.lists(st.tuples(numbers, numbers, texts), max_size=10))
def test_a_mended_line_table_equals_a_new_one(text, edits):
    document = OpenDocument("file:///a", "", 0, normal(text))
    for line, column, new in edits:
        place = Place(line, column)
        document.change(Change(new, place, Place(line + column % 3, column)), "utf-32")
        fresh = LineTable(document.text)
        mended = document._lines
        assert [mended.start(i) for i in range(len(mended))] == [
            fresh.start(i) for i in range(len(fresh))
        ]


def test_positions_outside_the_document_move_to_its_ends():
    document = OpenDocument("file:///a", "", 0, "ab\r\ncd")
    assert document.offset(Place(-1, 5), "utf-16") == 0
    assert document.offset(Place(0, 99), "utf-16") == 2
    assert document.offset(Place(0, -3), "utf-16") == 0
    assert document.offset(Place(99, 0), "utf-16") == 6
    assert document.place(99, "utf-16") == Place(1, 2)


def test_an_unknown_document_takes_no_change():
    assert DocumentStore().change("file:///nowhere", 1, [Change("x")]) is None


def test_half_of_an_emoji_can_be_replaced_as_editors_in_utf_16_do():
    document = OpenDocument("file:///a", "", 0, "<😀>")  # D83D DE00
    document.change(Change("\ude01", Place(0, 2), Place(0, 3)), "utf-16")
    assert document.text == "<😁>"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_keystroke_in_a_long_file_costs_well_under_three_milliseconds(encoding):
    document = OpenDocument("file:///a", "", 0, "def f(x):  # a line of é code\n" * 10_000)
    best = 1.0
    for n in range(20):
        start = time.perf_counter()
        place = Place(5_000, 4 + n)
        document.change(Change("x", place, place), encoding)
        document.offset(Place(5_000, 5 + n), encoding)
        best = min(best, time.perf_counter() - start)
    assert best < 0.0015
