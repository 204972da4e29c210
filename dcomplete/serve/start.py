"""Finding the engine process, and starting it where none runs. Exactly one, however many ask."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from dcomplete import __version__
from dcomplete.errors import Reason, Refusal, UserError
from dcomplete.serve import codec
from dcomplete.serve.orders import PROTOCOL, Choice, Ending, Status
from dcomplete.serve.places import Address, Places, private, start_file
from dcomplete.serve.transport import CONNECT_S, open_client

_ANSWER_S = 20.0  # a process that accepts but is importing its libraries answers late
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How a process is started, where one must be. `None` leaves the process's own default."""

    default: Choice = field(default_factory=Choice)
    unload_after: float | None = None
    exit_after: float | None = None
    within_s: float = 60.0  # how long to wait until it answers

    def arguments(self) -> list[str]:
        """The command that a new process runs. ``-P``: the working folder is no place for code."""
        said = [sys.executable, "-P", "-m", "dcomplete", "serve", "--child"]
        values: Sequence[tuple[str, object]] = (
            ("--model", absolute_model(self.default.model)),
            ("--device", self.default.device),
            ("--dtype", self.default.dtype),
            ("--unload-after", self.unload_after),
            ("--exit-after", self.exit_after),
        )
        for name, value in values:
            if value not in (None, ""):
                said += [name, str(value)]
        return said


def absolute_model(name: str) -> str:
    """A model's name as the engine process, which runs in another folder, understands it.

    As `models.store.find` does, which looks there: installed models come before folders.
    """
    try:
        folder = Path(name).expanduser()
        either = folder == Path(folder.name)
        if either and not (name and folder.is_dir()):
            return name
    except (RuntimeError, OSError):  # nobody's home, or no name for a file: the process says so
        return name
    if either:
        from dcomplete.models.store import entries  # only where there is a doubt

        if name in [entry.name for entry in entries()]:
            return name
    return str(folder.absolute())


@dataclass(frozen=True, slots=True)
class _Patience:
    """Until a moment of `time.monotonic()`, or until the caller gives up."""

    deadline: float
    given_up: threading.Event

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def more(self) -> bool:
        if self.given_up.is_set():
            raise Refusal("The client gave up waiting for the engine.", Reason.NO_ENGINE)
        return self.left() > 0


def read_status(places: Places | None = None) -> Status | None:
    """What the running process says; None where none runs."""
    found = _look(places or Places.find())
    return None if found is None else codec.read(Status, found[1], strict=False)


def stop_engine(when_idle: bool = False, within_s: float = 10.0) -> bool:
    """Ask the process to end and wait for it; False where none ran or it did not end in time."""
    places = Places.find()
    found = _look(places)
    return found is not None and _end(places, found[0], when_idle, within_s)


def ensure_engine(
    options: StartOptions | None = None, given_up: threading.Event | None = None
) -> Address:
    """The address of the running process, after starting one if need be. Blocks.

    A process of an older version is asked to end first. `given_up` ends the waiting. Raises Refusal
    (no engine) where none can be started, UserError where the private folder is not private.
    """
    options = options or StartOptions()
    places = Places.find()
    places.secure()
    deadline = time.monotonic() + options.within_s
    lock = FileLock(places.start_lock)
    wait = _Patience(deadline, given_up or threading.Event())
    while wait.more():
        if (address := _usable(places)) is not None:
            return address
        try:
            lock.acquire(timeout=0.2)
        except Timeout:  # another client starts one
            continue
        try:
            return _usable(places) or _start(places, options, wait)
        finally:
            lock.release()
    raise Refusal("Another program has been starting the engine for too long.", Reason.NO_ENGINE)


def _usable(places: Places) -> Address | None:
    found = _look(places)
    return found[0] if found is not None and not _outdated(found[1]) else None


def _look(places: Places) -> tuple[Address, Mapping[str, object]] | None:
    """The address and status of the process that answers, if one does."""
    import httpx

    address = places.address()
    if address is None or not _listens(address) or (places.tcp and not _held(places)):
        return None
    try:
        with open_client(address, _ANSWER_S) as client:
            answer = client.get("/status")
            said = codec.parse(answer.content)
    except (httpx.TransportError, UserError):
        return None
    if answer.status_code != 200 or not isinstance(said, Mapping):
        return None
    return address, said


def _held(places: Places, wait_s: float = 0.0) -> bool:
    """Whether an engine lives, after so many seconds still: it holds the lock until it is gone.

    The port of one that was killed may be anybody's, who must get no code.
    """
    lock = FileLock(places.engine_lock)
    try:
        lock.acquire(timeout=wait_s, poll_interval=_POLL_S)
    except Timeout:
        return True
    lock.release()
    return False


def _listens(address: Address) -> bool:
    """Whether anybody is behind the address; httpcore 1.0 leaks its socket where nobody is."""
    if address.port:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.settimeout(CONNECT_S)
            probe.connect(address.socket)
        except OSError:
            return False
    return True


def _outdated(said: Mapping[str, object]) -> bool:
    """Older than us, of another protocol, or about to end.

    A newer process serves us as well: two versions in use must not replace each other forever.
    """
    ours, theirs = _numbers(__version__), _numbers(str(said.get("version", "")))
    return theirs < ours or said.get("protocol") != PROTOCOL or said.get("ending") is True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _end(places: Places, address: Address, when_idle: bool, within_s: float) -> bool:
    import httpx

    with contextlib.suppress(httpx.TransportError), open_client(address, _ANSWER_S) as client:
        client.post("/stop", content=codec.dump(Ending(when_idle)))
    deadline = time.monotonic() + within_s
    return not _held(places, max(0.0, deadline - time.monotonic()))


def _start(places: Places, options: StartOptions, wait: _Patience) -> Address:
    """With the start lock: end an outdated process, spawn a new one, wait until it answers."""
    found = _look(places)
    if found is not None and not _end(places, found[0], True, wait.left()):
        raise Refusal(
            "An older engine still works; it is replaced when it is done.", Reason.NO_ENGINE
        )
    process = _spawn(options)
    while wait.more():
        ended = process.poll() is not None  # before the look: another may have been first
        if (address := _usable(places)) is not None:
            return address
        if ended:
            break
        time.sleep(_POLL_S)
    raise Refusal(f"The engine did not start: {_last_words()}", Reason.NO_ENGINE)


def _spawn(options: StartOptions) -> "subprocess.Popen[bytes]":
    """A process of its own: it outlives the client, its terminal and its folder."""
    if not sys.executable:
        raise UserError("The engine cannot be started: this program does not know its Python.")
    windows = 0
    if sys.platform == "win32":
        # A console that is not shown: without any, a virtual environment's Python, which starts the
        # real one, would make that one open a window of its own.
        windows = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        with _open_start_file() as out:
            process = subprocess.Popen(
                options.arguments(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=_home(),
                start_new_session=True,
                creationflags=windows,
            )
    except OSError as error:
        raise Refusal(f"The engine did not start: {error.strerror}.", Reason.NO_ENGINE) from None
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()
    return process


def _open_start_file() -> BinaryIO:
    path = start_file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(path, "wb", opener=private)
    return Path(os.devnull).open("wb")


def _home() -> Path:
    with contextlib.suppress(RuntimeError):
        if (home := Path.home()).is_dir():
            return home
    return Path(Path.cwd().anchor)


def _last_words() -> str:
    """The last line that a process said before it ended."""
    try:
        lines = start_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1].removeprefix("dcomplete: ") if lines else f"see {os.fspath(start_file())}."
