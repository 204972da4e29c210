"""SAFIM: the published cuts, what is the same call, and programs judged by what they print."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.benchmarks import BENCHMARKS, safim
from dcomplete_eval.benchmarks.outputs import same_output
from dcomplete_eval.benchmarks.safim_rules import block, call, control, same_call
from dcomplete_eval.types import Task

PYTHON = {
    "task_id": "block_completion_000001", "lang": "python",
    "prompt": '"""\nDescription: Add.\n"""\nn = int(input())\nt = 0\nfor i in range(n):\n    '
    "# TODO: Your code here\nprint(t)\n",
    "eval_prompt": "n = int(input())\nt = 0\nfor i in range(n):\n    {{completion}}\nprint(t)\n",
    "ground_truth": "a = int(input())\n    t += a",
    "unit_tests": json.dumps([
        {"input": "2\n3\n4\n", "output": ["7"], "result": None, "exec_outcome": None},
        {"input": "1\r\n-5\r\n", "output": ["-5.0", "-5"]},
    ]),
}  # fmt: skip
JAVA = {
    "task_id": "block_completion_000002", "lang": "java",
    "prompt": "class A { void f() { if (x) { /* TODO: Your code here */ } g(); } }",
    "eval_prompt": "class A { void f() { if (x) { {{completion}} } g(); } }",
    "ground_truth": "h();", "unit_tests": json.dumps([{"input": "", "output": [""]}]),
}  # fmt: skip
API = {
    "task_id": "api_1", "lang": "python", "prompt": "import numpy as np\na = # TODO: Your code here\n",
    "eval_prompt": "import numpy as np\na = {{completion}}\n", "ground_truth": "np.ones((n, n))",
    "unit_tests": "[]",
}  # fmt: skip


def tasks(tmp_path: Path, name: str, rows: list[dict]) -> tuple:
    file = {"safim-block": "block_completion", "safim-block-v2": "block_completion_v2",
            "safim-control": "control_completion", "safim-api": "api_completion"}[name]  # fmt: skip
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "safim").mkdir(exist_ok=True)
    (tmp_path / "safim" / f"{file}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    benchmark = BENCHMARKS.get(name)
    return benchmark, benchmark.tasks(tmp_path)


def gap(before: str, behind: str, language: str = "python") -> Task:
    return Task("t", "safim", "t", before, behind, "", language,
                extra={"before": before, "behind": behind})  # fmt: skip


def test_the_gap_is_where_the_placeholder_was(tmp_path):
    _, (task, java) = tasks(tmp_path, "safim-block", [PYTHON, JAVA])
    assert task.prefix.endswith("for i in range(n):\n    ")
    assert task.suffix == "\nprint(t)\n"
    assert (task.language, task.kind, java.language) == ("python", "block", "java")
    assert (bool(task.test), bool(java.test)) == (True, False)  # what is run


def test_python_is_run(sandbox, tmp_path):
    benchmark, (task, _) = tasks(tmp_path, "safim-block", [PYTHON, JAVA])
    for text, passed, outcome in (
        (task.gold, True, "passed"),
        ("t += int(input())", True, "passed"),
        ("t += int(input())\nprint(t)", True, "passed"),  # the cut takes the second line off
        ("t -= int(input())", False, "failed"),
        ("", False, "error"),
        ("raise SystemExit(1)", False, "error"),
        ("t += int(input())\n    raise SystemExit(0)", False, "failed"),
    ):
        verdict = benchmark.judge(task, text)
        assert (verdict.passed, verdict.outcome) == (passed, outcome), text
        assert verdict.exact is (text == task.gold)


def test_an_endless_answer_is_stopped(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(safim, "LIMITS", replace(safim.LIMITS, processor=1))
    benchmark, (task,) = tasks(tmp_path, "safim-block", [PYTHON])
    verdict = benchmark.judge(task, "while True: pass")
    assert (verdict.passed, verdict.outcome) == (False, "timeout")


def test_other_languages_are_compared_only(tmp_path):
    benchmark, (task,) = tasks(tmp_path, "safim-block", [JAVA])
    assert benchmark.judge(task, "h();").exact
    assert benchmark.judge(task, "h();").passed is None
    assert not benchmark.judge(task, "").exact


def test_calls_are_compared_by_their_arguments(tmp_path):
    benchmark, (task,) = tasks(tmp_path, "safim-api", [API])
    for text in ("np.ones((n, n))", "np.ones((n,n))", "np.ones( (n, n) )\nb = 2"):
        verdict = benchmark.judge(task, text)
        assert (verdict.exact, verdict.passed) == (True, None)
    assert not benchmark.judge(task, "np.ones((n, m))").exact
    assert not benchmark.judge(task, "").exact


@pytest.mark.parametrize(
    ("text", "gold", "language", "same"),
    [
        ("f(a, b=1, c=2)", "f(a, c=2, b=1)", "python", True),
        ("g(a)", "f(a)", "python", True),  # as published
        ("f(a, b)", "f(b, a)", "python", False),
        ("f(a", "f(a", "python", True),
        ("f (a , b)", "f(a,b)", "java", True),
        ("f(b=1, a=2)", "f(a=2, b=1)", "java", False),
        ("", "f()", "python", False),
        ("a.b", "a.b", "python", True),
    ],
)
def test_the_same_call(text, gold, language, same):
    assert same_call(text, gold, language) is same


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("t += 1", "t += 1"),
        ("t += 1\n    t += 2\n", "t += 1\n    t += 2\n"),
        ("t += 1\nprint(t)\nprint(n)", "t += 1\n"),  # behind the block
        ("t += 1\n    if t: (", "t += 1\n"),  # unfinished
        ("t += (", ""),
        ("", ""),
    ],
)
def test_a_block_ends_where_the_frame_goes_on(text, cut):
    assert block(gap("for i in range(3):\n    ", "\nprint(t)\n"), text) == cut


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("h();", "h();"),
        ("h();\nif (y) { h(); }\n", "h();\nif (y) { h(); }\n"),
        ("h();\n}\nk();", "h();\n"),
        ("h();\n} else {\nk();", "h();\n} else {\nk();"),  # as published: the same brackets
    ],
)
def test_a_block_in_java_keeps_the_tree_around_it(text, cut):
    assert block(gap("class A { void f() { if (x) { ", " } g(); } }", "java"), text) == cut


def test_a_frame_that_does_not_parse_is_no_reason_to_cut():
    assert block(gap("for i in (\n    ", "\nprint(t)\n"), "t += 1\nprint()") == "t += 1\nprint()"


@pytest.mark.parametrize(
    ("text", "language", "cut"),
    [
        ("\n  i in range(3):\n    print(i)", "python", "  i in range(3):"),
        ("", "python", ""),
        ("int i = f(0); i < n; i++) {\n g();", "java", "int i = f(0); i < n; i++"),
        ("i < n", "cpp", "i < n"),
    ],
)
def test_a_control_expression_ends_with_its_line_or_bracket(text, language, cut):
    assert control(gap("", "", language), text) == cut


@pytest.mark.parametrize(
    ("text", "cut"), [("f(g(1), 2).h(3)", "f(g(1), 2)"), ("f", "f"), (") + 1", ")"), ("", "")]
)
def test_a_call_ends_with_its_bracket(text, cut):
    assert call(gap("", ""), text) == cut


@pytest.mark.parametrize(
    ("said", "expected", "same"),
    [
        ("7\n", "7", True),
        (" 1 2 \n 3\n", "1 2\n3", True),
        ("1\n2", "1 2", True),  # word by word
        ("0.3333333333333333", "0.33333333333333331", True),
        ("0.333", "0.3333", False),
        ("YES", "yes", True),
        ("Maybe", "maybe", False),
        ("1 2 3", "1 2", False),
        ("nan", "nan", True),
        ("inf", "1", False),
        ("1" * 30, "1" * 29 + "2", False),
        ("1" * 60, "1" * 59 + "2", True),  # as published: 129 bits
        ("", "", True),
        ("", "0", False),
    ],
)
def test_outputs_are_compared_as_execeval_does(said, expected, same):
    assert same_output(said, expected) is same


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prompt": "no gap"}, "has not one gap"),
        ({"eval_prompt": "{{completion}}{{completion}}"}, "has not one gap"),
        ({"unit_tests": "["}, "has no unit_tests"),
        ({"unit_tests": '[{"input": "1"}]'}, "has no unit_tests"),
    ],
)
def test_damaged_rows_are_named(change, says, tmp_path):
    with pytest.raises(UserError, match=f"block_completion_000001 {says}"):
        tasks(tmp_path, "safim-block", [{**PYTHON, **change}])


def test_the_two_block_sets_are_apart(tmp_path):
    tasks(tmp_path, "safim-block", [PYTHON, JAVA])
    _, found = tasks(tmp_path, "safim-block-v2", [PYTHON])
    assert len(found) == 1
    assert len(BENCHMARKS.get("safim-block").tasks(tmp_path)) == 2
