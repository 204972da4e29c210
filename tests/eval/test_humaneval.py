"""HumanEval-Infilling: the published format, the published example, and the gold gate on a sample."""

import gzip
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from dcomplete.cli import run as dcomplete
from dcomplete.errors import UserError
from dcomplete_eval import sandbox
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.benchmarks.humaneval_infilling import MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from dcomplete_eval.gold import check
from dcomplete_eval.metrics import mean_pass_at_k
from dcomplete_eval.types import Task, Verdict, only
from tests.systems import SCRIPTS

NAMES = [name for name in BENCHMARKS if name.startswith("humaneval-")]
SIZES = {
    "humaneval-single-line": 1033,
    "humaneval-multi-line": 5815,
    "humaneval-random-span": 1640,
    "humaneval-random-span-light": 164,
}
SAMPLE = 15  # gold programs of each set
needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


@pytest.fixture
def evaldata() -> Path:
    near = Path(__file__).parents[3] / "shared" / "evaldata"
    place = Path(os.environ.get("DCOMPLETE_EVALDATA", near))
    if not (place / "human-eval-infilling").is_dir():
        pytest.skip("no HumanEval-Infilling beside the repository; set DCOMPLETE_EVALDATA")
    return place


@pytest.mark.parametrize("name", NAMES)
def test_the_published_sets_are_read(evaldata, name):
    tasks = BENCHMARKS.get(name).tasks(evaldata)
    assert len(tasks) == SIZES[name] == len({task.id for task in tasks})
    assert len({task.group for task in tasks}) == 164
    assert {task.benchmark for task in tasks} == {name}
    one = tasks[0]
    assert one.group == "HumanEval/0" and one.entry_point == "has_close_elements"
    assert one.test.endswith("\n\n\ncheck(has_close_elements)\n")
    assert all(len(set(t.gold.splitlines())) == 1 for t in tasks) or "single" not in name


@needs_sandbox
@pytest.mark.parametrize("name", NAMES)
def test_gold_passes_and_the_empty_answer_does_not(evaldata, name):
    benchmark = BENCHMARKS.get(name)
    tasks = only(benchmark.tasks(evaldata), SAMPLE, seed=7)
    gate = check(benchmark, tasks, jobs=2)
    assert gate.holds and gate.passed == SAMPLE, gate.failed
    assert gate.empty is not None and gate.empty <= 5


def test_what_is_said_of_an_answer_is_said_of_the_program_that_runs(monkeypatch):
    """A forgotten line end is added for the tests; then the text beside it must not be "no Python"."""
    ran: list[str] = []

    class Box:
        def test(self, program: str, test: str) -> sandbox.Ran:
            ran.append(program)
            return sandbox.Ran("passed")

    monkeypatch.setattr(sandbox, "chosen", Box)
    task = Task("t", "b", "g", "def f(x):\n", "    return y\n", "    y = x\n", test="f(1)")
    verdict = SINGLE_LINE.judge(task, "    y = x")
    assert ran == [task.prefix + task.gold + task.suffix]
    assert (verdict.passed, verdict.parses, verdict.similarity) == (True, True, 1.0)


@needs_sandbox
def test_pass_at_k_of_the_published_example(evaldata):
    """Upstream's self-check: pass@1 = 0.3, pass@10 = 1.0."""
    folder = evaldata / "human-eval-infilling"
    problem = json.loads((folder / "example_problem.jsonl").read_text("utf-8"))
    rows = (folder / "example_samples.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(row)["completion"] for row in rows]
    task = RANDOM_SPAN._task({**problem, "task_id": "Example/test/0"})
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(partial(RANDOM_SPAN.judge, task), texts))
    found = [(len(texts), sum(bool(v.passed) for v in verdicts))]
    assert mean_pass_at_k(found, 1) == pytest.approx(0.3)
    assert mean_pass_at_k(found, 10) == pytest.approx(1.0)
    assert {v.outcome for v in verdicts} <= {"passed", "failed", "syntax", "timeout", "error"}


@needs_sandbox
def test_tests_may_use_other_names_of_the_program(evaldata):
    """Problem 32's test calls `poly`, which stands in the prompt."""
    tasks = [task for task in SINGLE_LINE.tasks(evaldata) if task.group == "HumanEval/32"]
    assert all("poly(" in task.test for task in tasks) and tasks
    assert SINGLE_LINE.judge(tasks[0], tasks[0].gold).passed


@needs_sandbox
@pytest.mark.parametrize(
    ("benchmark", "text", "outcome"),
    [
        (SINGLE_LINE, "    return n + 1\n", "passed"),
        (SINGLE_LINE, "    return n + 1", "passed"),  # the line's end is the editor's
        (RANDOM_SPAN, "    return n + 1", "failed"),  # the next line is glued to it
        (RANDOM_SPAN, "    return n + 1\n", "passed"),
        (SINGLE_LINE, "    return n\n", "failed"),
        (SINGLE_LINE, "    return m\n", "error"),
        (SINGLE_LINE, "    return (n\n", "syntax"),
        (SINGLE_LINE, "", "failed"),
    ],
)
def test_what_an_answer_comes_to(benchmark, text, outcome):
    gap = Task(
        "t", benchmark.name, "g", "def f(n):\n", "# end\n    if n: pass\n", "    return n + 1\n",
        test="def check(g):\n    assert g(1) == 2\ncheck(f)\n",
    )  # fmt: skip
    if benchmark is RANDOM_SPAN:
        gap = Task("t", "b", "g", "def f(n):\n", "0\n", gap.gold, test=gap.test)
    verdict = benchmark.judge(gap, text)
    assert verdict.outcome == outcome and verdict.passed is (outcome == "passed")
    assert 0 <= verdict.similarity <= 1


def test_says_what_to_do_where_data_are_absent_or_damaged(tmp_path):
    with pytest.raises(UserError, match="dcomplete eval data pull"):
        MULTI_LINE.tasks(tmp_path)
    folder = tmp_path / "human-eval-infilling"
    folder.mkdir()
    packed = gzip.compress(b'{"task_id": 3}\n')
    damaged = (b"no gzip", gzip.compress(b"[1]\n"), packed, packed[:-9], packed[:10] + b"\xff" * 20)
    for content in damaged:
        (folder / MULTI_LINE.file).write_bytes(content)
        with pytest.raises(UserError, match="damaged"):
            MULTI_LINE.tasks(tmp_path)


class Odd:
    """A benchmark whose gold is wrong twice, once without anything being run."""

    name = "odd"

    def tasks(self, data: Path) -> list[Task]:
        return [Task(str(i), "odd", "g", "", "", "x") for i in range(6)]

    def judge(self, task: Task, text: str) -> Verdict:
        passed = None if task.id == "5" else bool(text) and task.id != "2"
        return Verdict(passed, False, 0.0, outcome="" if passed is None else "failed")


def test_the_gate_lists_what_does_not_pass():
    odd = Odd()
    calls = []
    gate = check(odd, odd.tasks(Path()), jobs=3, told=lambda: calls.append(1))
    assert not gate.holds and gate.passed == 4 and gate.empty == 0 and len(calls) == 12
    assert gate.failed == {"2": "failed", "5": "no exact match"}
    line = gate.line(odd.tasks(Path()), 3, whole=True)
    assert line["gold_failed"] == gate.failed and line["sandbox"] == "" and line["data"]


def test_the_gate_on_the_command_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(BENCHMARKS._entries, "odd", Odd())
    out = tmp_path / "gold.jsonl"
    assert dcomplete(["eval", "gold", "odd", "--out", str(out), "--no-floor"]) == 1
    said = capsys.readouterr()
    assert "odd: 4 of 6 gold answers pass (" in said.out and "\n  2: failed" in said.out
    assert json.loads(out.read_text("utf-8"))["empty_passed"] is None
    assert dcomplete(["eval", "gold", "odd", "--limit", "2", "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["whole"] is False
    assert dcomplete(["eval", "gold", "ood"]) == 2
    assert "Did you mean 'odd'" in capsys.readouterr().err


@SCRIPTS
def test_no_sandbox_no_verdict(monkeypatch, tmp_path):
    monkeypatch.setattr("dcomplete_eval.sandbox.running._in_use", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    gap = Task("t", "b", "g", "x = ", "\n", "1", test="assert x == 1")
    with pytest.raises(UserError, match="apt install bubblewrap"):
        SINGLE_LINE.judge(gap, "1")
    assert sandbox.running._in_use == []
