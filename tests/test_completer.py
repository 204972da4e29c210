"""The whole street with an engine that answers what the test says, and counts what it is asked."""

import asyncio
import math
from dataclasses import replace

import pytest

from dcomplete.completer import Completer
from dcomplete.context import Workspace
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.serve.orders import Choice
from dcomplete.settings import read_settings
from dcomplete.types import Answer, Finish, Infill

QUIET = read_settings({"trigger": {"precompute": False}})


class Scripted:
    """Answers from a list, or by a function of the request; remembers what it was asked."""

    def __init__(self, *answers, score=-0.1, delay=0.0):
        self.answers, self.score, self.delay = list(answers), score, delay
        self.asked, self.background, self.choices, self.cancelled = [], [], [], 0

    async def infill(self, request, *, key="", choice=None, background=False, watch=None):
        self.choices.append(choice)
        (self.background if background else self.asked).append(request)
        try:
            await asyncio.sleep(self.delay)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        texts = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        texts = [texts] if isinstance(texts, str) else texts
        answers = tuple(self._answer(t, request.confidence) for t in texts)
        return Infill(answers, "scripted", "cpu", "float32", "threshold", 1, 1, 1, 1)

    def _answer(self, text, confidence):
        """As an engine answers: what of it is sure enough; `|` parts what is from what is not."""
        sure, _, unsure = text.partition("|")
        if (unsure or math.exp(4 * self.score) < confidence) and confidence:
            return Answer((sure * bool(unsure),), 2, self.score, Finish.UNSURE)
        return Answer((sure + unsure,), 4, self.score, Finish.DONE)

    async def status(self):
        return {}

    async def warm(self, choice=None):
        return None

    async def close(self):
        return None


def at(text: str, **changes) -> Snapshot:
    """A Python document with the cursor at ``|``."""
    place = text.index("|")
    snapshot = Snapshot("file:///w/a.py", "python", 1, text.replace("|", "", 1), Gap(place, place))
    return replace(snapshot, **changes)


def completer(engine: Scripted, settings=QUIET) -> Completer:
    return Completer(engine, Workspace(), settings)


def run(coroutine):
    return asyncio.run(coroutine)


def inserted(snapshot, suggestion):
    return snapshot.text[: suggestion.start] + suggestion.text + snapshot.text[suggestion.end :]


def test_the_answer_comes_back_as_a_suggestion_at_the_cursor():
    engine = Scripted("total / count")
    place = at("def mean(total, count):\n    return |\n")
    [suggestion] = run(completer(engine).complete(place))
    assert inserted(place, suggestion) == "def mean(total, count):\n    return total / count\n"
    assert suggestion.source == "model"
    [request] = engine.asked
    assert request.prefix.endswith("    return ") and request.suffix == "\n"
    assert request.beside == len(request.prefix) and not request.preamble


def test_a_closer_that_the_editor_inserted_is_replaced_not_doubled():
    place = at("values = sorted(|)\n")
    [suggestion] = run(completer(Scripted("items, key=len)")).complete(place))
    assert inserted(place, suggestion) == "values = sorted(items, key=len)\n"


def test_typing_through_deleting_back_and_taking_words_ask_the_engine_once():
    engine = Scripted("total / count")
    mean = completer(engine)

    async def story():
        first = at("def mean(total, count):\n    return |\n")
        [shown] = await mean.complete(first)
        for typed in ("t", "total", "total / ", "tot", ""):
            place = at(f"def mean(total, count):\n    return {typed}|\n")
            [again] = await mean.complete(place)
            assert again.id == shown.id and again.source == "cache"
            assert inserted(place, again) == "def mean(total, count):\n    return total / count\n"

    run(story())
    assert len(engine.asked) == 1


def test_where_the_typed_text_diverges_the_rest_is_a_draft():
    engine = Scripted("total / count", "sum(total) / count")
    mean = completer(engine)

    async def story():
        await mean.complete(at("def mean(total, count):\n    return |\n"))
        await mean.complete(at("def mean(total, count):\n    return s|\n"))

    run(story())
    assert engine.asked[0].draft is None and engine.asked[1].draft


def test_windows_line_ends_stay():
    place = at("def f(x):\r\n    if x:\r\n        |\r\n")
    [suggestion] = run(completer(Scripted("y = x\n        return y")).complete(place))
    assert suggestion.text == "y = x\r\n        return y"


def test_several_suggestions_differ_and_those_that_parse_come_first():
    place = at("values = |\n", automatic=False)
    answers = ["[1, 2", "[1, 2]", "[1, 2]", "{}"]
    found = run(completer(Scripted(answers)).complete(place, count=3))
    texts = [s.text for s in found]
    assert len(set(texts)) == len(texts) >= 2
    assert texts[0] != "[1, 2"


def test_who_asks_gets_the_best_of_several_branches_and_typing_as_many_as_are_set():
    place = at("def mean(total, count):\n    return |\n")
    engine = Scripted("total / count")
    asking = replace(place, automatic=False)
    run(completer(engine).complete(place))
    run(completer(engine).complete(asking))
    some = read_settings({"trigger": {"precompute": False}, "model": {"branches": 3}})
    run(completer(engine, some).complete(place))
    run(completer(engine).complete(asking, policy="topk"))
    assert [r.branches for r in engine.asked] == [0, 8, 3, 0]


def test_several_suggestions_are_drawn_only_where_branches_found_one():
    place = at("x = |\n", automatic=False)
    branching = Scripted(["total", "count"])
    assert len(run(completer(branching).complete(place, count=3))) == 2
    assert [(r.branches, r.temperature) for r in branching.asked] == [(8, 0.0)]
    drawing = Scripted("total", ["total", "mean"])
    assert len(run(completer(drawing).complete(place, count=3))) == 2
    assert [r.branches for r in drawing.asked] == [8, 0] and drawing.asked[1].temperature > 0


def test_who_has_waited_long_enough_gets_what_there_is():
    engine, place = Scripted("total", delay=0.02), at("x = |\n", automatic=False)
    hasty = read_settings({"model": {"patience_ms": 10}, "trigger": {"precompute": False}})
    assert len(run(completer(engine, hasty).complete(place, count=3))) == 1
    assert [(r.branches, r.branch_ms) for r in engine.asked] == [(8, 10.0)]


def test_a_popup_item_is_continued_in_its_own_range():
    place = at("import os\nos.pa|\n")
    item = (place.gap.start - 2, place.gap.start, "path")
    [suggestion] = run(completer(Scripted(".join(a, b)")).complete(replace(place, selected=item)))
    assert suggestion.text == "path.join(a, b)"
    assert inserted(place, suggestion) == "import os\nos.path.join(a, b)\n"


def test_a_popup_item_that_does_not_continue_the_text_refuses():
    place = at("os.pa|\n")
    item = (place.gap.start - 2, place.gap.start, "environ")
    with pytest.raises(Refusal) as refusal:
        run(completer(Scripted("x")).complete(replace(place, selected=item)))
    assert refusal.value.reason is Reason.POPUP


def test_what_was_dismissed_does_not_come_back_by_itself():
    mean = completer(Scripted("total / count"))
    place = at("def mean(total, count):\n    return |\n")

    async def story():
        [shown] = await mean.complete(place)
        mean.dismissed(shown.id)
        with pytest.raises(Refusal) as refusal:
            await mean.complete(place)
        assert refusal.value.reason is Reason.FILTERED
        assert (await mean.complete(replace(place, automatic=False)))[0].id == shown.id

    run(story())


def test_the_next_suggestion_is_computed_while_one_is_on_screen():
    engine = Scripted("values", "", "print(total)")
    ahead = completer(engine, read_settings({}))

    async def story():
        [shown] = await ahead.complete(at("values = [1, 2]\ntotal = |\n"))
        await asyncio.sleep(0.05)  # Windows's clock ticks every 16 ms
        after = at(f"values = [1, 2]\ntotal = {shown.text}\n|\n")
        [known] = await ahead.complete(after)
        assert known.source == "cache"
        assert inserted(after, known).endswith("\nprint(total)\n")
        await ahead.close()

    run(story())
    assert len(engine.asked) == 1 and len(engine.background) >= 2


def test_cancelling_the_task_cancels_the_engine():
    engine = Scripted("x", delay=5.0)

    async def story():
        task = asyncio.create_task(completer(engine).complete(at("x = |\n")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story())
    assert engine.cancelled == 1


def test_another_document_is_another_key_and_the_uri_stays_here():
    keys = []

    class Keyed(Scripted):
        async def infill(self, request, *, key="", **rest):
            keys.append(key)
            return await super().infill(request, key=key, **rest)

    engine = completer(Keyed("x"))

    async def story():
        await engine.complete(at("x = |\n"))
        await engine.complete(at("y = |\n", uri="file:///w/b.py"))

    run(story())
    assert len(set(keys)) == 2 and not any("file" in k or "/w" in k for k in keys)


def test_a_request_of_its_own_neither_reads_nor_feeds_the_cache():
    engine = Scripted("one", "two", "three")
    mean = completer(engine)

    async def story():
        place = at("x = |\n")
        assert (await mean.complete(place, policy="verify"))[0].text == "one"
        assert (await mean.complete(place))[0].text == "two"
        assert (await mean.complete(place, model="other"))[0].text == "three"

    run(story())
    assert [r.policy for r in engine.asked] == ["verify", "", ""]


def test_disabled_languages_never_reach_the_engine():
    engine = Scripted("x")
    off = read_settings({"trigger": {"languages": {"python": False}}})
    with pytest.raises(Refusal) as refusal:
        run(completer(engine, off).complete(at("x = |\n")))
    assert refusal.value.reason is Reason.DISABLED and engine.asked == []


def test_without_automatic_suggestions_only_who_asks_gets_one():
    manual = read_settings({"trigger": {"automatic": False}})
    place = at("x = |\n")
    with pytest.raises(Refusal) as refusal:
        run(completer(Scripted("1"), manual).complete(place))
    assert refusal.value.reason is Reason.DISABLED
    asked = replace(place, automatic=False)
    assert run(completer(Scripted("1"), manual).complete(asked))[0].text == "1"


def test_the_device_and_number_format_that_are_set_go_to_the_engine_also_after_a_change():
    engine = Scripted("total / count")
    place = at("def mean(total, count):\n    return |\n")
    mean = completer(engine, read_settings({"model": {"name": "m", "device": "cpu"}}))

    async def story():
        await mean.complete(place)
        await asyncio.sleep(0.05)  # what comes after it is computed ahead
        mean.settings = read_settings({"model": {"device": "cuda", "dtype": "int8"}}, QUIET)
        await mean.complete(replace(place, text=place.text.replace("mean", "mode")))
        await mean.complete(place, model="other")

    run(story())
    assert engine.background and set(engine.choices[:2]) == {Choice("m", "cpu", "auto")}
    assert engine.choices[-2:] == [Choice("", "cuda", "int8"), Choice("other", "cuda", "int8")]
