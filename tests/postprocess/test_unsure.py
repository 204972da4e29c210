"""Beginnings of answers whose rest was too unsure to be shown."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape

LINE = Shape.LINE


@pytest.mark.parametrize(
    ("document", "text", "shown_text"),
    [
        ("x = |\n", "foo(", "foo"),
        ("x = |\n", 'open("', "open"),
        ("x = |\n", "foo([{ ", "foo"),
        ("x = |\n", "foo(a, ", "foo(a,"),
        ("x = |\n", "foo[0]", "foo[0]"),
        ("x = |\n", 'len("a b")', 'len("a b")'),
        ("x = |\n", "'' or ''", "'' or ''"),
        ('x = "|\n', 'value("', 'value("'),  # which ends the string that the cursor is in
        ('x = "a|\n', "bc (", "bc ("),
        ("|\n", "if found:\n    print(", "if found:\n    print"),
        ("|\n", 'log.info(f"', "log.info"),
        ("|\n", "raise ValueError(rb'", "raise ValueError"),
        ("x = |\n", "a.go(", "a.go"),
    ],
)
def test_it_ends_with_no_opening_bracket_or_quote(shown, document, text, shown_text):
    assert shown(document, text, unsure=True) == (shown_text, 0)


def test_an_answer_that_is_whole_may_end_with_one(shown):
    assert shown("|\n", "if (x) {", "c", LINE) == ("if (x) {", 0)


@pytest.mark.parametrize("text", ["", " ", "a", "b)", " a ", "f(", '("'])
def test_a_sign_or_two_are_no_suggestion(shown, text):
    assert shown("x = |\n", text, unsure=True) is Reason.UNSURE


def test_a_span_is_replaced_by_all_of_it_or_not_at_all(shown):
    assert shown("x = |\n", "value", "python", Shape.SPAN, unsure=True) is Reason.UNSURE
    assert shown("x = |\n", "value", "python", Shape.SPAN) == ("value", 0)


@pytest.mark.parametrize(
    ("text", "language", "shown_text"),
    [
        ('Console.WriteLine($"', "csharp", "Console.WriteLine"),
        ('let x = foo(r#"', "rust", "let x = foo"),
        ('emit(u8"', "cpp", "emit"),
    ],
)
def test_the_letters_before_a_quote_go_with_it(shown, text, language, shown_text):
    assert shown("|\n", text, language, unsure=True) == (shown_text, 0)


def test_the_next_line_but_for_its_end_is_no_beginning(shown):
    document = "def mean(total, count):\n    |\n    return total / count\n"
    assert shown(document, "return total / cou", unsure=True) is Reason.FILTERED
    assert shown(document, "return total", unsure=True) == ("return total", 0)
    document = "def f(a):\n    |\n    x = compute(a, b)\n"
    text = "if not a:\n        return 0\n    x = compute(a, b"
    assert shown(document, text, unsure=True) == ("if not a:\n        return 0", 0)


def test_of_several_like_lines_the_first_may_begin_like_the_next(shown):
    document = "from os import path\n|\nfrom typing import Optional\n"
    assert shown(document, "from typing import", unsure=True) == ("from typing import", 0)
