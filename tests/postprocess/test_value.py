"""Ends, and suggestions not worth a look."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape

LINE = Shape.LINE


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t\n "])
def test_white_space_is_no_suggestion(shown, text):
    assert shown("x = |\n", text) is Reason.NOTHING


def test_trailing_white_space_goes_at_a_line_end(shown):
    assert shown("x = |\n", "1  \n\n", "python", LINE) == ("1", 0)


def test_a_space_before_the_rest_of_the_line_is_kept_once(shown):
    assert shown("f(|b)\n", "a, ", "python", LINE) == ("a, ", 0)
    assert shown("f(a| + b)\n", ".c ", "python", LINE) == (".c", 0)


def test_a_single_name_or_digit_is_worth_showing(shown):
    assert shown("x = |\n", "1", "python", LINE) == ("1", 0)


@pytest.mark.parametrize("sign", [";", ",", ":"])
def test_a_sign_that_follows_is_not_suggested(shown, sign):
    assert shown(f"x|{sign}\n", sign, "c", LINE) is Reason.FILTERED


def test_a_span_that_stays_as_it_is_is_refused(shown):
    assert shown("x = |\n", "1 + 1", "python", Shape.SPAN, replaced="1 + 1") is Reason.FILTERED
