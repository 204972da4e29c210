"""The process's insides in a thread: one at a time, ends by itself, leaves nothing behind."""

import errno
import os
import socket
import stat
import threading
import time
from functools import partial

import pytest
from filelock import FileLock

from dcomplete.errors import UserError
from dcomplete.serve.limits import Limits
from dcomplete.serve.orders import Choice
from dcomplete.serve.places import Places
from dcomplete.serve.process import EngineProcess, Options
from dcomplete.serve.remote import RemoteEngine
from dcomplete.serve.start import StartOptions, read_status, stop_engine
from dcomplete.types import InfillRequest
from tests.serve.conftest import FakeLoader, until
from tests.systems import MODES, UNIX_SOCKETS


def left(folder) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"engine.lock", "start.lock"}


def test_a_second_process_is_refused_with_one_sentence(serve):
    serve()
    with pytest.raises(UserError, match="runs already"):
        EngineProcess(Options(), FakeLoader()).run()
    assert read_status() is not None


def test_it_ends_when_nobody_asks_and_leaves_nothing(serve):
    served = serve(exit_after=0.3)
    served.thread.join(10)
    assert served.results == [True] and left(served.folder / "run") == set()


# httpcore leaves its socket to the garbage collector where a process ends between two of its calls.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_looking_at_the_status_does_not_keep_it_alive(serve):
    served = serve(exit_after=0.5)
    until(lambda: read_status() is None)
    served.thread.join(10)
    assert served.results == [True]


def test_weights_go_before_the_process_does(serve):
    served = serve(unload_after=0.1)
    with RemoteEngine() as engine:
        engine.infill(InfillRequest("x"))
        until(lambda: read_status().state == "idle")
        engine.infill(InfillRequest("x"))
    assert served.loader.loads == ["fake", "fake"]


@pytest.mark.parametrize("seconds", [float("inf"), 1e12])
def test_weights_may_stay_for_good(serve, monkeypatch, seconds):
    """A thread waits no longer than the system can count."""
    monkeypatch.setattr("dcomplete.serve.process.Limits", partial(Limits, rest_after=0.05))
    serve(unload_after=seconds)
    with RemoteEngine() as engine:
        engine.infill(InfillRequest("x"))
        time.sleep(0.3)  # the pause in which memory is given back is over
        assert engine.infill(InfillRequest("x")).best.texts == ("x!",)


@UNIX_SOCKETS
def test_a_socket_left_by_a_killed_process_is_replaced(own_places, serve):
    Places.find().secure()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(Places.find().socket))
    assert read_status() is None
    serve()
    assert read_status() is not None


@UNIX_SOCKETS
def test_the_entrance_of_another_process_is_left_alone(serve):
    """Where the folder was taken away and made anew while this one ran, as at the end of a session."""
    serve(exit_after=0.5)
    places = Places.find()
    places.socket.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(places.socket))
        lock = FileLock(places.engine_lock)
        lock.acquire(timeout=10)  # the first one has ended
        lock.release()
        assert places.socket.exists()


@UNIX_SOCKETS
def test_a_folder_that_cannot_hold_a_socket_is_refused(own_places, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")  # as network disks do

    monkeypatch.setattr("socket.socket.bind", refuse, raising=False)
    with pytest.raises(
        UserError, match=r"No socket can be made in .*run \(Operation not supp.*=tcp"
    ):
        EngineProcess(Options(), FakeLoader()).run()


@UNIX_SOCKETS
def test_the_socket_is_its_users_alone(serve):
    served = serve()
    sock = Places.find().socket
    assert stat.S_IMODE(sock.stat().st_mode) == 0o600
    assert stat.S_IMODE((served.folder / "run").stat().st_mode) == 0o700


@MODES
def test_the_log_is_its_users_alone_and_the_process_keeps_its_umask(own_places, serve):
    def umask() -> int:
        """It can only be read by setting another."""
        os.umask(found := os.umask(0o022))
        return found

    before = umask()
    serve()
    assert umask() == before, "other threads of this process make files too"
    assert stat.S_IMODE((own_places / "log" / "engine.log").stat().st_mode) == 0o600


@MODES
def test_a_folder_that_is_open_to_others_is_refused(own_places):
    (own_places / "run").mkdir()
    (own_places / "run").chmod(0o755)
    with pytest.raises(UserError, match="open to other users"):
        EngineProcess(Options(), FakeLoader()).run()


def test_preloading_loads_the_model_at_once(serve):
    served = serve(preload=True, default=Choice("m"))
    until(lambda: served.loader.loads)


def test_the_status_line_is_shown(own_places):
    seen = []
    process = EngineProcess(Options(exit_after=0.2), FakeLoader(), seen.append)
    thread = threading.Thread(target=process.run)
    thread.start()
    thread.join(10)
    assert seen and seen[0].state == "idle" and seen[0].pid == os.getpid()


def test_stopping_nothing_is_no_error(own_places):
    assert stop_engine() is False


def test_what_is_started_gets_the_options_that_were_given():
    plain = StartOptions().arguments()
    assert plain[1:6] == ["-P", "-m", "dcomplete", "serve", "--child"]
    given = StartOptions(Choice("m", "cpu", "int8"), 5, 6.5).arguments()
    assert given[6:] == [
        "--model", "m", "--device", "cpu", "--dtype", "int8", "--unload-after", "5",
        "--exit-after", "6.5",
    ]  # fmt: skip


def test_a_process_whose_worker_breaks_in_a_pause_ends_and_the_next_one_answers(serve, monkeypatch):
    monkeypatch.setattr("dcomplete.serve.process.Limits", partial(Limits, rest_after=0.2))
    served = serve()
    with RemoteEngine() as engine:
        engine.infill(InfillRequest("x"))
        with monkeypatch.context() as patch:
            patch.setattr("dcomplete.serve.pool.release_memory", lambda: 1 / 0)
            served.thread.join(10)
        assert served.results == [True] and read_status() is None
        assert "ended by ZeroDivisionError" in served.log
        serve()
        assert engine.infill(InfillRequest("y")).best.texts == ("y!",)
