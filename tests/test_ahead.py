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
