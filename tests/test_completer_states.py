"""What a completer remembers, and for how long: settings, dismissals, answers that are on their way."""

import asyncio
from dataclasses import replace

import pytest

from dcomplete.completer import Completer
from dcomplete.context import Workspace
from dcomplete.errors import Reason, Refusal
from dcomplete.flight import GRACE_S
from dcomplete.settings import read_settings
from tests.clock import run as in_counted_time
from tests.test_completer import QUIET, Scripted, at, completer, run
from tests.test_flight import Slow, overtaken, place

MEAN = "def mean(total, count):\n    return {}|\n"


def test_switched_off_nothing_is_suggested_from_memory_either():
    mean = completer(Scripted("total / count"))

    async def story():
        await mean.complete(at(MEAN.format("")))
        mean.settings = read_settings({"enabled": False, "trigger": {"precompute": False}})
        with pytest.raises(Refusal) as refusal:
            await mean.complete(at(MEAN.format("to")))
        assert refusal.value.reason is Reason.DISABLED
        mean.settings = QUIET
        assert await mean.complete(at(MEAN.format("")))

    run(story())


def test_another_model_is_asked_where_the_one_before_had_answered():
    engine = Scripted("total / count", "count * total")
    mean = completer(engine)

    async def story():
        await mean.complete(at(MEAN.format("")))
        mean.settings = read_settings({"model": {"name": "b"}, "trigger": {"precompute": False}})
        [shown] = await mean.complete(at(MEAN.format("")))
        assert shown.text == "count * total" and engine.choices[-1].model == "b"
        mean.settings = read_settings({"model": {"name": "b"}, "trigger": {"precompute": False}})
        assert (await mean.complete(at(MEAN.format(""))))[0].id == shown.id, "nothing is new"

    run(story())


def test_what_was_dismissed_stays_away_while_it_is_typed_and_comes_at_another_place():
    mean = completer(Scripted("total / count"))

    async def story():
        [shown] = await mean.complete(at(MEAN.format("")))
        mean.dismissed(shown.id)
        with pytest.raises(Refusal) as refusal:
            await mean.complete(at(MEAN.format("to")))
        assert refusal.value.reason is Reason.FILTERED
        [other] = await mean.complete(at("total, count = 3, 4\nratio = |\n"))
        assert other.text == "total / count"

    run(story())


class Busy(Scripted):
    """Answers once."""

    async def infill(self, request, **words):
        if self.asked:
            raise Refusal("The engine is busy.", Reason.BUSY)
        return await super().infill(request, **words)


def test_who_asks_for_more_keeps_what_is_known_where_the_engine_is_busy():
    mean = completer(Busy("total / count"))

    async def story():
        [shown] = await mean.complete(at(MEAN.format("")))
        again = await mean.complete(at(MEAN.format(""), automatic=False), 3)
        assert [s.id for s in again] == [shown.id]
        with pytest.raises(Refusal) as refusal:
            await mean.complete(at("x = |\n", automatic=False), 3)
        assert refusal.value.reason is Reason.BUSY

    run(story())


def test_who_asks_where_a_beginning_is_shown_keeps_it_where_the_engine_is_busy():
    mean = completer(Busy("total / |count"))

    async def story():
        [shown] = await mean.complete(at(MEAN.format("")))
        assert shown.unsure
        [kept] = await mean.complete(at(MEAN.format(""), automatic=False), 3)
        assert kept.id == shown.id

    run(story())


def test_who_asks_by_key_does_not_get_the_refusal_of_what_comes_by_itself():
    engine = Slow("total / count", "total / count", score=-9.0)

    async def story():
        mean = Completer(engine, Workspace(), QUIET)
        waiting = asyncio.create_task(mean.complete(place("")))
        await asyncio.sleep(0.02)
        [shown] = await mean.complete(replace(place(""), automatic=False))
        assert shown.text == "total / count"
        with pytest.raises(Refusal) as refusal:
            await waiting
        assert refusal.value.reason is Reason.UNSURE

    in_counted_time(story())


def test_only_the_last_request_that_was_given_up_has_a_grace():
    """The timers of earlier ones would end the computation in a pause between a key and its request."""
    engine = Slow("total / count", step_s=3 * GRACE_S / 13)

    async def story():
        mean = Completer(engine, Workspace(), QUIET)
        await overtaken(mean, place(""), 0.2 * GRACE_S)
        await overtaken(mean, place("t"), 0.6 * GRACE_S)  # the first timer would end in 0.4
        await overtaken(mean, place("to"), 0.35 * GRACE_S)
        await asyncio.sleep(0.3 * GRACE_S)
        [suggestion] = await mean.complete(place("tota"))
        assert suggestion.text == "l / count"

    in_counted_time(story())
    assert engine.ended == ["done"]


def test_a_line_end_that_is_coming_may_be_typed_as_windows_does():
    engine = Slow("total:\n        print(count)", step_s=0.01)
    settings = read_settings({"trigger": {"precompute": False, "multiline": "always"}})

    async def story():
        mean = Completer(engine, Workspace(), settings)
        before = at("def mean(total, count):\r\n    if |\r\n")
        await overtaken(mean, before, 0.12)
        after = at("def mean(total, count):\r\n    if total:\r\n        |\r\n")
        [suggestion] = await mean.complete(after)
        assert suggestion.text == "print(count)"

    in_counted_time(story())
    assert engine.ended == ["done"]
