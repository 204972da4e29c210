"""Hostile programs are contained and never pass; time that a program only waited is not held against it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dcomplete_eval.sandbox import Limits, isolation, running, waiting
from tests.eval import hostile
from tests.eval.conftest import needs_sandbox

pytestmark = pytest.mark.long  # programs that are stopped when their time is up
ROOT = Path(__file__).parents[2]
OTHER = 12345  # an ordinary user's number


# ---- hostile programs ----


@pytest.fixture(scope="module", params=["this user", "an ordinary user"])
def battle(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What became of all attacks, run once for each kind of user in a process of their own."""
    if request.param == "this user":
        python, user = sys.executable, []
    elif os.geteuid() == 0:
        python = isolation.find_python()
        user = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    else:
        pytest.skip("this user is an ordinary one")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o777)  # the secret is for everybody to read, outside
        (folder / "secret.txt").write_text("secret", encoding="utf-8", newline="\n")
        code = _copy(folder / "code")
        done = subprocess.run(
            [*user, python, "-B", str(code / "hostile.py"), str(folder)],
            env={"PYTHONPATH": str(code), "PATH": os.environ["PATH"], "HOME": str(folder)},
            capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)


def _copy(place: Path) -> Path:
    """What the harness needs, where every user can read it: a checkout may be in root's home."""
    place.mkdir()
    shutil.copytree(ROOT / "eval/dcomplete_eval/sandbox", place / "dcomplete_eval/sandbox")
    for name in ("__init__.py", "errors.py", "types.py"):
        target = place / "dcomplete" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dcomplete" / name, target)
    shutil.copy(Path(hostile.__file__), place)
    for path in place.rglob("*"):
        path.chmod(0o755)
    return place


@needs_sandbox
@pytest.mark.parametrize("name", hostile.ATTACKS)
def test_hostile_programs_never_pass(battle, name):
    ran = battle["ran"][name]
    assert ran["outcome"] != "passed"
    assert ran["outcome"] in hostile.ATTACKS[name].outcomes, ran
    assert ran["seconds"] <= hostile.LIMITS.wall + 5


@needs_sandbox
def test_hostile_programs_change_nothing(battle):
    assert battle["secret"] == "secret"
    assert not battle["canary"]
    assert battle["called"] == 0
    assert "secret" not in json.dumps([ran["detail"] for ran in battle["ran"].values()]).replace(
        "secret.txt", ""
    )


@needs_sandbox
def test_an_honest_program_passes_the_same_test(box):
    ran = box.test("def answer(n):\n    return 2 * n + 2\n", hostile.TEST, hostile.LIMITS)
    assert ran.passed and (ran.outcome, ran.detail) == ("passed", "")


@needs_sandbox
@pytest.mark.parametrize(
    "name", ["takes its parent's files", "traces its parent", "reads its parent's memory"]
)
def test_the_guard_is_hidden_even_without_seccomp(name):
    """Two walls: each has to hold alone."""
    reads = hostile.call(
        "import ctypes\n"
        "class Part(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
        "into = ctypes.create_string_buffer(8)\n"
        "ours, its = Part(ctypes.addressof(into), 8), Part(id(Part), 8)\n"
        "libc = ctypes.CDLL(None)\n"
        "assert libc.process_vm_readv(1, ctypes.byref(ours), 1, ctypes.byref(its), 1, 0) == 8, 'no'"
    )
    attack = hostile.ATTACKS.get(name, reads)
    box = running.shut_in(isolation.find_tools(), b"")
    ran = box.test(attack.program, hostile.TEST, hostile.LIMITS)
    assert ran.outcome == "error" and ran.detail.startswith("AssertionError: "), ran
    own = attack.program.replace("(1, ", "(__import__('os').getpid(), ").replace("1, 0)", "1, 0)")
    if name.startswith("reads"):  # the attack itself is sound: its own memory it can read
        assert box.test(own, "answer(0)", hostile.LIMITS).passed


@needs_sandbox
def test_all_processes_end_with_the_harness():
    program = "import time\ntime.sleep(60)"
    script = f"from dcomplete_eval.sandbox import choose\nchoose().run({program!r})"
    harness = subprocess.Popen([sys.executable, "-c", script])
    try:
        started = _with_program(harness.pid)
    finally:
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait()
    gone, alive = psutil.wait_procs(started, timeout=10)
    assert len(gone) >= 2 and not alive


def _with_program(harness: int) -> list[psutil.Process]:
    """All that a harness started, once the program runs in its sandbox."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.Error):
            started = psutil.Process(harness).children(recursive=True)
            if any(p.cmdline()[-1:] == ["program.py"] for p in started):
                return started
        time.sleep(0.02)
    raise AssertionError("the program never started")


# ---- time ----


@needs_sandbox
def test_a_machine_that_stands_still_fails_nobody():
    """Harness and sandbox are stopped together for longer than the limit, as swapping does."""
    script = (
        "from dcomplete_eval.sandbox import Limits, choose\n"
        "print(choose().run('import time\\ntime.sleep(1)', limits=Limits(wall=2.0)).outcome)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, text=True) as harness:
        inside = _with_program(harness.pid)
        outside = psutil.Process(harness.pid)
        for process in (outside, *inside):
            process.suspend()
        time.sleep(3)
        for process in (*inside, outside):
            process.resume()
        assert harness.communicate(timeout=60)[0] == "finished\n"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not say")
def test_waiting_for_a_processor_is_seen_and_sleeping_is_not():
    place = str(min(os.sched_getaffinity(0)))
    spin = ["taskset", "-c", place, sys.executable, "-S", "-c", "while True: pass"]
    busy = [subprocess.Popen(spin) for _ in range(3)]
    idle = subprocess.Popen(["sleep", "60"])
    try:
        deadline = time.monotonic() + 30
        while waiting.queued(busy[0].pid) < 0.5:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert waiting.queued(idle.pid) < waiting.queued(busy[0].pid)
    finally:
        for process in (*busy, idle):
            process.kill()
            process.wait()
    assert waiting.queued(idle.pid) == 0.0  # it is gone
    crowd = subprocess.Popen(["sh", "-c", "sleep 9 & sleep 9 & sleep 9 & echo & wait"], stdout=-1)
    with crowd:
        assert crowd.stdout and crowd.stdout.readline()
        assert waiting.queued(crowd.pid) == 0.0
        for one in psutil.Process(crowd.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # echo's, if it was not yet buried
                one.kill()


@needs_sandbox
def test_queueing_extends_the_limit_but_not_for_ever(box, monkeypatch):
    short, long = "import time\ntime.sleep(1)", "import time\ntime.sleep(60)"
    limits = Limits(wall=0.25)
    assert box.run(long, limits=limits).outcome == "timeout"
    monkeypatch.setattr(waiting, "queued", lambda _: 60.0)
    assert box.run(short, limits=limits).outcome == "finished"
    ran = box.run(long, limits=limits)
    assert ran.outcome == "timeout" and 2.5 <= ran.seconds < 20


@needs_sandbox
def test_a_guard_that_was_killed_is_asked_again_once(box, monkeypatch):
    found = [
        running.Ran("killed"),
        running.Ran("passed"),
        running.Ran("killed"),
        running.Ran("killed"),
    ]
    monkeypatch.setattr(type(box), "_once", lambda *_: found.pop(0))
    assert box.test("", "").outcome == "passed"
    assert box.test("", "").outcome == "killed" and not found
