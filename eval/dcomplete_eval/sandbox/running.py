"""Starts programs in the sandbox, waits no longer than allowed, and believes only the nonce."""

import contextlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import IO, Any

from dcomplete.errors import UserError
from dcomplete_eval.sandbox import isolation, seccomp, waiting
from dcomplete_eval.sandbox.isolation import Limits, Tools

_INSIDE = ("wire", "candidate", "guard")
_ROOM = "dcomplete_eval.sandbox"
_BOOT = """import sys, types
for name in ("dcomplete_eval", {room!r}):
    sys.modules[name] = types.ModuleType(name)
for name, text in {parts!r}:
    module = sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules[{room!r}], name.rpartition(".")[2], module)
    exec(compile(text, name, "exec"), module.__dict__)
module.main()
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program.

    `outcome`: passed (or finished, where only its output counts); failed (a test), error (an exception),
    syntax, exited (before the tests were through), timeout, memory, output (too much of it), crashed,
    silent (it answers no more), killed (the guard with it).
    """

    outcome: str
    detail: str = ""  # one line
    output: str = ""  # of a whole program
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"


Opening = Callable[[Limits], AbstractContextManager[dict[str, Any]]]  # arguments of Popen


class Sandbox:
    """A way to run programs. Used from several threads."""

    def __init__(self, mode: str, opening: Opening) -> None:
        self.mode = mode  # for reports
        self._opening = opening

    def test(
        self, program: str, test: str, limits: Limits | None = None, own: Sequence[str] = ()
    ) -> Ran:
        """Load `program`, then run `test`, whose unknown names are the program's, outside its reach.

        `own` are names that are the program's though Python has them too, such as a function `sum`.
        """
        given = {"program": program, "stdin": None}
        return self._run(given, {"test": test, "own": list(own)}, limits or Limits())

    def run(self, program: str, stdin: str = "", limits: Limits | None = None) -> Ran:
        """Run a whole Python program; the outcome is finished, and output is what it printed."""
        limits = limits or Limits()
        if len(stdin) > limits.file:
            raise UserError(
                f"Input of more than {limits.file} bytes does not fit into the sandbox."
            )
        given = {"program": program, "stdin": stdin}
        return self._run(given, {"output": limits.output}, limits)

    def _run(self, given: Mapping[str, Any], order: Mapping[str, Any], limits: Limits) -> Ran:
        """A guard that was killed is asked again, once: a program cannot reach it, but want can."""
        ran = self._once(given, order, limits)
        return self._once(given, order, limits) if ran.outcome == "killed" else ran

    def _once(self, given: Mapping[str, Any], order: Mapping[str, Any], limits: Limits) -> Ran:
        nonce = secrets.token_hex(16)
        data = _frame(given) + _frame({**order, "nonce": nonce})
        start = time.monotonic()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            self._opening(limits) as arguments,
            _started(arguments, out, err) as process,
        ):
            ended = waiting.ends(process, data, limits.wall)
            seconds = time.monotonic() - start
            if not ended:
                return Ran("timeout", f"{limits.wall:g} s passed", seconds=seconds)
            return _judged(process.returncode, _read(out), _read(err), nonce, seconds)


def _frame(content: Mapping[str, Any]) -> bytes:
    data = json.dumps(content).encode()
    return b"%08x" % len(data) + data


@contextmanager
def _started(
    arguments: dict[str, Any], out: IO[bytes], err: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has ended, with all that it started, when the block is left."""
    process = subprocess.Popen(
        stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True, **arguments
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(8 << 20).decode("utf-8", "replace")


def _judged(status: int, out: str, err: str, nonce: str, seconds: float) -> Ran:
    """Only a line with the nonce is believed, and only with the status that belongs to it."""
    try:
        found = json.loads(out)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not hmac.compare_digest(str(found.get("nonce")), nonce):
        said = (err.strip().splitlines() or [f"exit status {status}"])[-1]
        if said.startswith(("bwrap:", "setpriv:", "prlimit:")):
            raise UserError(isolation.INSTALL.format(what=f"it cannot be made here ({said})"))
        return Ran("killed", said[:300], seconds=seconds)
    outcome = str(found["outcome"])
    if (status == 0) != (outcome in {"passed", "finished"}):
        return Ran("killed", f"{outcome}, but exit status {status}", seconds=seconds)
    return Ran(outcome, str(found["detail"]), str(found.get("output", "")), seconds)


@cache
def _guard() -> str:
    """The program that runs inside, as one text: the harness's files are not to be seen there."""
    inside = files(_ROOM)
    parts = [
        (f"{_ROOM}.{name}", inside.joinpath(f"{name}.py").read_text(encoding="utf-8"))
        for name in _INSIDE
    ]
    return _BOOT.format(parts=parts, room=_ROOM)


def _command(tools: Tools) -> list[str]:
    return [tools.python, "-s", "-S", "-B", "-P", "-c", _guard()]


def shut_in(tools: Tools, rules: bytes) -> Sandbox:
    """Behind all walls; `rules` is the seccomp filter, b"" for none."""

    @contextmanager
    def opening(limits: Limits) -> Iterator[dict[str, Any]]:
        if not rules:
            yield {"args": isolation.shut_in(tools, limits, None) + _command(tools)}
            return
        reader, writer = os.pipe()
        try:
            os.write(writer, rules)
            os.close(writer)
            words = isolation.shut_in(tools, limits, reader)
            yield {"args": words + _command(tools), "pass_fds": (reader,)}
        finally:
            os.close(reader)

    return Sandbox(isolation.describe(tools, bool(rules)), opening)


def let_loose(tools: Tools) -> Sandbox:
    """A plain process with limits, in a folder of its own: nothing to trust a model with."""

    @contextmanager
    def opening(limits: Limits) -> Iterator[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)  # noqa: PTH101 - the plain user's
            words = isolation.let_loose(tools, limits)
            yield {
                "args": words + _command(tools),
                "cwd": folder,
                "env": isolation.environment() | {"HOME": folder},
            }

    return Sandbox("none", opening)


def _open(unsafe: bool) -> Sandbox:
    if sys.platform == "win32":
        raise UserError(isolation.WINDOWS)
    try:
        return _tried(shut_in(isolation.find_tools(), seccomp.program()))
    except UserError:
        if not unsafe:
            raise
    return let_loose(isolation.find_some_tools())


def _tried(sandbox: Sandbox) -> Sandbox:
    ran = sandbox.test("def f(x):\n    return x + 1\n", "assert f(1) == 2")
    if not ran.passed:
        raise UserError(isolation.INSTALL.format(what=f"it does not work here ({ran.detail})"))
    return sandbox


_lock = threading.Lock()
_in_use: list[Sandbox] = []


def choose(*, unsafe: bool = False) -> Sandbox:
    """Open the sandbox that this process judges with.

    Raises UserError where there is none, unless `unsafe`, which is for the user to say: then, and
    only where there is none, programs run as a plain process with limits.
    """
    with _lock:
        _in_use[:] = [_open(unsafe)]
        return _in_use[0]


def chosen() -> Sandbox:
    """The sandbox of this process, opened safely at first use. Raises UserError where it cannot be."""
    with _lock:
        if not _in_use:
            _in_use.append(_open(unsafe=False))
        return _in_use[0]
