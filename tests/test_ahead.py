"""What is computed before anybody asks for it: the text around the cursor."""

import asyncio
from dataclasses import replace

import pytest

from dcomplete.errors import Refusal
from dcomplete.settings import read_settings
from tests.test_completer import Scripted, at, completer, run


def test_where_the_cursor_rests_the_context_is_computed_until_somebody_asks():
    text = "def mean(total, count):\n    return |\n\nprint(mean(4, 2))\n"
    engine = Scripted("total / count", delay=0.05)

    async def story():
        mean = completer(engine, read_settings({}))
        mean.read_ahead(at(text))
        await asyncio.sleep(0.01)
        [ahead] = engine.background
        assert ahead.max_tokens == 0 and ahead.draft is None
        [shown] = await mean.complete(at(text.replace("|", "t|")))
        assert engine.cancelled == 1  # the order of before, which the engine need not finish
        [asked] = engine.asked
        assert (ahead.prefix + "t", ahead.suffix) == (asked.prefix, asked.suffix)
        longer = {"prefix": asked.prefix, "beside": asked.beside, "max_tokens": 32}
        assert replace(ahead, **longer) == asked
        await mean.close()
        return shown

    assert run(story()).text == "total / count"


def test_behind_a_finished_statement_what_may_follow_is_read_ahead():
    engine = Scripted("x = 2")

    async def story(place, settings):
        mean = completer(engine, read_settings(settings))
        with pytest.raises(Refusal):
            await mean.complete(place)
        await asyncio.sleep(0.01)
        return [request.max_tokens for request in engine.background]

    ended, word = at("int x = f(1);|\n", language="c"), at("x = |word\n")
    assert run(story(word, {})) == []  # nothing comes before a word, whatever is typed
    assert run(story(ended, {"trigger": {"precompute": False}})) == []
    assert run(story(ended, {"trigger": {"automatic": False}})) == []
    assert run(story(replace(ended, uri="file:///w/.env"), {})) == []
    assert run(story(ended, {})) == [0]


def test_what_is_on_its_way_is_not_disturbed_by_reading_ahead():
    engine = Scripted("total / count", delay=0.03)

    async def story():
        mean = completer(engine, read_settings({}))
        place = at("def mean(total, count):\n    return |\n")
        asked = asyncio.create_task(mean.complete(place))
        await asyncio.sleep(0.01)
        mean.read_ahead(place)
        await asked
        assert [request.max_tokens for request in engine.background if not request.max_tokens] == []
        await mean.close()

    run(story())


def test_what_is_computed_ahead_is_not_disturbed_by_reading_ahead_there():
    """An editor says where the cursor rests, which is where a suggestion was accepted."""
    engine = Scripted("total", " / count", delay=0.02)

    async def story():
        mean = completer(engine, read_settings({}))
        await mean.complete(at("x = |\n"))
        await asyncio.sleep(0.01)  # what follows is on its way
        asked = asyncio.create_task(mean.complete(at("x = total|\n")))
        await asyncio.sleep(0)
        mean.read_ahead(at("x = total|\n"))
        assert (await asked)[0].text == " / count"
        assert len(engine.asked) == 1
        await mean.close()

    run(story())


def test_who_waits_for_what_is_computed_ahead_is_answered_where_that_is_stopped():
    """As new settings stop it."""
    engine = Scripted("total", " / count", delay=0.02)

    async def story():
        mean = completer(engine, read_settings({}))
        await mean.complete(at("x = |\n"))
        await asyncio.sleep(0.01)
        asked = asyncio.create_task(mean.complete(at("x = total|\n")))
        await asyncio.sleep(0)
        mean.settings = read_settings({"model": {"steps": 32}})
        assert (await asked)[0].text == " / count"
        await mean.close()

    run(story())


def test_what_was_computed_ahead_does_not_make_the_one_on_screen_grow_while_it_is_typed():
    engine = Scripted("total", " / count")

    async def story():
        mean, texts = completer(engine, read_settings({})), []
        for document in ("x = |\n", "x = t|\n", "x = to|\n", "x = total|\n", "x = to|\n"):
            texts.append((await mean.complete(at(document)))[0].text)
            await asyncio.sleep(0.01)
        assert texts == ["total", "otal", "tal", " / count", "tal / count"]
        await mean.close()

    run(story())
