"""Holes in the solutions of MBPP, judged by its tests: Python that HumanEval-Infilling has not.

Data: `sanitized-mbpp.json` of google-research (mbpp/, CC BY 4.0), 427 problems of task_id, prompt, code,
test_imports and test_list; Austin et al. 2021, arXiv:2108.07732. The holes are this harness's own:
cut from the solutions with seed 0, one of each kind where there is one, the problem's text above the
program as a comment. Whoever trained on MBPP knows them.
"""

import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from dcomplete.train.cuts import Cutter, Kind
from dcomplete_eval import sandbox
from dcomplete_eval.benchmarks.comparing import ended
from dcomplete_eval.benchmarks.rows import DataSet, Form, rows
from dcomplete_eval.metrics import score
from dcomplete_eval.types import Task, Verdict

DATA = DataSet(
    "mbpp-sanitized", "", "", "https://github.com/google-research/google-research/tree/master/mbpp"
)
FIELDS: dict[str, Form] = {
    "task_id": int, "prompt": str, "code": str, "test_imports": [str], "test_list": [str]
}  # fmt: skip
_DEFINED = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)
KINDS = (Kind.LINE, Kind.BLOCK, Kind.EXPRESSION, Kind.ARGUMENTS, Kind.BODY, Kind.SPAN)


@dataclass(frozen=True, slots=True)
class MbppHoles:
    """A problem is a group."""

    name: str = "mbpp-holes"

    def tasks(self, data: Path) -> Sequence[Task]:
        """At most one hole of a kind in each solution."""
        path = DATA.files(data, "sanitized-mbpp.json")[0]
        return [task for row in rows(path, **FIELDS) for task in self._cut(row)]

    def _cut(self, row: dict[str, Any]) -> Iterator[Task]:
        code = row["code"].replace("\r\n", "\n").rstrip() + "\n"
        above = "".join(f"# {line}\n" for line in row["prompt"].splitlines())
        test = "\n".join([*row["test_imports"], *row["test_list"], ""])
        cutter = Cutter(code, "python")
        for kind in KINDS:
            gap = cutter.gap(Random(f"0:mbpp:{row['task_id']}:{kind}"), kind)
            if gap is None or gap.kind != kind:
                continue
            gold = code[gap.start : gap.end]
            if any(map(str.isalnum, gold)):
                yield Task(
                    f"{row['task_id']}/{kind.name.lower()}", self.name, str(row["task_id"]),
                    above + code[: gap.start], code[gap.end :], gold, "python", kind.name.lower(),
                    test,
                )  # fmt: skip

    def judge(self, task: Task, text: str) -> Verdict:
        """Run the problem's asserts; a line end that the gold has may be missing. Raises UserError."""
        text = ended(task, text)
        program = task.prefix + text + task.suffix
        ran = sandbox.chosen().test(program, task.test, own=_hiding(task))
        return replace(score(task, text), passed=ran.passed, outcome=ran.outcome)


def _hiding(task: Task) -> list[str]:
    """Names of Python's that the solution itself defines (126: `sum`), and that its tests call."""
    names = _DEFINED.findall(task.prefix + task.gold + task.suffix)
    return [name for name in names if hasattr(builtins, name)]


MBPP_HOLES = MbppHoles()
