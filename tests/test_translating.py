"""What the engine is shown of a document: not the closers that an editor inserts."""

from contextlib import suppress
from dataclasses import replace

import pytest

from dcomplete.document import Gap
from dcomplete.errors import Refusal
from tests.test_completer import Scripted, at, completer, inserted, run


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("values = sorted(|)\n\nprint(values)\n", "\n\nprint(values)\n"),
        ("values = [sorted(|)]  \n", "\n"),
        ("run(values['|']);\n", "\n"),
        ("f(\n    a, b|)\nx = 1\n", "\nx = 1\n"),
        ("values = sorted(|\n", "\n"),
        ("values = f(\n    |\n)\nx = 1\n", "\nx = 1\n"),
        ("values = [\n    f({\n        |  \n    }),\n]\n\nx = 1\n", "\n\nx = 1\n"),
        ("values = f(\n    a,|\n\n)\n", "\n\n)\n"),
        ("values = f(\n    a, |b\n)\n", "b\n)\n"),
        ("values = f(\n    |\n    b)\n", "\n    b)\n"),
        ("values = f(\n    |\n)[0]\n", "\n)[0]\n"),
        ("values = sorted(|, key=len)\n", ", key=len)\n"),
        ("values = sorted(|]\n", "]\n"),
        ("values = sorted(a)|)\n", ")\n"),
        ('x = |""\n', '""\n'),
        ("x = f(a|; b)\n", "; b)\n"),
    ],
)
def test_the_model_does_not_see_closers_that_an_editor_inserts(text, suffix):
    engine = Scripted("items")
    with suppress(Refusal):
        run(completer(engine).complete(at(text, automatic=False)))
    assert engine.asked[0].suffix == suffix


def test_a_closer_that_the_answer_does_without_stays():
    place = at("values = sorted(|)\n")
    [suggestion] = run(completer(Scripted("items")).complete(place))
    assert inserted(place, suggestion) == "values = sorted(items)\n"
    [suggestion] = run(completer(Scripted("items)[:2]")).complete(place))
    assert inserted(place, suggestion) == "values = sorted(items)[:2]\n"


def test_a_span_that_is_replaced_is_shown_all_that_is_behind_it():
    engine, place = Scripted("items"), at("values = sorted(|old)\n", automatic=False)
    place = replace(place, gap=Gap(place.gap.start, place.gap.start + 3))
    run(completer(engine).complete(place))
    assert engine.asked[0].suffix == ")\n"
