"""The guard inside the sandbox: it owns the tests, the nonce and stdout; the program is its child.

Standard library only. It reads the program from stdin and forks; only then it reads the tests and the
nonce, and only then lets the child begin. The child has none of the guard's files. A name in a test
is asked for over a pipe, and what comes back is plain data. So a program cannot pass by leaving
early, by printing, by overriding `==` or by looking the expected values up.

Tests see copies: what a program does to its arguments is not seen, and functions cannot be passed.
"""

import builtins
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from dcomplete_eval.sandbox import candidate
from dcomplete_eval.sandbox.wire import Gone, Link, built, exactly, plain

_PR_SET_DUMPABLE = 4


def main() -> None:
    """Two frames on stdin, the program and the order; one line on stdout, what was found."""
    _hide()
    given = json.loads(_frame())
    (asked, asking), (answers, answering), (printed, printing) = os.pipe(), os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        candidate.become(given, Link(asked, answering), printing)
    for theirs in (asked, answering, printing):
        os.close(theirs)
    link = Link(answers, asking)
    order = json.loads(_frame())
    link.send("go")
    if "test" in order:
        outcome, detail = _run_tests(order["test"], _Names(link, order["own"]), child)
        found = {"outcome": outcome, "detail": detail}
    else:
        found = _wait_for(printed, child, order["output"])
    print(json.dumps({**found, "nonce": order["nonce"]}), flush=True)
    os._exit(0 if found["outcome"] in {"passed", "finished"} else 1)


def _hide() -> None:
    """No process of the same user may look into this one's memory or take its files."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a KeyboardInterrupt could be caught by a test
    sys.set_int_max_str_digits(0)
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
            raise OSError("The guard cannot be hidden.")


def _frame() -> bytes:
    """One frame of stdin, not a byte more: the next one is not the child's to see."""
    return exactly(0, int(exactly(0, 8), 16))


class _Names(dict[str, Any]):
    """A test's globals: what neither it nor Python defines is the program's, and so are `own` names.

    The order says those, not the program: one that brought an `abs` of its own could pass by it.
    """

    def __init__(self, link: Link, own: Sequence[str] = ()) -> None:
        super().__init__({"__name__": "test", "__builtins__": builtins})
        self.link, self.own = link, frozenset(own)
        self.raised: BaseException | None = None  # by the program, not by the test
        self.gone = False  # a test may catch even that

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name) and name not in self.own:
            raise KeyError(name)
        found = self.ask({"name": name})
        self[name] = self._caller(name) if "function" in found else self._value(found)
        return self[name]

    def _caller(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            asked = {"call": name, "given": plain(list(given)), "named": plain(named)}
            return self._value(self.ask(asked))

        return call

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What the program answers. Raises what it raised, or Gone."""
        try:
            self.link.send(asked)
            answer = dict(self.link.receive())
        except Gone:
            self.gone = True
            raise
        if "raised" in answer:
            self.raised = _error(str(answer["raised"]), str(answer.get("text")))
            raise self.raised
        return answer

    def _value(self, answer: dict[str, Any]) -> Any:
        try:
            return built(answer.get("value"))
        except Gone:
            self.gone = True
            raise


def _error(name: str, text: str) -> Exception:
    """A built-in exception by its name, or one that carries the name."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(text)
        except TypeError:
            pass  # wants more than a text, such as UnicodeDecodeError
    return RuntimeError(f"{name}: {text}")


def _run_tests(test: str, names: _Names, child: int) -> tuple[str, str]:
    """Outcome and detail."""
    loaded = False
    try:
        names.ask({"load": True})
        loaded = True
        exec(compile(test, "<test>", "exec"), names)
    except Gone:
        return _ending(child), "in a test" if loaded else "while it was loaded"
    except Exception as error:
        said = f"{type(error).__name__}: {error}".removesuffix(": ")[:300]
        if isinstance(error, MemoryError):
            return "memory", said
        if error is names.raised:
            return "syntax" if isinstance(error, SyntaxError) and not loaded else "error", said
        return "failed", f"{said} {_line(error, test)}".strip()
    return (_ending(child), "in a test") if names.gone else ("passed", "")


def _line(error: BaseException, test: str) -> str:
    """The test's line that failed."""
    number, place = 0, error.__traceback__
    while place:
        if place.tb_frame.f_code.co_filename == "<test>":
            number = place.tb_lineno
        place = place.tb_next
    lines = test.splitlines()
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""


def _ending(child: int) -> str:
    """Why the child answers no more. It may only have closed its end: it is not waited for."""
    for _ in range(20):
        pid, status, used = os.wait4(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return "timeout" if _too_long(code, used) else "exited" if code >= 0 else "crashed"
        time.sleep(0.01)
    return "silent"


def _too_long(code: int, used: resource.struct_rusage) -> bool:
    """Whether a process ended by the limit of its processor time: the soft one, or the hard one."""
    spent = used.ru_utime + used.ru_stime
    most = resource.getrlimit(resource.RLIMIT_CPU)[0]
    return code == -signal.SIGXCPU or (code == -signal.SIGKILL and spent >= most > 0)


def _wait_for(reader: int, child: int, most: int) -> dict[str, str]:
    """Wait for a program that is judged by what it prints."""
    printed = b""
    while len(printed) <= most and (part := os.read(reader, 1 << 16)):
        printed += part
    text = printed[:most].decode("utf-8", "replace")
    if len(printed) > most:
        return {"outcome": "output", "detail": f"more than {most} bytes printed", "output": text}
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    outcome = "timeout" if _too_long(code, used) else "error" if code else "finished"
    return {"outcome": outcome, "detail": f"exit status {code}" if code else "", "output": text}
