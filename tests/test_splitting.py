"""Braces on one line: the block is suggested before Enter is pressed, and is there after it."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Refusal
from dcomplete.settings import TriggerSettings, read_settings
from dcomplete.splitting import split
from dcomplete.types import Shape, Suggestion
from tests.test_completer import Scripted, completer, inserted, run

ADD = "function add(a, b) {|}\n\nconsole.log(add(1, 2));\n"


def at(text: str, language: str = "javascript", **changes) -> Snapshot:
    place = text.index("|")
    snapshot = Snapshot("file:///w/a", language, 1, text.replace("|", "", 1), Gap(place, place))
    return replace(snapshot, **changes)


def shown(snapshot: Snapshot) -> str:
    return snapshot.text[: snapshot.gap.start] + "|" + snapshot.text[snapshot.gap.start :]


@pytest.mark.parametrize(
    ("language", "text", "opened"),
    [
        ("javascript", "  if (x) {|}\n", "  if (x) {\n      |\n  }\n"),
        ("javascript", "run(() => {|});\r\n", "run(() => {\r\n    |\r\n});\r\n"),
        ("java", "class A {|}", "class A {\n    |\n}"),
        ("c", "int main(void)\n{|}\n", "int main(void)\n{\n    |\n}\n"),
        ("rust", "let x = loop {|};", "let x = loop {\n    |\n};"),
        ("rust", "fn f() -> Point {|}", "fn f() -> Point {\n    |\n}"),
        ("go", "    if err != nil {|}\n", "    if err != nil {\n        |\n    }\n"),
        ("rust", "while i <= n {|}", "while i <= n {\n    |\n}"),
        ("go", "type A struct {|}", "type A struct {\n    |\n}"),
        ("css", "a:hover {|}", "a:hover {\n    |\n}"),
    ],
)
def test_the_line_is_opened_as_enter_would(language, text, opened):
    braces, snapshot = split(at(text, language), TriggerSettings())
    assert braces is not None and shown(snapshot) == opened


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("javascript", "const a = {|}"),
        ("javascript", "import {|} from 'x'"),
        ("javascript", "export {|}"),
        ("javascript", "call({|})"),
        ("javascript", "const a = `${|}`"),
        ("javascript", "if (x) { |}"),
        ("javascript", "if (x) {|} else {"),
        ("javascript", "if (x) {|"),
        ("go", "a := Point{|}"),
        ("rust", "let a = Point {|};"),
        ("rust", "use a::{|};"),
        ("python", "{|}"),
        ("markdown", "see {|}"),
    ],
)
def test_other_braces_stay_on_their_line(language, text):
    snapshot = at(text, language)
    assert split(snapshot, TriggerSettings()) == (None, snapshot)


def test_a_span_that_is_replaced_is_no_place_between_braces():
    place = at("if (x) {|old}\n")
    place = replace(place, gap=Gap(place.gap.start, place.gap.start + 3))
    assert split(place, TriggerSettings())[0] is None


@given(
    before=st.text("x {(=\n\r\t", max_size=12),
    after=st.text("}) ;\n\rx", max_size=12),
    text=st.text("ab\n }", max_size=8),
    spaces=st.booleans(),
)
def test_a_suggestion_makes_the_same_document_of_both(before, after, text, spaces):
    place = at(f"{before}{{|}}{after}", insert_spaces=spaces)
    braces, opened = split(place, TriggerSettings())
    if braces is None:
        assert opened is place
        return
    start = opened.gap.start
    found = Suggestion("i", text, start, start, Shape.BLOCK, 0.0, "model")
    whole = braces.joined(found)
    assert inserted(place, whole) == inserted(opened, found)
    assert "\n" not in place.text[whole.start : whole.end] and whole.start == place.gap.start


def test_a_block_is_suggested_between_its_braces_and_is_there_after_enter():
    engine = Scripted("return a + b;")

    async def story():
        mean = completer(engine)
        place = at(ADD)
        [before] = await mean.complete(place)
        assert inserted(place, before) == ADD.replace("|", "\n    return a + b;\n")
        place = at(ADD.replace("|", "\n    |\n"))
        [after] = await mean.complete(place)
        assert inserted(place, after) == ADD.replace("|", "\n    return a + b;\n")
        assert (after.id, after.text, after.source) == (before.id, "return a + b;", "cache")

    run(story())
    [request] = engine.asked
    assert request.prefix.endswith("{\n    ") and request.suffix == "\n\nconsole.log(add(1, 2));\n"


def test_a_block_that_was_suggested_with_its_braces_stays_while_they_are_typed():
    block = "if (x) {\n        g(x);\n    }"
    engine, around = Scripted(block), "function f(x) {\n    @\n}\n"

    async def story():
        mean = completer(engine)
        inside = ("|", "\n        |\n    ", "\n        g|\n    ", "\n        g(|)\n    ")
        for typed in ("|", "if (|)", *(f"if (x) {{{one}}}" for one in inside)):
            place = at(around.replace("@", typed))
            [found] = await mean.complete(place)
            assert inserted(place, found) == around.replace("@", block)

    run(story())
    assert len(engine.asked) == 1


def test_enter_waits_for_what_is_on_its_way():
    engine = Scripted("return a + b;", delay=0.03)

    async def story():
        mean = completer(engine)
        first = asyncio.create_task(mean.complete(at(ADD)))
        await asyncio.sleep(0.01)
        first.cancel()
        [found] = await mean.complete(at(ADD.replace("|", "\n    |\n")))
        assert found.text == "return a + b;"

    run(story())
    assert len(engine.asked) == 1


def test_line_ends_and_tabs_are_the_documents():
    place = at("if (x) {|}\r\n", insert_spaces=False)
    [found] = run(completer(Scripted("f(x);\n\tg(x);")).complete(place))
    assert inserted(place, found) == "if (x) {\r\n\tf(x);\r\n\tg(x);\r\n}\r\n"


def test_a_dismissed_block_does_not_come_back_and_single_lines_stay_single():
    async def story():
        mean = completer(Scripted("return a + b;"))
        [found] = await mean.complete(at(ADD))
        mean.dismissed(found.id)
        for text in (ADD, ADD.replace("|", "\n    |\n")):
            with pytest.raises(Refusal):
                await mean.complete(at(text))

    run(story())
    engine = Scripted("return a + b;")
    settings = read_settings({"trigger": {"multiline": "never", "precompute": False}})
    [found] = run(completer(engine, settings).complete(at(ADD)))
    assert "\n" not in found.text
