"""Text that the document has already."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape

LINE = Shape.LINE


def test_lines_that_follow_are_cut(shown):
    # tabby#3392
    document = "const items = [\n  |\n  4,\n  5,\n  6\n];\n"
    assert shown(document, "1,\n  2,\n  3,\n  4,", "javascript") == ("1,\n  2,\n  3,", 0)


def test_a_text_that_runs_on_into_the_suffix_is_cut_where_it_does(shown):
    document = "def f(a):\n    |\n    total = a + 1\n    return total\n"
    text = "a = int(a)\n    total = a + 1\n    return tot"
    assert shown(document, text) == ("a = int(a)", 0)


@pytest.mark.parametrize(
    "text", ["return total", "return total\n", "return  total;", "return total\n    x = 1"]
)
def test_the_next_line_is_not_suggested_again(shown, text):
    # cody#264, cody#811 and llama.vim: nothing new is shown
    result = shown("def f():\n    |\n    return total\n", text, "python", LINE)
    assert result is Reason.FILTERED


def test_a_line_end_with_the_lines_below_as_answer_is_refused(shown):
    assert shown("foo()|\nbar()\nbaz()\n", "\nbar()\nbaz()") is Reason.FILTERED


def test_the_rest_of_a_word_that_makes_the_next_line_is_refused(shown):
    document = "def f(x):\n    ret|\n    return x\n"
    assert shown(document, "urn x", "python", LINE) is Reason.FILTERED


def test_similar_but_different_lines_stay(shown):
    document = "    self.first = first\n    |\n    self.third = third\n"
    assert shown(document, "self.third = other") == ("self.third = other", 0)


def test_a_nested_line_like_the_next_stays(shown):
    assert shown("    |\n        try:\n", "try:", "python", LINE) == ("try:", 0)


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("Hello |world, said the fox\n", "brave world, said the fox", "brave "),  # llama.vim#71
        (
            "import x from '../layouts/|.astro';\n",
            "other-layout.astro",
            "other-layout",
        ),  # blink.cmp#1767
        ("let x = |;\n", "f(y);", "f(y)"),
        ("a = |.value.count;\n", "b.value.count;", "b"),  # continue#3001
    ],
)
def test_the_rest_of_the_line_is_not_repeated(shown, document, text, expected):
    assert shown(document, text, "javascript", LINE) == (expected, 0)


def test_the_start_of_the_line_is_not_repeated(shown):
    assert shown("print(|\n", "print(x)", "python", LINE) == ("x)", 0)  # continue#1552
    assert shown("Hello wor|\n", "Hello world", "markdown", LINE) == ("ld", 0)


@pytest.mark.parametrize(
    ("word", "language"), [("end", "ruby"), ("fi", "shellscript"), ("done", "shellscript")]
)
def test_the_closing_word_that_follows_is_dropped(shown, word, language):
    document = f"head\n  |\n{word}\n"
    assert shown(document, f"work\n{word}", language) == ("work", 0)  # tabby#586


def test_the_line_above_is_not_rewritten(shown):
    # cody#944, Continue
    document = "total = compute(values)\n|\n"
    assert shown(document, "total = compute(values)") is Reason.FILTERED
    assert shown("total = compute(values)|\n", "\ntotal = compute(values)") is Reason.FILTERED
    assert shown("first = 1\nb = 2\n|\n", "first = 1\nb = 2") is Reason.FILTERED


def test_who_asks_may_repeat_the_line_above(shown):
    document = "total = compute(values)\n|\n"
    text = "total = compute(values)"
    assert shown(document, text, automatic=False) == (text, 0)


@pytest.mark.parametrize(
    ("document", "text", "language", "expected"),
    [
        ("<p>|</p>\n", "Hello</p>", "html", "Hello"),
        ("<Foo | />\n", "bar={1} />", "typescriptreact", "bar={1}"),
        ("<Foo |/>\n", "bar={1} />", "typescriptreact", "bar={1} "),
        ("/* | */\n", "the count */", "c", "the count"),
        ("<!-- | -->\n", "header -->", "html", "header"),
        ("<%= | %>\n", "x.y %>", "erb", "x.y"),
        ("**|**\n", "bold**", "markdown", "bold"),
    ],
)
def test_marks_that_close_are_not_typed_twice(shown, document, text, language, expected):
    assert shown(document, text, language, LINE) == (expected, 0)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("    return |\n", "returncode"),
        ("import |\n", "importlib"),
        ("    await |\n", "awaited()"),
    ],
)
def test_a_word_that_begins_like_the_one_before_it_stays_whole(shown, document, text):
    assert shown(document, text, "python", LINE) == (text, 0)
