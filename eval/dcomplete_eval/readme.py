"""The project's numbers, made from the lines in ``eval/results``: ``python -m dcomplete_eval.readme``.

All tables go to ``eval/results/README.md``; the project's README gets the few that a newcomer asks for.
"""

import json
import re
from pathlib import Path

from dcomplete_eval.tables import infilling, latency, surroundings, timed, typing, usefulness
from dcomplete_eval.tables_engine import Run, draw_steps, gpu, languages, quality, steps
from dcomplete_eval.tables_summary import summary
from dcomplete_eval.tables_typed import suggested

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "eval" / "results"
START, END = "<!-- numbers: made by python -m dcomplete_eval.readme -->", "<!-- end of numbers -->"
_ABOUT = """# What was measured

Made by `python -m dcomplete_eval.readme` from the JSON lines in this folder, each of which holds commit,
device and settings. The newest line of each kind counts; lines of weights that were replaced stay in the
files. What was tried and lost is in the logs of the [engine](../../dcomplete/engine/LOG.md) and of
[training](../../dcomplete/train/LOG.md)."""


def lines(name: str) -> list[Run]:
    """A results file's JSON lines, oldest first."""
    path = RESULTS / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def rendered(readme: str) -> str:
    """`readme` with its numbers made anew."""
    numbers = summary(
        lines("humaneval.jsonl"),
        lines("heldout.jsonl"),
        lines("heldout-languages.jsonl"),
        lines("typed.jsonl"),
        lines("humaneval-timed.jsonl"),
        lines("overhead.jsonl"),
        lines("gpu.jsonl"),
    )
    block = f"{START}\n\n{numbers}\n\n{END}"
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: block, readme, flags=re.S)


def results_page() -> str:
    """Every table, as the page of ``eval/results``."""
    parts = {
        "The model": [
            quality(lines("heldout.jsonl")),
            languages(lines("heldout-languages.jsonl")),
            surroundings(lines("surroundings.jsonl")),
            steps(lines("steps.jsonl")),
        ],
        "HumanEval-Infilling": [
            infilling(lines("humaneval.jsonl")),
            timed(lines("humaneval-timed.jsonl")),
        ],
        "Beside llama.cpp": [latency(lines("engine.jsonl"))],
        "Typing": [
            suggested(lines("typed.jsonl")),
            typing(lines("replay.jsonl"), lines("overhead.jsonl")),
            usefulness(lines("usefulness.jsonl")),
        ],
        "On a graphics card": [gpu(lines("gpu.jsonl"))],
    }
    page = [_ABOUT]
    for title, tables in parts.items():
        page += [f"## {title}", *filter(None, tables)]
    return "\n\n".join(page) + "\n"


def main() -> None:
    path = ROOT / "README.md"
    path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    (RESULTS / "README.md").write_text(results_page(), encoding="utf-8", newline="\n")
    if runs := lines("steps.jsonl"):
        draw_steps(runs, RESULTS / "steps.png")


if __name__ == "__main__":
    main()
