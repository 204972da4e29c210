"""SAFIM: blocks and control expressions of contest programs, and library calls, in four languages.

Data: gonglinyuan/safim (CC BY 4.0): `block_completion.jsonl.gz`, `block_completion_v2.jsonl.gz`,
`control_completion.jsonl.gz`, `api_completion.jsonl.gz`; rows of task_id, lang, prompt, eval_prompt,
ground_truth, unit_tests (JSON in a string). Protocol: Gong et al. 2024, arXiv:2403.04814, and
github.com/gonglinyuan/safim: `prompt_utils.py` splits the prompt at a placeholder and cuts answers by
their syntax, `evaluate.py` passes what equals the gold, else runs the tests on stdin and stdout; a library
call must match without its whitespace, in Python by its arguments. Outputs are compared as
github.com/ntunlp/ExecEval does.

Here only Python is run, by this machine's CPython instead of PyPy, so that slow answers may run out
of time; the tests of the other languages are not run, and `passed` says nothing of them. The gold is
exact also where the published cut would take something off it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval import sandbox
from dcomplete_eval.benchmarks.comparing import compared
from dcomplete_eval.benchmarks.outputs import same_output
from dcomplete_eval.benchmarks.rows import DataSet, Form, lacking, rows
from dcomplete_eval.benchmarks.safim_rules import block, call, control, same_call
from dcomplete_eval.types import Task, Verdict

DATA = DataSet("safim", "gonglinyuan/safim", "be132cc15372e90b6f03a608e77f2d940e384edb")
TEXTS = ("task_id", "lang", "prompt", "eval_prompt", "ground_truth", "unit_tests")
CASES: Form = [{"input": str, "output": [str]}]
HOLE = "{{completion}}"
LIMITS = sandbox.Limits(memory=2 << 30, file=16 << 20, scratch=32 << 20, output=4 << 20)


@dataclass(frozen=True, slots=True)
class Safim:
    """One split; `cut` takes off an answer what goes on behind the gap."""

    name: str
    file: str
    kind: str
    cut: Callable[[Task, str], str]

    def tasks(self, data: Path) -> Sequence[Task]:
        """One task a row; `test` holds Python's cases as JSON, run on the program alone."""
        path = DATA.files(data, f"{self.file}.jsonl.gz", f"{self.file}.jsonl")[0]
        return [self._task(row, path) for row in rows(path, **dict.fromkeys(TEXTS, str))]

    def _task(self, row: dict[str, Any], path: Path) -> Task:
        python = row["lang"] == "python"
        mark = "# TODO: Your code here" if python else "/* TODO: Your code here */"
        parts, frame = row["prompt"].split(mark), row["eval_prompt"].split(HOLE)
        if len(parts) != 2 or len(frame) != 2:
            raise UserError(f"{path} is in another format: {row['task_id']} has not one gap.")
        try:
            cases = json.loads(row["unit_tests"] or "[]")
        except ValueError:
            cases = None
        if lacking(cases, CASES) is not None:
            raise UserError(f"{path} is in another format: {row['task_id']} has no unit_tests.")
        return Task(
            row["task_id"], self.name, row["task_id"], parts[0], parts[1], row["ground_truth"],
            row["lang"], self.kind, test=row["unit_tests"] if python and cases else "",
            extra={"before": frame[0], "behind": frame[1]},
        )  # fmt: skip

    def judge(self, task: Task, text: str) -> Verdict:
        """Exact by text, or by syntax for a call; passed by the tests, where they are Python's."""
        said = text if text == task.gold else self.cut(task, text)
        same = said == task.gold
        if self.kind == "api":
            same = same_call(said, task.gold, task.language)
        verdict = compared(task, text, same, said, task.gold)
        if not task.test:
            return verdict
        program = f"{task.extra['before']}{said}{task.extra['behind']}"
        outcome = "passed" if same else run(program, json.loads(task.test))
        return replace(verdict, passed=outcome == "passed", outcome=outcome)


def run(program: str, cases: Sequence[dict[str, Any]]) -> str:
    """The outcome of the first case that fails, or passed."""
    for case in cases:
        ran = sandbox.chosen().run(program, case["input"].replace("\r\n", "\n"), LIMITS)
        if ran.outcome != "finished":
            return ran.outcome
        if not any(same_output(ran.output, expected) for expected in case["output"]):
            return "failed"
    return "passed"


BLOCK = Safim("safim-block", "block_completion", "block", block)
BLOCK_V2 = Safim("safim-block-v2", "block_completion_v2", "block", block)
CONTROL = Safim("safim-control", "control_completion", "control", control)
API = Safim("safim-api", "api_completion", "api", call)
