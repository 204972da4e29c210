"""Real-FIM-Eval, split `add`: what commits on GitHub added, in twelve languages.

Data: gonglinyuan/real_fim_eval (`add/test.jsonl.gz`, CC BY 4.0), 17,879 rows of repo, ref, path, prompt,
suffix, canonical_solution, lang and timestamp. Protocol: Gong et al. 2025, arXiv:2506.00204. The
paper reports the perplexity of the middle, which only a model's own probabilities can tell; here the
answers are compared as texts, so figures stand beside each other and not beside the paper's.
The split `edit` replaces text (`to_remove`), which is no gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcomplete_eval.benchmarks.rows import DataSet, rows
from dcomplete_eval.metrics import score
from dcomplete_eval.types import Task, Verdict

DATA = DataSet(
    "real_fim_eval", "gonglinyuan/real_fim_eval", "a36062544c7ed6c4e5ffb8dad8536fc7777e1f36"
)
TEXTS = ("repo", "path", "prompt", "suffix", "canonical_solution", "lang")


@dataclass(frozen=True, slots=True)
class RealFimEval:
    """Repositories are the groups."""

    name: str = "real-fim-eval"

    def tasks(self, data: Path) -> Sequence[Task]:
        """One task a row; a commit may have several, so ids count rows."""
        return [
            Task(
                f"{row['repo']}:{row['path']}:{number}", self.name, row["repo"], row["prompt"],
                row["suffix"], row["canonical_solution"], _language(row["lang"]), "add",
            )
            for path in DATA.files(data, "add/test.jsonl.gz", "add/test.jsonl")
            for number, row in enumerate(rows(path, **dict.fromkeys(TEXTS, str)))
        ]  # fmt: skip

    def judge(self, task: Task, text: str) -> Verdict:
        """By text and syntax alone."""
        return score(task, text)


def _language(name: str) -> str:
    """Names as the rest of the harness has them."""
    name = name.lower()
    return {"c++": "cpp", "c#": "csharp", "shell": "bash"}.get(name, name)


REAL_FIM_EVAL = RealFimEval()
