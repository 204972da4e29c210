"""RepoBench v1.1: the next line, after the file so far and snippets of the repository's other files.

Data: tianyang/repobench_python_v1.1 and tianyang/repobench_java_v1.1 (parquet, CC BY 4.0), one file or
more for each of cross_file_first, cross_file_random and in_file. Protocol: Liu et al. 2023,
arXiv:2306.03091, and github.com/Leolty/repobench: `data/utils.py` builds the prompt, `run.py` takes
the prompts of at most 16k tokens from December 2023 and keeps an answer's first line that is no comment,
`evaluation/metrics.py` compares what `split()` gives. Nothing stands behind the gap.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcomplete_eval.benchmarks.comparing import compared
from dcomplete_eval.benchmarks.rows import DataSet, Form, rows
from dcomplete_eval.types import Task, Verdict

SETTINGS = ("cross_file_first", "cross_file_random", "in_file")
LEVELS = frozenset({"2k", "4k", "8k", "12k", "16k"})
SINCE, BEFORE = "2023-12-01", "2023-12-31"  # the last day is out: run.py compares with its midnight
FIELDS: dict[str, Form] = {
    "repo_name": str, "file_path": str, "context": [{"path": str, "snippet": str}],
    "import_statement": str, "cropped_code": str, "next_line": str, "created_at": str, "level": str,
}  # fmt: skip
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class RepoBench:
    """The three settings of one language; a setting is a task's `kind`."""

    name: str
    language: str
    data_set: DataSet

    def tasks(self, data: Path) -> Sequence[Task]:
        """One task a row; ids count rows, as file paths are not unique."""
        return [
            Task(
                f"{setting}/{number}", self.name, row["repo_name"], prompt(row, self.language), "",
                row["next_line"], self.language, setting, extra={"level": row["level"]},
            )
            for setting in SETTINGS
            for number, row in enumerate(self._rows(data, setting))
            if row["level"] in LEVELS and SINCE <= row["created_at"][:10] < BEFORE
        ]  # fmt: skip

    def _rows(self, data: Path, setting: str) -> Iterator[dict[str, Any]]:
        for path in self.data_set.files(data, f"{setting}*.parquet", f"{setting}*.jsonl"):
            yield from rows(path, **FIELDS)

    def judge(self, task: Task, text: str) -> Verdict:
        """Exact by words between whitespace."""
        line = first_line(text, task.language)
        return compared(task, text, line.split() == task.gold.split(), line, task.gold)


def prompt(row: dict[str, Any], language: str) -> str:
    """The published prompt, whole; who must shorten it drops its start."""
    sign = "#" if language == "python" else "//"
    snippets = "".join(f"{sign} Path: {s['path']}\n{s['snippet']}\n\n" for s in row["context"])
    text = (
        f"{sign} Repo Name: {row['repo_name']}\n{snippets}{sign} Path: {row['file_path']}\n"
        f"{row['import_statement']}\n{row['cropped_code']}\n"
    )
    return re.sub(r"\n{4,}", "\n\n", text)


def first_line(text: str, language: str) -> str:
    """The first line that is neither blank nor comment, else the first line.

    As published, a comment over several lines opens where one starts a line (also where it closes in
    the same line) and closes where one ends a line.
    """
    lines = text.lstrip("\n").split("\n")
    opens, closes, sign = (
        (_QUOTES, _QUOTES, "#") if language == "python" else (("/*",), ("*/",), "//")
    )
    inside = False
    for line in lines:
        words = line.strip()
        if inside:
            inside = not words.endswith(closes)
        elif words.startswith(opens):
            inside = True
        elif words and not words.startswith(sign):
            return line
    return lines[0]


PYTHON = RepoBench(
    "repobench-python",
    "python",
    DataSet(
        "repobench_python_v1.1",
        "tianyang/repobench_python_v1.1",
        "8a7cf0c8942cc1aa066bf261839650ac55a2ff79",
    ),
)
JAVA = RepoBench(
    "repobench-java", "java", DataSet("repobench_java_v1.1", "tianyang/repobench_java_v1.1")
)
