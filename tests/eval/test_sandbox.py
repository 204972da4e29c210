"""The sandbox: honest programs are judged rightly, hostile ones are contained and never pass."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.errors import UserError
from dcomplete_eval import sandbox
from dcomplete_eval.sandbox import Limits, isolation, running, seccomp, waiting, wire

sys.path.insert(0, str(Path(__file__).parent))
import hostile

ROOT = Path(__file__).parents[2]
OTHER = 12345  # an ordinary user's number
needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


@pytest.fixture(scope="module")
def box() -> sandbox.Sandbox:
    return sandbox.choose()


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
        (folder / "secret.txt").write_text("secret")
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
        "print(choose().run('import time\\ntime.sleep(2)', limits=Limits(wall=3.0)).outcome)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, text=True) as harness:
        inside = _with_program(harness.pid)
        outside = psutil.Process(harness.pid)
        for process in (outside, *inside):
            process.suspend()
        time.sleep(5)
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
            one.kill()


@needs_sandbox
def test_queueing_extends_the_limit_but_not_for_ever(box, monkeypatch):
    program, limits = "import time\ntime.sleep(2)", Limits(wall=0.5)
    assert box.run(program, limits=limits).outcome == "timeout"
    monkeypatch.setattr(waiting, "queued", lambda _: 60.0)
    assert box.run(program, limits=limits).outcome == "finished"
    ran = box.run("import time\ntime.sleep(60)", limits=limits)
    assert ran.outcome == "timeout" and 5 <= ran.seconds < 20


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


# ---- honest programs ----


@needs_sandbox
@pytest.mark.parametrize(
    ("program", "test", "outcome"),
    [
        ("def f(x): return x", "assert f(1) == 1", "passed"),
        ("def f(x): return x", "assert f(1) == 2", "failed"),
        ("def f(x): return None", "assert abs(f(1) - 2) < 1", "failed"),
        ("def f(x): return 1 / x", "f(0)", "error"),
        ("def f(x): return 1 / x", "try: f(0)\nexcept ZeroDivisionError: pass", "passed"),
        ("def f(x): return x", "assert g(1)", "error"),
        ("def f(x) return x", "assert f(1) == 1", "syntax"),
        ("def f(x):\n    return eval('(')", "f(1)", "error"),
        ("import nothing_like_it", "pass", "error"),
        ("def f(x): return x\nif __name__ == '__main__': 1 / 0", "assert f(1) == 1", "passed"),
        ("LIMIT = 3\ndef f(x): return x", "assert f(LIMIT) == LIMIT", "passed"),
        ("def f(x): return (i for i in x)", "assert tuple(f([1, 2])) == (1, 2)", "passed"),
        ("def f(x): return map(str, x)", "assert f([1]) == ['1']", "failed"),
        ("def f(x): return {}.keys()", "assert list(f(1)) == []", "passed"),
        ("def f(**named): return named", "assert f(a=1, b=(2,)) == {'a': 1, 'b': (2,)}", "passed"),
        ("def f(x): return input()", "f(1)", "error"),
        ("def f(x): print('x' * 10 ** 7); return x", "assert f(1) == 1", "passed"),
        ("def f(x): return '\\ud800' + x", "assert f('\u00e9') == '\\ud800\u00e9'", "passed"),
        (
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
            "def f(x): return A(x).x",
            "assert f(3) == 3",
            "passed",
        ),
        ("def f(x): return x", "def check(g):\n    assert g(2) == 2\ncheck(f)", "passed"),
        ("def f(x): return x", "f(print)", "failed"),
        ("import os\ndef f(): os._exit(0)", "try: f()\nexcept: pass", "exited"),
        (
            'import os\nbad = b\'{"value": {"?": 1}}\'\n'
            "def f(): os.write(4, len(bad).to_bytes(8, 'big') + bad)",
            "try: f()\nexcept: pass",
            "silent",
        ),
    ],
)
def test_honest_programs(box, program, test, outcome):
    assert box.test(program, test).outcome == outcome


@needs_sandbox
def test_what_failed_is_said(box):
    ran = box.test("def f(x): return x", "\n\nassert f(1) == 1\nassert f(2) == 1\n")
    assert (ran.outcome, ran.detail) == ("failed", "AssertionError assert f(2) == 1")
    assert "division by zero" in box.test("def f(): return 1 / 0", "f()").detail


@needs_sandbox
def test_whole_programs_are_judged_by_what_they_print(box):
    assert box.run("print(input() * 2)", "ab\n").output == "abab\n"
    ran = box.run("import sys\nprint('x')\nsys.exit(3)")
    assert (ran.outcome, ran.output, ran.detail) == ("error", "x\n", "exit status 3")
    assert box.run("import sys\nprint(len(sys.stdin.read()))", "y" * 300_000).output == "300000\n"
    flood = box.run("while True: print('x' * 1000)")
    assert flood.outcome == "output" and len(flood.output) == Limits().output
    assert box.run("while True: pass", limits=hostile.LIMITS).outcome == "timeout"
    with pytest.raises(UserError, match="does not fit"):
        box.run("", "x" * (5 << 20))


@needs_sandbox
def test_what_there_is_inside(box):
    look = "import os\ndef f(path): return sorted(os.listdir(path))\ndef env(): return dict(os.environ)"
    tests = [
        "assert f('/tmp') == [] and f('/dev') == ['null', 'random', 'urandom', 'zero']",
        "assert set(f('/')) <= {'bin', 'dev', 'etc', 'lib', 'lib32', 'lib64', 'tmp', 'usr'}",
        "assert set(f('/etc')) <= {'ld.so.cache'}",
        "assert set(env()) <= {'HOME', 'LANG', 'PATH', 'PWD', 'PYTHONHASHSEED', 'LC_CTYPE'}, env()",
    ]
    for test in tests:
        assert box.test(look, test).passed, test


@needs_sandbox
def test_a_set_has_the_same_order_each_time(box):
    program = "print(list({'apple', 'pear', 'plum', 'fig', 'nut'}))"
    assert len({box.run(program).output for _ in range(4)}) == 1


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.complex_numbers(allow_nan=False) | st.decimals(allow_nan=False)
    | st.fractions() | st.builds(range, st.integers(-9, 9), st.integers(-9, 9)),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner)
    | st.dictionaries(st.tuples(st.integers(), st.text()), inner),
    max_leaves=10,
)  # fmt: skip


@given(plain_values)
@settings(max_examples=50, deadline=None)
def test_plain_data_travel_unchanged(value):
    there = json.loads(json.dumps(wire.plain(value)))
    assert wire.built(there) == value and repr(wire.built(there)) == repr(value)


@pytest.mark.parametrize(
    "value", [{1, "a"}, frozenset({(1, 2)}), set(), deque([1, {2}]), bytearray(b"\0a"), [{3: {4}}]]
)
def test_unordered_data_travel_too(value):
    back = wire.built(json.loads(json.dumps(wire.plain(value))))
    assert back == value and type(back) is type(value)


@given(st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*wire._BUILD, "x"]), inner),
))  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_what_is_built_is_plain_or_refused(data):
    kinds = (type(None), bool, int, float, str, list, dict, tuple, set, frozenset, complex, bytes)
    try:
        value = wire.built(data)
    except (wire.Gone, MemoryError):
        return
    assert isinstance(value, kinds) or type(value).__module__ in {
        "builtins", "collections", "decimal", "fractions"
    }  # fmt: skip


# ---- opening it ----


@pytest.mark.parametrize("word", ["bwrap", "apt install bubblewrap util-linux", "--unsafe"])
def test_refuses_without_the_tools(monkeypatch, tmp_path, word):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=word):
        sandbox.choose()


def test_refuses_where_bubblewrap_may_not(monkeypatch, tmp_path):
    """As in a container without user namespaces."""
    fake = tmp_path / "bwrap"
    fake.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo bubblewrap 0.9.0 && exit\n"
        "echo 'bwrap: No permissions to create a new namespace' >&2; exit 1\n"
    )
    _let_all_read(fake)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(UserError, match=r"cannot be made here .*No permissions"):
        sandbox.choose()


def _let_all_read(path: Path) -> None:
    """pytest's folders are for one user alone, but root's programs run as another."""
    for part in (path, *path.parents):
        if part.owner() == Path.home().owner() and part != part.parent and part.parts[1] == "tmp":
            part.chmod(0o755)


def test_unsafe_is_for_where_there_is_no_sandbox(monkeypatch, tmp_path):
    """Harmless programs only: here they are loose."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(running, "_in_use", [])
    loose = sandbox.choose(unsafe=True)
    assert loose.mode == "none" and sandbox.chosen() is loose
    assert loose.test("def f(x): return x", "assert f(1) == 1").passed
    assert loose.test("def f(x): return x", "assert f(1) == 2").outcome == "failed"
    assert loose.run("print(1)").output == "1\n"


@needs_sandbox
def test_unsafe_prefers_the_sandbox(monkeypatch):
    monkeypatch.setattr(running, "_in_use", [])
    assert sandbox.choose(unsafe=True).mode.startswith("bubblewrap")
    assert sandbox.chosen() is sandbox.chosen()


def test_seccomp_knows_both_machines_and_no_other():
    sizes = {len(seccomp.program(name)) for name in ("x86_64", "aarch64")}
    assert len(sizes) == 1 and sizes.pop() % 8 == 0
    assert seccomp.program("riscv64") == b""
