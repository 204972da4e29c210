"""The engine process for real: one for many clients, killed in the middle, gone when nobody asks."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from dcomplete.errors import Reason, Refusal
from dcomplete.serve.client import EngineClient
from dcomplete.serve.orders import Choice
from dcomplete.serve.places import Places
from dcomplete.serve.remote import RemoteEngine
from dcomplete.serve.start import StartOptions, read_status, stop_engine
from dcomplete.types import InfillRequest
from tests.serve.conftest import own_places, serve, until  # noqa: F401 (fixtures)
from tests.systems import CTRL_C, MODES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
MARKER = "hunter2_marker"
SMALL = InfillRequest("x = ", "\n", max_tokens=8, steps=4)
LONG = InfillRequest(
    f"{MARKER} = ", "\n", max_tokens=4096, steps=4096, length="512", policy="topk=1"
)
TINY = StartOptions(Choice("tiny", "cpu"), exit_after=60)


@pytest.fixture
def home(own_places, tiny_model):  # noqa: F811
    """A user with the tiny model, whose engine is gone after the test."""
    yield own_places
    stop_engine()
    try:
        until(lambda: not engines(own_places))
    finally:
        for process in engines(own_places):
            process.kill()


def engines(home: Path) -> list[psutil.Process]:
    """The engine processes that belong to `home`."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("DCOMPLETE_RUNTIME_DIR") == str(home / "run")
            if mine and "--child" in process.cmdline() and process.status() != "zombie":
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def state() -> str:
    """The process's state, "gone" where none runs."""
    status = read_status()
    return "gone" if status is None else status.state


def dcomplete(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "dcomplete", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def written(home: Path) -> str:
    """Everything that the process left in files."""
    files = [p for folder in ("log", "run") for p in (home / folder).iterdir() if p.is_file()]
    return "".join(p.read_text(errors="replace") for p in files)


def test_twenty_clients_at_once_leave_one_engine(home):
    code = (
        "from dcomplete.serve.start import StartOptions, ensure_engine, read_status; "
        "ensure_engine(StartOptions(exit_after=60)); print(read_status().pid)"
    )
    clients = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(20)
    ]
    pids = {client.communicate(timeout=120)[0].strip() for client in clients}
    assert pids == {str(read_status().pid)}
    assert [p.pid for p in engines(home)] == [read_status().pid]
    assert (home / "log" / "engine.log").read_text().count("started pid=") == 1


@pytest.mark.asyncio
async def test_a_killed_engine_is_started_anew_and_the_next_request_is_answered(home):
    client = EngineClient(TINY)
    await client.infill(SMALL)
    first = (await client.status()).pid
    task = asyncio.create_task(client.infill(LONG))
    await asyncio.to_thread(until, lambda: state() == "busy")
    psutil.Process(first).kill()
    with pytest.raises(Refusal) as error:
        await task
    assert error.value.reason is Reason.NO_ENGINE
    status = await client.status()
    assert status is not None and status.pid != first
    assert (await client.infill(SMALL)).model == "tiny"
    assert [p.pid for p in engines(home)] == [status.pid]
    assert MARKER not in written(home)
    await client.close()


@pytest.mark.asyncio
async def test_an_engine_killed_at_rest_is_not_noticed(home):
    client = EngineClient(TINY)
    before = await client.infill(SMALL)
    first = (await client.status()).pid
    psutil.Process(first).kill()
    await asyncio.to_thread(until, lambda: not engines(home) and read_status() is None)
    again = await client.infill(SMALL)
    assert again.answers == before.answers and (await client.status()).pid != first
    await client.close()


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_socket_and_process_are_gone_after_the_idle_time(home):
    with RemoteEngine(options=StartOptions(Choice("tiny", "cpu"), 0.1, 4.0)) as engine:
        engine.infill(SMALL)
        (process,) = engines(home)
        until(lambda: state() == "idle", 20)
        until(lambda: not engines(home), 20)
    until(lambda: gone(process), 20)  # while it ends, its command line is empty already
    assert {p.name for p in (home / "run").iterdir()} == {"engine.lock", "start.lock"}
    assert "ended pid=" in (home / "log" / "engine.log").read_text()


@MODES
def test_everything_that_the_process_makes_is_its_users_alone(home):
    with RemoteEngine(options=TINY) as engine:
        engine.infill(SMALL)
    for path in (home / "run", home / "log", Places.find().socket, home / "log" / "engine.log"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_no_text_of_a_request_is_written_anywhere(home):
    request = InfillRequest(f"{MARKER} = 1\n", MARKER, preamble=MARKER, max_tokens=8, steps=4)
    with RemoteEngine(options=TINY) as engine:
        engine.infill(request)
        for wrong in (f"/{MARKER}/model", MARKER):
            with pytest.raises(Exception, match=MARKER):  # the sentence for the caller names it
                RemoteEngine.infill(_named(engine, wrong), request)
    said = written(home)
    assert MARKER not in said.replace(f"model={MARKER} ", "") and "outcome=done" in said
    assert str(home) not in said


def _named(engine: RemoteEngine, model: str) -> RemoteEngine:
    engine._model = model
    return engine


@CTRL_C
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_foreground_engine_cleanly(home, number):
    process = dcomplete("serve", "--model", "tiny", "--exit-after", "60")
    until(lambda: read_status() is not None, 60)
    assert read_status().pid == process.pid
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not Places.find().socket.exists()


@CTRL_C
@pytest.mark.asyncio
async def test_ctrl_c_answers_what_runs_as_cancelled(home):
    client = EngineClient(TINY)
    task = asyncio.create_task(client.infill(LONG))
    await asyncio.to_thread(until, lambda: state() == "busy", 60)
    os.kill(engines(home)[0].pid, signal.SIGTERM)
    error = (await asyncio.gather(task, return_exceptions=True))[0]
    assert str(error) == "The engine was stopped."
    await asyncio.to_thread(until, lambda: not engines(home))
    await client.close()


def test_the_command_line_starts_shows_and_stops_it(home):
    start = dcomplete("serve", "--background", "--model", "tiny", "--preload", "--exit-after", "60")
    out, err = start.communicate(timeout=60)
    assert start.returncode == 0 and f"process {read_status().pid}." in out, err
    until(lambda: state() == "ready", 30)
    shown = dcomplete("serve", "--status", "--json").communicate(timeout=30)[0]
    assert [m["name"] for m in json.loads(shown)["models"]] == ["tiny"]
    assert dcomplete("serve", "--stop").communicate(timeout=30)[0] == "The engine ended.\n"
    until(lambda: not engines(home))


def test_an_engine_of_an_older_version_is_replaced(home, serve):  # noqa: F811
    old = serve(version="0.0.1")
    with RemoteEngine(options=TINY) as engine:
        assert engine.infill(SMALL).model == "tiny"
    old.thread.join(10)
    assert old.results == [True] and read_status().pid != os.getpid()


def test_a_start_that_fails_says_why(home):
    options = StartOptions(Choice("tiny", "cpu"), exit_after=-5, within_s=30)
    with (
        RemoteEngine(options=options) as engine,
        pytest.raises(Refusal, match=r"did not start: .*exit-after"),
    ):
        engine.infill(SMALL)


def test_the_remote_engine_answers_as_the_local_one_does(home):
    from dcomplete import open_engine

    local = open_engine("tiny", "cpu")
    requests = [
        SMALL,
        InfillRequest("def f(x):\n    return ", "\n", samples=3, temperature=0.8, seed=4, steps=6),
        InfillRequest("a = ", "\n", between=("\nb = ", "\nc = "), max_tokens=12, steps=5),
        InfillRequest("x = '\U0001f600", "'\r\n", max_tokens=6),
    ]
    with RemoteEngine(options=TINY) as remote:
        for request in requests:
            there, here = remote.infill(request), local.infill(request)
            assert [a.texts for a in there.answers] == [a.texts for a in here.answers]
            assert (there.steps, there.policy, there.dtype) == (here.steps, here.policy, here.dtype)


@pytest.mark.weights
def test_the_embedded_model_answers_alike_here_and_there(home):
    from dcomplete import open_engine

    request = InfillRequest(
        "def mean(values):\n    return ", "\n\n\nprint(mean([1]))\n", max_tokens=16
    )
    exact = "float32"  # in bfloat16 a cached context may differ from a new one in its last bits
    with RemoteEngine(options=StartOptions(Choice(dtype=exact), exit_after=60)) as remote:
        there = remote.infill(request)
        watched = []
        again = remote.infill(request, watch=lambda step, rows: watched.append(step))
    here = open_engine(dtype=exact).infill(request)
    assert there.best.texts == again.best.texts == here.best.texts
    assert there.best.score == pytest.approx(here.best.score, abs=1e-4)
    assert watched == sorted(watched) and len(watched) > 1


@pytest.mark.weights
def test_memory_falls_when_the_weights_go(home):
    with RemoteEngine(options=StartOptions(unload_after=1.0, exit_after=60)) as engine:
        engine.infill(SMALL)
        loaded = read_status().memory_bytes
        until(lambda: state() == "idle", 30)
    assert read_status().memory_bytes < 0.6 * loaded


def test_an_engine_at_rest_does_not_keep_the_processor_busy(home):
    with RemoteEngine(options=TINY) as engine:
        engine.infill(SMALL)
        (process,) = engines(home)
        before = sum(process.cpu_times()[:2])
        time.sleep(2)
        assert sum(process.cpu_times()[:2]) - before < 0.1
