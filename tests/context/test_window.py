"""Cuts at borders that stay put."""

from hypothesis import given
from hypothesis import strategies as st

from dcomplete.context.languages import LANGUAGES
from dcomplete.context.trees import parse
from dcomplete.context.window import border, estimate, prefix_start, suffix_end

PYTHON = LANGUAGES["python"]
CODE = "".join(f"def f{n}(a):\n    b = a\n    return b\n\n\n" for n in range(200))


@given(
    text=st.text("ab \n\r", max_size=300),
    place=st.integers(0, 300),
    tokens=st.integers(0, 60),
    count=st.sampled_from([estimate, len, lambda text: 3 * len(text)]),
)
def test_cuts_are_within_budget_and_on_the_right_side(text, place, tokens, count):
    gap = min(place, len(text))
    start, end = prefix_start(text, gap, tokens, count, None), suffix_end(text, gap, tokens, count)
    assert 0 <= start <= gap <= end <= len(text)
    assert count(text[start:gap]) <= tokens
    assert count(text[gap:end]) <= tokens


def test_the_prefix_begins_at_a_definition():
    gap = CODE.index("return b", 5000)
    for tokens in (100, 200, 400):
        start = prefix_start(CODE, gap, tokens, estimate, parse(CODE, PYTHON))
        assert CODE[start:].startswith("def f")


def test_without_a_tree_it_begins_at_a_paragraph_or_line():
    assert border("aaaa\nbbbb\n\ncccc\n", 2, 16, None) == 11
    assert border("aaaa\nbbbb\ncccc\n", 2, 14, None) == 5
    assert border("a" * 50, 20, 30, None) == 20
    assert border("aa\r\nbb", 3, 4, None) == 4


def test_the_start_moves_rarely_while_the_gap_moves_on():
    parsed = parse(CODE, PYTHON)
    starts = [prefix_start(CODE, gap, 400, estimate, parsed) for gap in range(5000, 6400)]
    assert starts == sorted(starts)
    assert len(set(starts)) <= 6


def test_the_suffix_depends_on_what_follows_only():
    gap = 5000
    end = suffix_end(CODE, gap, 200, estimate)
    assert suffix_end("new text" + CODE, gap + 8, 200, estimate) == end + 8
    assert CODE[end - 1] == "\n"
