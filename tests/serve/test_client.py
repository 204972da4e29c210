"""The client against a real process's insides: answers, errors, cancelling, a process that ends."""

import asyncio
import json
import socket
import sys
import time

import pytest
import pytest_asyncio

from dcomplete.errors import Reason, Refusal, UserError
from dcomplete.serve import client as client_module
from dcomplete.serve import codec
from dcomplete.serve.client import EngineClient
from dcomplete.serve.orders import Choice, EngineFault
from dcomplete.serve.places import TRANSPORT_VARIABLE, Address, Places
from dcomplete.serve.start import StartOptions, read_status
from dcomplete.types import InfillRequest
from tests.serve.conftest import infill_of, until
from tests.systems import MODES, SCRIPTS

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client():
    made = EngineClient()
    yield made
    await made.close()


async def eventually(true) -> None:
    await asyncio.to_thread(until, true)


async def test_an_infill_comes_back_as_a_value(serve, client):
    serve()
    answer = await client.infill(InfillRequest("x", steps=2))
    assert answer.best.texts == ("x!",) and answer.timings.total == 0.0


async def test_a_port_serves_as_well_as_a_socket(serve, client, monkeypatch):
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    serve()
    assert (await client.infill(InfillRequest("x"))).best.texts == ("x!",)


async def test_a_port_of_nobody_who_holds_the_lock_gets_nothing(
    serve, client, monkeypatch, own_places
):
    """An engine was killed, its card is left, and somebody else has its port now."""
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    places = Places.find()
    places.secure()
    with socket.create_server(("127.0.0.1", 0)) as impostor:
        impostor.settimeout(0.2)
        places.publish(Address(port=impostor.getsockname()[1], token="t"))
        assert read_status(places) is None
        with pytest.raises(TimeoutError):
            impostor.accept()


async def test_a_proxy_of_the_environment_does_not_matter(serve, client, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    serve()
    assert (await client.infill(InfillRequest("x"))).best.texts == ("x!",)


async def test_the_steps_can_be_watched(serve, client):
    serve()
    seen = []
    answer = await client.infill(
        InfillRequest("x", steps=3), watch=lambda step, rows: seen.append((step, rows[0][0].text))
    )
    assert seen == [(0, "x"), (1, "x"), (2, "x")] and answer.best.texts == ("x!",)


async def test_errors_come_back_as_they_were_raised(serve, client):
    serve()
    with pytest.raises(UserError, match=r"Steps must be at least 1\."):
        await client.infill(InfillRequest("wrong"))
    with pytest.raises(UserError, match="Unknown model"):
        await client.infill(InfillRequest("x"), choice=Choice("missing"))
    with pytest.raises(EngineFault, match="TensorTrouble"):
        await client.infill(InfillRequest("bug"))
    with pytest.raises(EngineFault):
        await client.infill(InfillRequest("bug"), watch=lambda step, rows: None)
    with pytest.raises(UserError, match="Unknown model"):
        await client.warm(Choice("missing"))


async def test_half_a_surrogate_pair_does_no_harm(serve, client):
    serve()
    answer = await client.infill(InfillRequest("\udc00x"))
    assert answer.best.texts == ("\ufffdx!",)


async def test_cancelling_the_task_gives_the_request_up(serve, client):
    served = serve(pause=0.01)
    task = asyncio.create_task(client.infill(InfillRequest("long", steps=100_000)))
    await eventually(lambda: served.loader.steppers and served.loader.steppers["fake"].trace)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: read_status().counts["cancelled"] == 1)


async def test_the_latest_of_a_document_wins(serve, client):
    serve(pause=0.01)
    old = asyncio.create_task(client.infill(InfillRequest("a", steps=100_000), key="doc"))
    await eventually(lambda: read_status().active == 1)
    new = await client.infill(InfillRequest("b", steps=2), key="doc")
    assert new.best.texts == ("b!",)
    with pytest.raises(Refusal) as error:
        await old
    assert error.value.reason is Reason.SUPERSEDED


async def test_too_many_are_refused_as_busy(serve, client):
    serve(pause=0.02)
    ask = [client.infill(InfillRequest(f"{n}", steps=2)) for n in range(50)]
    answers = await asyncio.gather(*ask, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, Refusal)]
    assert refused and all(r.reason is Reason.BUSY for r in refused)
    assert len(answers) - len(refused) >= 32


async def test_warming_and_the_own_default(serve):
    served = serve()
    made = EngineClient(StartOptions(Choice("own")))
    await made.warm()
    await made.infill(InfillRequest("x"))
    assert served.loader.loads == ["own"]
    await made.close()


async def test_an_order_says_the_device_and_number_format(monkeypatch):
    sent = []

    async def exchange(self, path, body, watch):
        sent.append(json.loads(body))
        return codec.plain(infill_of("x"))

    monkeypatch.setattr(EngineClient, "_ask", exchange)
    made = EngineClient(StartOptions(Choice("own", "cpu", "float32")))
    await made.infill(InfillRequest("x"), choice=Choice("", "cuda", "auto"))
    await made.warm(Choice("m", "auto", "int8"))
    named = [(one["model"], one["device"], one["dtype"]) for one in sent]
    assert named == [("own", "cuda", "float32"), ("m", "cpu", "int8")]


async def test_the_status_of_no_process_is_none_and_starts_none(own_places, client):
    assert await client.status() is None
    assert await client.stop() is False
    assert not (own_places / "run" / "engine.sock").exists()


async def test_stopping_ends_the_process_and_what_it_does(serve, client):
    served = serve(pause=0.01)
    task = asyncio.create_task(client.infill(InfillRequest("long", steps=100_000)))
    await eventually(lambda: read_status().active == 1)
    assert await client.stop()
    error = (await asyncio.gather(task, return_exceptions=True))[0]
    assert str(error) == "The engine was stopped."
    assert isinstance(error, Refusal) and error.reason is Reason.NO_ENGINE
    served.thread.join(10)
    assert served.results == [True] and await client.status() is None


async def test_a_process_that_is_to_end_when_idle_answers_first(serve, client):
    served = serve(pause=0.01)
    task = asyncio.create_task(client.infill(InfillRequest("slow", steps=30)))
    await eventually(lambda: read_status().active == 1)
    assert await client.stop(when_idle=True)
    assert (await task).best.texts == ("slow!",)
    served.thread.join(10)
    assert served.results == [True]


async def test_an_answer_that_cannot_be_read_is_a_fault(client):
    async def lines():
        for row in ('{"step": 0, "rows": []}', "[]"):
            yield row

    with pytest.raises(EngineFault, match="broke off"):
        await client_module._watched(lines(), lambda step, rows: None)


@MODES
async def test_an_open_folder_is_one_sentence(own_places, client):
    (own_places / "run").mkdir()
    (own_places / "run").chmod(0o755)
    with pytest.raises(UserError, match="open to other users"):
        await client.infill(InfillRequest("x"))


@SCRIPTS
async def test_a_process_that_cannot_start_is_tried_with_growing_pauses(
    own_places, monkeypatch, tmp_path
):
    """A real start of a Python that fails; the second request comes too early for another."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    made = EngineClient(StartOptions(within_s=10))
    for _ in range(2):
        with pytest.raises(Refusal, match="did not start: no such library") as error:
            await made.infill(InfillRequest("x"))
        assert error.value.reason is Reason.NO_ENGINE
    assert made._failures == 1
    for expected in (0.5, 1, 2, 4, 8, 10, 10):
        made._failed("again")
        left = made._retry_at - asyncio.get_running_loop().time()
        assert expected - 0.2 < left <= expected
    await made.close()


@SCRIPTS
async def test_closing_does_not_wait_for_a_process_that_does_not_come(
    own_places, monkeypatch, tmp_path
):
    """A real start of a Python that hangs; its process ends with the test."""
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    made = EngineClient()
    task = asyncio.create_task(made.infill(InfillRequest("x")))
    await eventually((own_places / "log" / "start.log").exists)
    begun = time.monotonic()
    await made.close()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert time.monotonic() - begun < 3
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], BaseException)
