"""Text to tokens and back: healing at both borders, and no way for text to become a sentinel."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcomplete.engine.load import read_tokens
from dcomplete.engine.prompt import clip_end, clip_start, make_task
from dcomplete.engine.tokens import Tokens
from dcomplete.models.store import embedded_folder
from dcomplete.types import InfillRequest
from tests.conftest import byte_tokenizer_json

TOKENS = Tokens.from_json(byte_tokenizer_json())


@given(st.text())
def test_text_survives_the_round_trip(text):
    assert TOKENS.decode(TOKENS.encode(text)) == text


@given(st.text(), st.text())
def test_a_seam_keeps_every_character(prefix, suffix):
    seam = TOKENS.seam(prefix, suffix)
    assert TOKENS.decode(seam.prefix) + seam.head == prefix
    assert seam.tail + TOKENS.decode(seam.suffix) == suffix


def test_special_token_text_stays_text():
    ids = TOKENS.encode("a <|3|> b")
    assert min(ids) >= 8, "ids below 8 are the special tokens"
    assert TOKENS.decode(ids) == "a <|3|> b"


def test_a_cut_inside_a_token_takes_it_back():
    seam = TOKENS.seam("    retu", "rn x\n")
    assert seam.head == "retu" and seam.tail == "rn"
    whole = TOKENS.encode(seam.middle(""))
    assert [TOKENS.pieces[i] for i in whole] == [b"return"], "the model sees the natural token"


def test_a_space_before_the_gap_belongs_to_what_follows():
    seam = TOKENS.seam("y = ", "\n")
    assert seam.head == " " and TOKENS.decode(seam.prefix) == "y ="
    assert TOKENS.encode(seam.middle("x"))[0] == TOKENS.encode(" x")[0]


@pytest.mark.parametrize("last", ["日", "😀", "Ω"])
def test_a_character_of_several_tokens_stays_before_the_gap(last):
    """No single token begins with it, so that an answer could not be made to repeat it."""
    seam = TOKENS.seam(f"s = '{last}", "'")
    assert seam.head == "" and TOKENS.decode(seam.prefix) == f"s = '{last}"


@given(st.text(min_size=1), st.text())
def test_what_is_taken_back_can_be_given_back(prefix, suffix):
    head = TOKENS.seam(prefix, suffix).head
    assert not head or len(TOKENS.starting_with(head))


@pytest.mark.parametrize(("prefix", "suffix", "tail"), [
    ("a\n", "def f", ""),  # a new line: the word is whole already
    ("", "def f", ""),
    ("x = ", ") + 1", ""),
    ("x = ", "long" * 20, ""),  # not a word one types
    ("x = ", "y + 1", "y"),
])  # fmt: skip
def test_when_the_tail_is_healed(prefix, suffix, tail):
    assert TOKENS.seam(prefix, suffix).tail == tail


def test_starting_with_finds_all_and_only_those():
    found = TOKENS.starting_with("re")
    expected = [i for i, piece in enumerate(TOKENS.pieces) if piece.startswith(b"re")]
    assert sorted(found) == sorted(expected) and len(found) >= 4


@given(st.text(alphabet="ab\n ", min_size=0, max_size=400), st.integers(20, 80))
def test_clipping_keeps_the_near_end_and_its_bounds(text, limit):
    start, end = clip_start(text, limit), clip_end(text, limit)
    assert text.endswith(start) and len(start) <= limit
    assert text.startswith(end) and len(end) <= limit
    if len(text) <= limit:
        assert start == text == end


def test_the_clipped_start_stays_put_while_typing():
    text = "".join(f"line {n}\n" for n in range(400))
    starts = {len(text) + k - len(clip_start(text + "x" * k, 800)) for k in range(150)}
    assert len(starts) <= 2, "a moving start would throw the cached context away"


def test_the_first_token_stays_put_while_typing():
    text = "abc = 1\n" * 300  # a token per byte: far more tokens than the budget
    firsts = []
    for n in range(60):
        prompt = make_task(TOKENS, InfillRequest(text + "q" * n, context_tokens=400)).prompt
        assert len(prompt.prefix) <= 300
        firsts.append(tuple(prompt.prefix[:50]))
    assert sum(a != b for a, b in pairwise(firsts)) <= 2


def test_a_huge_file_is_clipped_before_it_is_tokenised():
    text = "x = 1\n" * 900_000
    task = make_task(TOKENS, InfillRequest(text, text, context_tokens=256))
    assert task.context_tokens <= 256


REAL = read_tokens(embedded_folder() / "smol-135m")
pieces = st.sampled_from(
    ["\n", "\n\n", "\r\n", " ", "    ", "\t", "x", "foo_bar", "12", "日", "é", "😀", "(", "):", "'s", "_"]
)  # fmt: skip


@pytest.mark.parametrize("tokens", [TOKENS, REAL], ids=["bytes", "embedded"])
@given(st.lists(pieces, min_size=100, max_size=250), st.text(max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_remembering_most_of_a_text_changes_no_token(tokens, parts, suffix):
    """The slow twin cuts the whole prefix to tokens at once."""
    prefix = "".join(parts)
    fast = tokens.seam(prefix, suffix, tail=False)
    slow = tokens.encode(prefix)
    assert fast.suffix == tokens.encode(suffix)
    if fast.head and prefix[-1:].isspace() and not prefix.endswith("\n"):  # as before a letter
        assert [*fast.prefix, *tokens.encode(fast.head + "x")] == tokens.encode(prefix + "x")
    else:
        assert fast.prefix == slow[: len(fast.prefix)]
        assert tokens.decode(slow[len(fast.prefix) :]) == fast.head


def test_what_is_remembered_is_bounded_and_nobody_can_change_it():
    tokens = Tokens.from_json(byte_tokenizer_json())
    for number in range(100):
        tokens.encode_again(f"line {number}\n")
    assert len(tokens._known) == 32
    tokens.encode_again("line 99\n").append(0)
    assert tokens.encode_again("line 99\n") == tokens.encode("line 99\n")
