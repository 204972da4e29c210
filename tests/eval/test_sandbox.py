"""The sandbox opens only where it holds, judges honest programs rightly, and hands data over unchanged."""

import json
import os
import sys
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.errors import UserError
from dcomplete_eval import sandbox
from dcomplete_eval.sandbox import Limits, isolation, running, seccomp, wire
from tests.eval import hostile
from tests.eval.conftest import needs_sandbox

# ---- honest programs ----


@needs_sandbox
def test_a_name_that_python_has_too_is_the_programs_only_where_it_is_said(box):
    program, test = "def max(a, b):\n    return 7\n", "assert max(1, 2) == 7"
    assert box.test(program, test, own=["max"]).outcome == "passed"
    assert box.test(program, test).outcome == "failed", "no program passes by an `abs` of its own"
    assert box.test("def f(): return 1", "assert max(f(), 2) == 2", own=["max"]).outcome == "error"


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


elsewhere_than_windows = pytest.mark.skipif(
    sys.platform == "win32", reason="neither a sandbox nor judging without one"
)


@elsewhere_than_windows
@pytest.mark.parametrize("word", ["bwrap", "apt install bubblewrap util-linux", "--unsafe"])
def test_refuses_without_the_tools(monkeypatch, tmp_path, word):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=word):
        sandbox.choose()


def test_refuses_in_a_sentence_of_its_own_where_there_is_no_linux(monkeypatch):
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    with pytest.raises(UserError, match="which needs Linux: run this on a Linux machine"):
        isolation.find_tools()


@pytest.mark.parametrize("unsafe", [False, True])
def test_one_sentence_says_that_judging_needs_linux(monkeypatch, unsafe):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UserError, match=r"Windows does not have.* on Linux"):
        sandbox.choose(unsafe=unsafe)


@elsewhere_than_windows
def test_refuses_where_bubblewrap_may_not(monkeypatch, tmp_path):
    """As in a container without user namespaces."""
    fake = tmp_path / "bwrap"
    fake.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo bubblewrap 0.9.0 && exit\n"
        "echo 'bwrap: No permissions to create a new namespace' >&2; exit 1\n",
        encoding="utf-8",
        newline="\n",
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


@elsewhere_than_windows
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
