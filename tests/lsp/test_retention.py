"""Chosen answers are followed through edits; what is left of them is an edit distance."""

import asyncio
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete_lsp.documents import Replaced
from dcomplete_lsp.retention import Retention, kept_share, pieces

URI = "file:///a.py"
TEXTS = st.text("ab\n", max_size=12)


def distance(a: str, b: str) -> int:
    """The naive twin: Levenshtein's recursion as it is defined."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i, one in enumerate(a, 1):
        for j, other in enumerate(b, 1):
            table[i, j] = min(
                table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (one != other)
            )
    return table[len(a), len(b)]


@given(TEXTS, TEXTS)
def test_the_share_is_the_edit_distance_over_the_longer_text(taken, there):
    expected = 1 - distance(taken, there) / max(len(taken), len(there), 1)
    assert kept_share(taken, there) == pytest.approx(expected)


def test_very_long_texts_are_bounded():
    assert kept_share("a" * 5000, "b" * 5000) == 0
    assert kept_share("x" + "a" * 5000, "x" + "b" * 5000) == pytest.approx(1 / 5001)


@pytest.mark.parametrize("lines", [270, 1000, 1999])
@pytest.mark.parametrize("form", ["{0}\n\n", "  {0} = 1\n\n    }}\n", "a\nb\n{0}\n\n"])
def test_a_whole_document_that_is_replaced_does_not_hold_the_server_up(lines, form):
    count = lines // form.count("\n")
    old, new = ("".join(form.format(f"{x}{i}") for i in range(count)) for x in "ab")
    begun = time.perf_counter()
    found = pieces(old, Replaced(0, len(old), new))
    assert time.perf_counter() - begun < 2.0  # a tenth of what it took
    for one in found:
        old = old[: one.start] + one.text + old[one.end :]
    assert old == new


class Kept:
    """Collects what would go into the store."""

    def __init__(self) -> None:
        self.shares: dict[int, float] = {}

    async def keep(self, id: str, after_s: int, share: float) -> None:
        self.shares[after_s] = share


async def share_after(document: str, at: int, taken: str, edits: list[Replaced]) -> float | None:
    """The share left after `taken` was inserted at `at` and `edits` were made, or None."""
    kept = Kept()
    retention = Retention(kept.keep, (0,))
    retention.expect("id", URI, document, at, taken)
    for edit in edits:
        retention.changed(URI, [edit])
    for _ in range(50):
        await asyncio.sleep(0.001)
        if kept.shares:
            break
    retention.close()
    return kept.shares.get(0)


HERE = Replaced(2, 2, "foo()")  # into "a = b", of which "b" goes after it


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("edits", "share"),
    [
        ([HERE], 1.0),
        ([], None),
        ([Replaced(0, 0, "xyz"), Replaced(5, 5, "foo()")], 1.0),
        ([HERE, Replaced(0, 0, "xyz")], 1.0),
        ([HERE, Replaced(2, 2, "xyz"), Replaced(10, 10, "more")], 1.0),
        ([HERE, Replaced(2, 7, "")], 0.0),
        ([HERE, Replaced(0, 9, "")], 0.0),
        ([HERE, Replaced(5, 9, "")], 0.6),
        ([HERE, Replaced(6, 6, "x")], 5 / 6),
        ([HERE, Replaced(0, 9, "ab foo() cd\n")], 1.0),
        ([Replaced(0, 4, "a foo() b")], 1.0),
        ([Replaced(0, 4, "")], None),
    ],
)
async def test_a_place_is_followed(edits, share):
    found = await share_after("a  b", 2, "foo()", edits)
    assert found == (None if share is None else pytest.approx(share))


@given(st.text("ab\n", max_size=30), st.text("ab\n", max_size=30), st.data())
def test_an_edit_in_pieces_is_the_same_edit(text, new, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    changed = text
    for piece in pieces(text, Replaced(start, end, new)):
        changed = changed[: piece.start] + piece.text + changed[piece.end :]
    assert changed == text[:start] + new + text[end:]


@pytest.mark.asyncio
async def test_a_formatter_that_replaces_the_document_keeps_the_answer():
    document = "import os\n\ndef f( x ):\n    return \n\nprint( f(1) )\n"
    at = document.index("return ") + len("return ")
    edits = [Replaced(at, at, "x+1 # more")]
    whole = document[:at] + "x+1 # more" + document[at:]
    formatted = whole.replace("( ", "(").replace(" )", ")").replace("x+1", "x + 1")
    edits.append(Replaced(0, len(whole), "\n" + formatted))
    share = await share_after(document, at, "x+1 # more", edits)
    assert share == pytest.approx(1 - 2 / len("x + 1 # more"))


@pytest.mark.asyncio
async def test_random_edits_elsewhere_change_nothing():
    chance = random.Random(5)
    for _ in range(30):
        text, at = "a" * 20, 10
        edits, begin, end = [Replaced(at, at, "TAKEN")], at, at + 5
        text = text[:at] + "TAKEN" + text[at:]
        for _ in range(10):
            start = chance.choice([chance.randint(0, begin), chance.randint(end, len(text))])
            stop = chance.randint(start, begin if start <= begin else len(text))
            new = "b" * chance.randint(0, 4)
            edits.append(Replaced(start, stop, new))
            text = text[:start] + new + text[stop:]
            if stop <= begin:
                shift = len(new) - (stop - start)
                begin, end = begin + shift, end + shift
            assert text[begin:end] == "TAKEN"
        assert await share_after("a" * 20, at, "TAKEN", edits) == 1.0


@pytest.mark.asyncio
async def test_closing_a_document_ends_the_watch():
    kept = Kept()
    retention = Retention(kept.keep, (0,))
    retention.expect("id", URI, "foo()", 0, "foo()")
    retention.closed(URI)
    await asyncio.sleep(0.02)
    assert kept.shares == {}
