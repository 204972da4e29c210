"""What comes by itself is as much of an answer as is sure; who asks gets all of it."""

from dataclasses import replace

import pytest

from dcomplete.document import Gap
from dcomplete.errors import Reason, Refusal, UserError
from dcomplete.settings import read_settings
from dcomplete.suggestions import Suggestions
from dcomplete.types import Shape, Suggestion
from tests.test_completer import Scripted, at, completer, run


def test_an_unsure_answer_is_shown_only_when_asked_for():
    place = at("x = |\n")
    with pytest.raises(Refusal) as refusal:
        run(completer(Scripted("maybe", score=-5.0)).complete(place))
    assert refusal.value.reason is Reason.UNSURE
    asked = replace(place, automatic=False)
    assert run(completer(Scripted("maybe", score=-5.0)).complete(asked))[0].text == "maybe"


def test_what_comes_by_itself_is_as_much_as_is_sure():
    engine, place = Scripted("total / |number"), at("x = |\n")
    assert run(completer(engine).complete(place))[0].text == "total /"
    asked = replace(place, automatic=False)
    assert run(completer(engine).complete(asked))[0].text == "total / number"
    assert [request.confidence for request in engine.asked] == [0.35, 0.0]


def test_who_asks_where_a_beginning_is_shown_gets_the_whole_answer():
    engine, place = Scripted("total / |number"), at("x = |\n")

    async def story():
        mean = completer(engine)
        assert (await mean.complete(place))[0].text == "total /"
        [asked] = await mean.complete(replace(place, automatic=False))
        assert asked.text == "total / number"
        assert (await mean.complete(place))[0].text == "total / number", "and it stays"

    run(story())


def test_how_sure_is_for_the_person_to_say():
    engine = Scripted("total / |number")
    own = read_settings({"model": {"confidence": 0}, "trigger": {"precompute": False}})
    assert run(completer(engine, own).complete(at("x = |\n")))[0].text == "total / number"


def test_a_beginning_is_typed_through_and_then_asked_for_anew():
    engine = Scripted("total / |number", "count")

    async def story():
        mean = completer(engine)
        [shown] = await mean.complete(at("x = |\n"))
        assert (await mean.complete(at("x = tot|\n")))[0].id == shown.id
        assert (await mean.complete(at("x = total /|\n")))[0].text == "count"

    run(story())
    assert len(engine.asked) == 2


def test_a_selection_is_replaced_by_a_whole_answer_only():
    place = at("values = sorted(|old)\n")
    place = replace(place, gap=Gap(place.gap.start, place.gap.start + 3))
    with pytest.raises(Refusal) as refusal:
        run(completer(Scripted("items|[1:]")).complete(place))
    assert refusal.value.reason is Reason.UNSURE


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_a_confidence_that_is_no_probability_is_refused(value):
    with pytest.raises(UserError, match=r"model\.confidence must be from 0 to 1, not"):
        read_settings({"model": {"confidence": value}})


def kept(document: str, text: str) -> Suggestions:
    """With the beginning of an answer that was shown at `document`."""
    suggestions, place = Suggestions(), at(document)
    one = Suggestion(
        "s1", text, place.gap.start, place.gap.end, Shape.LINE, -0.1, "model", unsure=True
    )
    suggestions.put(place, [one])
    return suggestions


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("x = print(|)\n", "x = print(total)\n"),
        ("x = print(to|)\n", "x = print(total)\n"),
        ("x = print(|\n", "x = print(total\n"),
    ],
)
def test_a_beginning_is_typed_through_where_the_editor_closes_its_bracket(typed, whole):
    """The bracket stays: the beginning ends before it."""
    place = at(typed)
    [found] = kept("x = |\n", "print(total").find(place)
    assert place.text[: found.start] + found.text + place.text[found.end :] == whole


def test_closers_that_a_beginning_types_are_replaced_and_the_others_stay():
    place = at("x = f(a[|])\n")
    [found] = kept("x = |\n", "f(a[0], b").find(place)
    assert place.text[: found.start] + found.text + place.text[found.end :] == "x = f(a[0], b)\n"


@pytest.mark.parametrize("typed", ["x = print(|]\n", "x = |)\n", "x = print(|))\n"])
def test_a_closer_of_nothing_that_was_typed_is_another_text(typed):
    assert kept("x = |\n", "print(total").find(at(typed)) == []


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_a_beginning_of_a_block_is_there_after_enter(eol):
    suggestions = kept(f"if (x) |{eol}z{eol}", "{\n    f(x".replace("\n", eol))
    place = at("if (x) {\n    |\n}\nz\n".replace("\n", eol))
    [found] = suggestions.find(place)
    assert (found.text, found.start, found.end) == ("f(x", place.gap.start, place.gap.start)
