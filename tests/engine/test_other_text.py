"""Text from elsewhere: before the prefix, within its share, and only for weights that know such text."""

from dataclasses import replace

import pytest

from dcomplete.engine.clusters import behind
from dcomplete.engine.prompt import make_task
from dcomplete.errors import UserError
from dcomplete.types import InfillRequest

REQUEST = InfillRequest("a = 1\nx = 2", "\n", preamble="# c\n", beside=5, heal=False, max_tokens=8)


def test_a_preamble_stands_before_the_prefix_and_takes_a_third_at_most(tokens):
    request = InfillRequest("x = 1\n" * 200, "\ny\n", context_tokens=120, preamble="# a\n" * 90)
    task = make_task(tokens, request)
    assert task.context_tokens <= 120
    text = tokens.decode(task.prompt.prefix)
    assert text.startswith("# a\n# a\n") and "# a\nx = 1\n" in text
    assert len(tokens.encode(text[: text.index("x")])) <= 40


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "# c\nx = 2"),
        ({"preamble": ""}, "a = 1\nx = 2"),
        ({"beside": None}, "# c\na = 1\nx = 2"),
        ({"beside": 99}, "# c\na = 1\nx = 2"),
        ({"beside": 0}, "# c\n"),
    ],
)
def test_beside_it_stands_as_much_of_the_prefix_as_was_said(tokens, changes, shown):
    task = make_task(tokens, replace(REQUEST, **changes))
    assert tokens.decode(task.prompt.prefix) == shown


def test_what_earlier_gaps_were_filled_with_stands_beside_it_too():
    rest = behind(replace(REQUEST, between=()), replace(REQUEST, between=(";",)), ("3",))
    assert (rest.prefix, rest.beside) == ("a = 1\nx = 23;", 7)
    alone = replace(REQUEST, beside=None, between=(";",))
    assert behind(alone, alone, ("3",)).beside is None


def test_it_is_no_negative_number(make_engine):
    with pytest.raises(UserError, match="Beside must not be negative"):
        make_engine().infill(replace(REQUEST, beside=-1))


def test_weights_that_know_one_file_alone_are_shown_one_file_alone(make_engine):
    knows, does_not = make_engine(), make_engine()
    does_not.family.usage = replace(does_not.family.usage, other_text=False)
    alone = knows.infill(replace(REQUEST, preamble="", beside=None))
    assert does_not.infill(REQUEST).answers == alone.answers
    assert does_not.infill(REQUEST).context_tokens == alone.context_tokens
    assert knows.infill(REQUEST).context_tokens != alone.context_tokens
