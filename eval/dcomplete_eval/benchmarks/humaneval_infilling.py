"""HumanEval-Infilling: gaps in 164 small Python programs, judged by the programs' own tests.

Bavarian et al. 2022, arXiv:2207.14255; github.com/openai/human-eval-infilling. The program is prompt +
answer + suffix, behind it the test and `check(entry_point)`, within 3 s. Published: nothing is cut off
an answer, so a contestant has to know where to stop. Of this harness: where the gold ends its line, the
answer has text but does not, and the suffix starts a line, a line end is added (what ends a line is for
an editor to know); single- and multi-line gaps only.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval import sandbox
from dcomplete_eval.metrics import score
from dcomplete_eval.types import Task, Verdict

_DAMAGED = "{} is damaged; delete it and run `dcomplete eval data pull`."
_FIELDS = ("task_id", "prompt", "suffix", "canonical_solution", "test", "entry_point")


@dataclass(frozen=True, slots=True)
class HumanEvalInfilling:
    """One of the four sets; all have the same 164 problems."""

    name: str
    file: str
    kind: str
    lines: bool  # gaps are whole lines

    def tasks(self, data: Path) -> Sequence[Task]:
        """The set's tasks in their order. Raises UserError."""
        path = data / "human-eval-infilling" / self.file
        if not path.is_file():
            raise UserError(
                f"There is no {path}; `dcomplete eval data pull` downloads the evaluation data."
            )
        return [self._task(row) for row in _rows(path)]

    def judge(self, task: Task, text: str) -> Verdict:
        """Run the tests on an answer. Raises UserError where there is no sandbox."""
        text = self.fitted(task, text)
        ran = sandbox.chosen().test(task.prefix + text + task.suffix, task.test)
        return replace(score(task, text), passed=ran.passed, outcome=ran.outcome)

    def fitted(self, task: Task, text: str) -> str:
        """The answer as it stands in the program."""
        return text + "\n" if self.lines and text and not text.endswith("\n") else text

    def _task(self, row: Mapping[str, Any]) -> Task:
        problem = "/".join(row["task_id"].split("/")[1:3])  # SingleLineInfilling/HumanEval/0/L0
        return Task(
            id=row["task_id"],
            benchmark=self.name,
            group=problem,
            prefix=row["prompt"],
            suffix=row["suffix"],
            gold=row["canonical_solution"],
            kind=self.kind,
            test=f"{row['test']}\ncheck({row['entry_point']})\n",
            entry_point=row["entry_point"],
        )


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The file's lines. Raises UserError for what is not of the published format."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(_DAMAGED.format(path)) from error
    for row in rows:
        if not isinstance(row, dict) or not all(isinstance(row.get(n), str) for n in _FIELDS):
            raise UserError(_DAMAGED.format(path))
        yield row


_NAMES = "HumanEval-{}Infilling{}.jsonl.gz"
SINGLE_LINE = HumanEvalInfilling(
    "humaneval-single-line", _NAMES.format("SingleLine", ""), "line", lines=True
)
MULTI_LINE = HumanEvalInfilling(
    "humaneval-multi-line", _NAMES.format("MultiLine", ""), "lines", lines=True
)
RANDOM_SPAN = HumanEvalInfilling(
    "humaneval-random-span", _NAMES.format("RandomSpan", ""), "span", lines=False
)
RANDOM_SPAN_LIGHT = HumanEvalInfilling(
    "humaneval-random-span-light", _NAMES.format("RandomSpan", "Light"), "span", lines=False
)
