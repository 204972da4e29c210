"""The same interface without a second process."""

import asyncio
import threading

import pytest
import pytest_asyncio

from dcomplete.errors import Cancelled, Reason, Refusal, UserError
from dcomplete.serve.client import EngineClient
from dcomplete.serve.local import InProcess
from dcomplete.serve.orders import AsyncEngine, Choice
from dcomplete.types import InfillRequest
from tests.serve.conftest import FakeLoader

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def local():
    loader = FakeLoader(pause=0.001)
    made = InProcess(loader=loader)
    made.loader = loader
    yield made
    await made.close()


async def test_it_answers(local):
    assert (await local.infill(InfillRequest("x"))).best.texts == ("x!",)
    with pytest.raises(UserError, match="Unknown model"):
        await local.infill(InfillRequest("x"), choice=Choice("missing"))
    assert (await local.status()).counts["done"] == 1


async def test_it_is_watched_in_the_event_loop(local):
    seen = []
    loop = asyncio.get_running_loop()
    await local.infill(
        InfillRequest("x", steps=3),
        watch=lambda step, rows: seen.append((step, asyncio.get_running_loop() is loop)),
    )
    assert seen == [(0, True), (1, True), (2, True)]


async def test_the_latest_of_a_document_wins(local):
    old = asyncio.create_task(local.infill(InfillRequest("a", steps=100_000), key="doc"))
    await asyncio.sleep(0.05)
    assert (await local.infill(InfillRequest("b"), key="doc")).best.texts == ("b!",)
    with pytest.raises(Refusal) as error:
        await old
    assert error.value.reason is Reason.SUPERSEDED


async def test_cancelling_the_task_gives_the_request_up(local):
    await local.infill(InfillRequest("first"))  # loading takes its time
    task = asyncio.create_task(local.infill(InfillRequest("a", steps=100_000)))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await local.infill(InfillRequest("b"))).best.texts == ("b!",)
    assert local.loader.steppers["fake"].closed == ["first", "a", "b"]


async def test_closing_ends_what_runs(local):
    task = asyncio.create_task(local.infill(InfillRequest("a", steps=100_000)))
    await asyncio.sleep(0.05)
    await local.close()
    with pytest.raises(Cancelled):
        await task
    with pytest.raises(Refusal):
        await local.infill(InfillRequest("b"))


async def test_after_a_restart_it_answers_again(local):
    await local.warm(Choice("m"))
    assert await local.stop()
    await local.warm(Choice("m"))
    assert (await local.infill(InfillRequest("x"))).best.texts == ("x!",)
    assert local.loader.loads == ["m", "m", "fake"]
    assert [t.name for t in threading.enumerate()].count("engine") == 1


async def test_a_restart_ends_what_runs_and_not_what_comes_after(local):
    old = asyncio.create_task(local.infill(InfillRequest("a", steps=100_000)))
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(local.stop())
    await asyncio.sleep(0)
    assert (await local.infill(InfillRequest("b"))).best.texts == ("b!",)
    await stopping
    with pytest.raises(Cancelled):
        await old


async def test_a_worker_that_broke_is_replaced(local, monkeypatch):
    await local.infill(InfillRequest("x"))
    monkeypatch.setattr(local._scheduler, "turn", lambda: 1 / 0)
    with pytest.raises(Refusal, match="The engine broke") as error:
        await local.infill(InfillRequest("x"))
    assert error.value.reason is Reason.NO_ENGINE
    assert (await local.infill(InfillRequest("y"))).best.texts == ("y!",)


async def test_warming_loads(local):
    await local.warm(Choice("m"))
    assert local.loader.loads == ["m"]


async def test_device_and_number_format_are_the_orders(local):
    asked = []
    local.loader.resolve = lambda choice: asked.append(choice) or Choice("fake")
    choice = Choice("m", "cuda", "int8")
    await local.warm(choice)
    await local.infill(InfillRequest("x"), choice=choice)
    assert asked == [choice, choice]


async def test_a_real_model_answers(tiny_model):
    made = InProcess(Choice("tiny", "cpu"))
    answer = await made.infill(InfillRequest("x = ", max_tokens=8, steps=4))
    assert answer.model == "tiny" and answer.best.tokens <= 8
    await made.close()


async def test_both_engines_have_one_interface(own_places):
    both: list[AsyncEngine] = [InProcess(loader=FakeLoader()), EngineClient()]
    for engine in both:
        await engine.close()
