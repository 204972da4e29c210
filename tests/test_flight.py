"""Typing on while a suggestion is computed: one computation, as long as its answer may still fit."""

import asyncio
import gc
from dataclasses import replace

import pytest

from dcomplete.completer import Completer
from dcomplete.context import Workspace
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.flight import GRACE_S, MOST_TYPED, Ahead, Flight, typed_since
from dcomplete.settings import read_settings
from dcomplete.types import Answer, Cell, Finish, Infill
from tests.clock import run

QUIET = read_settings({"trigger": {"precompute": False}})


class Slow:
    """Decides `text` one character a step, from the left, and notes how each request ended."""

    def __init__(self, *texts: str, step_s: float = 0.01, score: float = -0.1) -> None:
        self.texts, self.step_s, self.score = list(texts), step_s, score
        self.ended: list[str] = []

    async def infill(self, request, *, key="", choice=None, background=False, watch=None):
        text = self.texts.pop(0)
        try:
            for done in range(len(text) + 1):
                cells = [Cell(c if i < done else None, False) for i, c in enumerate(text)]
                if watch is not None:
                    watch(done, [cells])
                await asyncio.sleep(self.step_s)
        except asyncio.CancelledError:
            self.ended.append("stopped")
            raise
        self.ended.append("done")
        unsure = self.score < -1 and request.confidence
        finish = Finish.UNSURE if unsure else Finish.DONE
        answers = (Answer(("" if unsure else text,), len(text), self.score, finish),)
        return Infill(answers, "slow", "cpu", "float32", "threshold", 1, 1, 1, 1)


def at(text: str) -> Snapshot:
    place = text.index("|")
    return Snapshot("file:///w/a.py", "python", 1, text.replace("|", "", 1), Gap(place, place))


def place(typed: str) -> Snapshot:
    return at(f"def mean(total, count):\n    return {typed}|\n")


async def overtaken(completer: Completer, snapshot: Snapshot, after: float) -> None:
    """A request that the editor gives up after a while, because somebody types on."""
    task = asyncio.create_task(completer.complete(snapshot))
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_who_types_what_is_coming_gets_the_same_answer():
    engine = Slow("total / count")

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.03)
        await overtaken(completer, place("t"), 0.03)
        [suggestion] = await completer.complete(place("tot"))
        assert suggestion.text == "al / count"

    run(story())
    assert engine.ended == ["done"]


def test_what_contradicts_the_canvas_ends_the_computation_at_once():
    engine = Slow("total / count", "sum(values)", step_s=0.02)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.05)
        [suggestion] = await completer.complete(place("s"))
        assert suggestion.text == "sum(values)"

    run(story())
    assert engine.ended == ["stopped", "done"]


def test_a_canvas_that_turns_out_otherwise_ends_while_somebody_waits():
    engine = Slow("total / count", " / values", step_s=0.02)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.01)
        began = asyncio.get_running_loop().time()
        [suggestion] = await completer.complete(place("tab"))  # nothing decided yet
        assert suggestion.text == " / values"
        assert asyncio.get_running_loop().time() - began < 13 * 0.02 + 10 * 0.02

    run(story())
    assert engine.ended == ["stopped", "done"]


@pytest.mark.parametrize(
    ("typed", "joins"), [("", True), ("to", True), ("su", True), ("ab", True), ("val", False)]
)
def test_any_row_of_a_canvas_may_become_the_answer(typed, joins):
    """The first answer stands above its branches, which come one after another."""

    def row(*cells):
        return [Cell(cell, False) for cell in cells]

    async def story():
        flight = Flight(place(""))
        flight.start(asyncio.sleep(60, []))
        flight.see(1, [row("to", None)])
        flight.see(2, [row("to", "tal"), row("a", "b")])
        flight.see(3, [row("to", "tal"), row("su", None)])
        assert flight.joins(place(typed)) == joins
        flight.see(4, [row("to", "tal"), row("su", None)])
        await asyncio.sleep(0)
        assert not flight.over
        flight.stop()

    run(story())


def test_a_request_that_nobody_follows_ends_after_a_moment():
    engine = Slow("total / count", step_s=0.2)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.05)
        assert engine.ended == []
        await asyncio.sleep(GRACE_S + 0.1)

    run(story())
    assert engine.ended == ["stopped"]


def test_an_answer_that_comes_after_its_request_was_given_up_is_remembered():
    engine = Slow("total / count", step_s=0.002)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.005)
        await asyncio.sleep(0.2)
        [suggestion] = await completer.complete(place("total "))
        assert (suggestion.text, suggestion.source) == ("/ count", "cache")

    run(story())
    assert engine.ended == ["done"]


def test_the_same_question_gets_the_same_refusal():
    engine = Slow("maybe", score=-9.0)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        both = (completer.complete(place("")) for _ in range(2))
        for refusal in await asyncio.gather(*both, return_exceptions=True):
            assert isinstance(refusal, Refusal) and refusal.reason is Reason.UNSURE

    run(story())
    assert engine.ended == ["done"]


def test_a_refusal_that_nobody_waits_for_is_not_reported(capfd):
    engine = Slow("maybe", score=-9.0)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.01)
        await asyncio.sleep(0.2)

    run(story())
    gc.collect()
    assert engine.ended == ["done"] and capfd.readouterr().err == ""


def test_closing_the_document_ends_the_computation():
    engine = Slow("total / count", step_s=0.05)

    async def story():
        completer = Completer(engine, Workspace(), QUIET)
        task = asyncio.create_task(completer.complete(place("")))
        await asyncio.sleep(0.08)
        completer.forget(place("").uri)
        with pytest.raises(Refusal) as refusal:
            await task
        assert refusal.value.reason is Reason.SUPERSEDED

    run(story())
    assert engine.ended == ["stopped"]


class Closing(Slow):
    """Has the document closed in the very moment in which it has answered."""

    completer: Completer | None = None

    async def infill(self, request, *, background=False, **more):
        found = await super().infill(request, **more)
        if self.completer is not None and not background:
            asyncio.get_running_loop().call_soon(self.completer.forget, CLOSED)
        return found


CLOSED = "file:///w/closed.py"


@pytest.mark.parametrize("answered", [False, True])
def test_nothing_is_kept_of_a_document_that_closes_as_it_is_asked_about_or_answered(answered):
    """What begins in the moment after the closing is let go when it is over."""
    engine = Closing("total", "count", "more", step_s=0.1)

    async def story():
        completer = Completer(engine, Workspace(), read_settings({}))
        engine.completer = completer if answered else None
        task = asyncio.create_task(completer.complete(replace(place(""), uri=CLOSED)))
        if answered:
            await task
        else:
            completer.forget(CLOSED)  # before the task's first step
            await asyncio.sleep(0)
            task.cancel()
        del task  # its error would name what it had
        await asyncio.sleep(GRACE_S + 2.0)
        gc.collect()
        kept = [o for o in gc.get_objects() if isinstance(o, Flight | Ahead)]
        assert [o for o in kept if o.snapshot and o.snapshot.uri == CLOSED] == []

    run(story())
    assert engine.ended == (["done"] * 2 if answered else ["stopped"])


def test_typed_since_knows_typing_from_everything_else():
    before = at("x = |\n")
    assert typed_since(before, at("x = |\n")) == ""
    assert typed_since(before, at("x = ab|\n")) == "ab"
    assert typed_since(before, at("x =|\n")) is None
    assert typed_since(before, at("y = a|\n")) is None
    assert typed_since(before, at("x = a|)\n")) is None
    assert typed_since(before, at("x = f(|)\n")) == "f("
    assert typed_since(before, at('x = f(["|"])\n')) == 'f(["'
    assert typed_since(before, at("x = f(|]\n")) is None
    assert typed_since(before, at("x = (|)))\n")) is None
    assert typed_since(before, at(f"x = {'a' * (MOST_TYPED + 1)}|\n")) is None
    assert typed_since(before, replace(at("x = a|\n"), uri="file:///w/b.py")) is None


def test_a_closer_that_the_editor_inserts_meanwhile_changes_nothing():
    slow = Slow("sum(total)")

    async def story():
        completer = Completer(slow, Workspace(), QUIET)
        await overtaken(completer, place(""), 0.02)
        [shown] = await completer.complete(at("def mean(total, count):\n    return sum(|)\n"))
        assert shown.text == "total)"

    run(story())
    assert slow.ended == ["done"]
