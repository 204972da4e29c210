"""An engine that ends while something runs, or before it began: what callers and the next one see."""

import asyncio
import signal
import sys
import threading
import time

import httpx
import pytest

from dcomplete.cli import run
from dcomplete.errors import Cancelled, Reason, Refusal
from dcomplete.serve import process
from dcomplete.serve.client import EngineClient
from dcomplete.serve.listening import signals
from dcomplete.serve.orders import EngineFault
from dcomplete.serve.places import Places
from dcomplete.serve.start import StartOptions, ensure_engine, read_status, stop_engine
from dcomplete.types import InfillRequest
from tests.serve.conftest import until


@pytest.fixture
def slow(serve, monkeypatch):
    """An engine whose steps take longer than the process waits for them when it ends."""
    monkeypatch.setattr(process, "_GRACE", 1)
    return serve(pause=2.5)


async def stopped() -> BaseException:
    """What a request gets whose engine is stopped during a step."""
    client = EngineClient()
    task = asyncio.create_task(client.infill(InfillRequest("a", steps=3)))
    await asyncio.to_thread(until, lambda: read_status().active == 1)
    await client.stop()
    error = (await asyncio.gather(task, return_exceptions=True))[0]
    await client.close()
    return error


def test_a_step_longer_than_the_grace_is_answered_as_stopped(slow):
    error = asyncio.run(stopped())
    assert isinstance(error, Refusal) and error.reason is Reason.NO_ENGINE
    assert str(error) == "The engine was stopped."


def test_the_next_engine_waits_for_the_last_one_to_end(slow, serve):
    asking = threading.Thread(target=asyncio.run, args=(stopped(),))
    asking.start()
    until(lambda: slow.loader.steppers and Places.find().address() is None)
    assert slow.thread.is_alive()
    serve()
    asking.join(10)
    assert read_status() is not None and slow.results == [False]


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_is_no_json_is_a_fault_and_no_mistake_of_the_users(status):
    async def story() -> None:
        client = EngineClient()
        answer = httpx.Response(status, text="Internal Server Error")
        transport = httpx.MockTransport(lambda request: answer)
        client._http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        with pytest.raises(EngineFault, match="cannot be read"):
            await client.infill(InfillRequest("x"))
        await client.close()

    asyncio.run(story())


def test_the_command_line_says_that_the_engine_was_stopped(serve, tmp_path, capsys):
    def stop() -> None:
        until(lambda: read_status().active == 1)
        stop_engine()

    serve(pause=0.1)
    file = tmp_path / "x.py"
    file.write_text("x = <GAP>\n")
    stopping = threading.Thread(target=stop)
    stopping.start()
    status = run(["infill", str(file), "--steps", "640"])
    stopping.join()
    assert (status, capsys.readouterr().err) == (
        1, "dcomplete: Nothing to suggest: The engine was stopped.\n",
    )  # fmt: skip


def test_what_was_cancelled_is_said(monkeypatch, capsys):
    def refuse(*_: object) -> None:
        raise Cancelled("The request was cancelled.")

    monkeypatch.setattr("dcomplete.cli.serve._status", refuse)
    assert run(["serve", "--status"]) == 130
    assert capsys.readouterr().err == "dcomplete: The request was cancelled.\n"


def test_a_process_that_ends_well_before_it_answers_is_not_waited_for(
    own_places, monkeypatch, tmp_path
):
    quick = tmp_path / "python"
    quick.write_text("#!/bin/sh\nexit 0\n")
    quick.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(quick))
    begun = time.monotonic()
    with pytest.raises(Refusal, match="did not start"):
        ensure_engine(StartOptions(within_s=30))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGBREAK"])
def test_every_signal_that_asks_for_the_end_is_heard(name):
    """On Windows, Ctrl-Break is all that another process can send."""
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"there is no {name} here")

    async def story() -> None:
        ended = asyncio.Event()
        with signals(asyncio.get_running_loop(), ended.set):
            signal.raise_signal(number)
            await asyncio.wait_for(ended.wait(), 10)

    asyncio.run(story())
