"""CrossCodeEval: a line that needs other files of its repository; Python, Java, TypeScript and C#.

Data: amazon-science/cceval's `crosscodeeval_data.tar.xz` (Apache-2.0), unpacked, with a folder for each
language, or the copy of it on the hub. Rows hold prompt, groundtruth, right_context, metadata
(task_id, repository, file, ...) and, in all files but `line_completion.jsonl`, crossfile_context with
what a retriever found. Protocol: Ding et al. 2023, arXiv:2310.11248, and its `scripts/eval_utils.py`
and `scripts/eval_metric.py`: the answer is cut to its first statement, comments go, and the lists of
stripped lines that are not blank must be equal. What was retrieved stands before the prompt. As in
Qwen2.5-Coder's harness the contestant also sees right_context, which the original leaves out.

One thing is milder: an answer whose lines equal the gold's before it is cut is exact too, because
the cut, at the first ``;``, ``{`` or ``}``, may take something off the gold itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcomplete.errors import UserError
from dcomplete_eval.benchmarks.comparing import compared
from dcomplete_eval.benchmarks.rows import DataSet, Form, rows
from dcomplete_eval.benchmarks.trees import has_error
from dcomplete_eval.types import Task, Verdict

DATA = DataSet(
    "crosscodeeval",
    "Vincentvmt/CrossCodeEval",
    "41f916e35cc48bcca5dc369664f931afd9ffa22f",
    "https://github.com/amazon-science/cceval (data/crosscodeeval_data.tar.xz)",
)
FIELDS: dict[str, Form] = {
    "prompt": str, "groundtruth": str, "right_context": str,
    "metadata": {"task_id": str, "repository": str},
}  # fmt: skip
LANGUAGES = ("python", "java", "typescript", "csharp")
_STATEMENT_END = re.compile(r"[;{}]")
_COMMENT = re.compile(r"(?:#|//).*")


@dataclass(frozen=True, slots=True)
class CrossCodeEval:
    """`file` is the variant's name without its suffix."""

    name: str
    file: str

    def tasks(self, data: Path) -> Sequence[Task]:
        """The tasks of all languages that are there."""
        found = []
        for path in DATA.files(data, f"{self.file}.jsonl"):
            language = path.parent.name
            if language not in LANGUAGES:
                raise UserError(f"{path} lies in no folder named {', '.join(LANGUAGES)}.")
            for row in rows(path, **FIELDS):
                about = row["metadata"]
                retrieved = (row.get("crossfile_context") or {}).get("text") or ""
                before = f"{retrieved}\n" if retrieved else ""
                task = Task(
                    f"{language}/{about['task_id']}", self.name,
                    f"{language}/{about['repository']}", before + row["prompt"],
                    row["right_context"], row["groundtruth"], language, "line",
                    extra={"retrieved": len(before)},
                )  # fmt: skip
                found.append(task)
        return found

    def judge(self, task: Task, text: str) -> Verdict:
        """Exact by lines, similar by the stripped texts, both without comments."""
        gold = _without_comments(task.gold)
        whole = _without_comments(text)
        said = _without_comments(statement(task, text))
        if _lines(whole) == _lines(gold):
            said = whole
        return compared(task, text, _lines(said) == _lines(gold), said.strip(), gold.strip())


def statement(task: Task, text: str) -> str:
    """The first statement of an answer, by the published rule."""
    if task.language != "python":
        end = _STATEMENT_END.search(text)
        return text[: end.end()] if end and end.start() else text
    before = task.prefix[task.extra["retrieved"] :]
    for end in re.finditer("\n", text):
        at = end.start()
        if at and not has_error(before + text[:at], "python"):
            return text[:at].rstrip()
    return text


def _without_comments(text: str) -> str:
    """As published: whatever follows ``#`` or ``//`` in a line, also inside a string."""
    return _COMMENT.sub("", text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


PLAIN = CrossCodeEval("crosscodeeval", "line_completion")
BM25 = CrossCodeEval("crosscodeeval-bm25", "line_completion_rg1_bm25")
