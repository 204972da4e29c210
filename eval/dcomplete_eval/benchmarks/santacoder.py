"""SantaCoder's fill-in-the-middle task: one line of a HumanEval program in Python, JavaScript or Java.

Data: bigcode/santacoder-fim-task (parquet; name, language, prompt, suffix, canonical_solution,
tests), 4,792 rows, or Qwen's copy of it as JSON lines. Made from MultiPL-E, whose licence forbids
training on it. Protocol: Allal et al. 2023, "SantaCoder: don't reach for the stars!",
arXiv:2301.03988, as Qwen2.5-Coder's `fim-bench/hm_fim/humaneval_fim.py` scores it, which newer tables
quote as "HumanEval-FIM": the answer's first line, or its second where the first is empty, equals the
gold line, both stripped. bigcode's own harness strips the whole answer instead. Nothing is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcomplete_eval.benchmarks.comparing import compared
from dcomplete_eval.benchmarks.rows import DataSet, rows
from dcomplete_eval.types import Task, Verdict

DATA = DataSet(
    "santacoder-fim-task", "bigcode/santacoder-fim-task", "def3907ab0e63fc18334665533d89770444babc0"
)
TEXTS = ("name", "language", "prompt", "suffix", "canonical_solution")
LANGUAGES = {"py": "python", "js": "javascript", "java": "java"}


@dataclass(frozen=True, slots=True)
class SantaCoder:
    """All three languages; `name` in the rows is the HumanEval problem."""

    name: str = "santacoder"

    def tasks(self, data: Path) -> Sequence[Task]:
        """One task a row."""
        found = []
        for path in DATA.files(data, "*.parquet", "*.jsonl"):
            for number, row in enumerate(rows(path, **dict.fromkeys(TEXTS, str))):
                short = row["language"]
                group = f"{short}/{row['name']}"
                task = Task(
                    f"{group}/{number}", self.name, group, row["prompt"], row["suffix"],
                    row["canonical_solution"], LANGUAGES.get(short) or short, "line",
                )  # fmt: skip
                found.append(task)
        return found

    def judge(self, task: Task, text: str) -> Verdict:
        """Exact by the first-line rule."""
        line, gold = first_line(text), task.gold.strip()
        return compared(task, text, line == gold, line, gold)


def first_line(text: str) -> str:
    """The line that counts, stripped."""
    lines = text.split("\n")
    return lines[1 if len(lines) > 1 and lines[0] in ("", " ") else 0].strip()


SANTACODER = SantaCoder()
