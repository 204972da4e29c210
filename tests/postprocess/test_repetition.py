"""Models that go round in circles."""

import time

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape


def test_of_many_like_lines_the_first_is_kept(shown):
    assert shown("|\n", "\n".join(["x.append(1)"] * 5)) == ("x.append(1)", 0)


def test_of_many_like_blocks_the_first_is_kept(shown):
    block = "if a:\n    b()\n"
    assert shown("|\n", "start()\n" + block * 4) == ("start()\nif a:\n    b()", 0)


def test_three_like_lines_and_closers_stay(shown):
    text = "g(h())\ng(h())\ng(h())"
    assert shown("|\n", text) == (text, 0)
    closers = "[[[[[\n1\n]\n]\n]\n]\n]"
    assert shown("|\n", closers) == (closers, 0)


def test_like_rows_of_a_matrix_stay(shown):
    text = "\n" + "    [0.0, 1.0],\n" * 6 + "]"
    assert shown("m = [|\n", text) == (text, 0)


def test_a_line_in_a_loop_is_refused(shown):
    assert shown("x = |\n", "foo and " * 12, "python", Shape.LINE) is Reason.FILTERED


def test_the_lines_before_a_loop_are_kept(shown):
    assert shown("|\n", "a = 1\nb = " + "foo, " * 12) == ("a = 1", 0)


def test_rulers_and_tables_are_no_loops(shown):
    for text in ("# " + "-" * 70, "[" + "0, " * 20 + "0]", "'" + "=" * 60 + "'"):
        assert shown("|\n", text, "python", Shape.LINE) == (text, 0)


@pytest.mark.parametrize(
    "value", ["0x00", "0.0f", "0xffU", "%s", "%5.2f", "None", "nullptr", "1e-5", "{}", "true"]
)
def test_values_without_names_are_a_table(shown, value):
    text = f"{value}, " * 12 + value
    assert shown("x = {|\n", text, "cpp", Shape.LINE) == (text, 0)


@pytest.mark.parametrize("piece", ["foo", "oo, f", "x0, ", "print(0); "])
def test_names_are_no_table(shown, piece):
    assert shown("x = |\n", piece * 12, "cpp", Shape.LINE) is Reason.FILTERED


@pytest.mark.timeout(20)
def test_a_long_line_is_looked_at_in_no_time(shown):
    """It took seconds: every length of a loop was tried at every place."""
    for piece in ("-" * 4000, "ab" * 2000, "0, " * 1300):
        begun = time.process_time()
        shown("x = |\n", piece + "xyz" * 30, "python", Shape.LINE)
        assert time.process_time() - begun < 1.0
