"""Where answers end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.dialects.asked import Asked, Gap
from dcomplete.dialects.desk import request_of
from dcomplete.dialects.stops import cut_at, cut_outdented, finished
from dcomplete.types import Answer, Finish

SHORT = st.text("ab\n", max_size=8)


@given(text=SHORT, stops=st.lists(SHORT, max_size=3))
def test_no_stop_sequence_is_left_and_only_the_end_is_cut(text, stops):
    cut, stop = cut_at(text, stops)
    assert text.startswith(cut) and not any(s and s in cut for s in stops)
    assert text[len(cut) :].startswith(stop) and (stop or cut == text)


def test_of_two_that_begin_together_the_longer_is_named():
    assert cut_at("a\n\nb", ["\n", "\n\n"]) == ("a", "\n\n")


@pytest.mark.parametrize(
    ("text", "indent", "left"),
    [
        ("x\n    y\n  z\n", 4, "x\n    y"),
        ("x\n\ty\nz", 1, "x\n\ty"),
        ("x\n\n    y", 4, "x\n\n    y"),
        ("x\ny", 0, "x\ny"),
        ("x", 8, "x"),
        ("x\n    ", 8, "x\n    "),
    ],
)
def test_what_stands_further_left_is_cut(text, indent, left):
    assert cut_outdented(text, indent) == left


@pytest.mark.parametrize(
    ("finish", "stops", "reason"),
    [
        (Finish.DONE, (), "stop"),
        (Finish.LENGTH, (), "length"),
        (Finish.LENGTH, ("b",), "stop"),
        (Finish.STEPS, (), "stop"),
    ],
)
def test_the_reason(finish, stops, reason):
    piece = finished(Answer(("abc",), 3, 0.0, finish), Asked(Gap("p"), stops=stops))
    assert piece.reason == reason


@pytest.mark.parametrize(("stops", "line"), [((), False), (("\n\n", "x"), False), (("\n",), True)])
def test_the_engine_is_told_when_a_line_is_all_that_counts(stops, line):
    assert request_of(Asked(Gap("p"), stops=stops)).line is line
