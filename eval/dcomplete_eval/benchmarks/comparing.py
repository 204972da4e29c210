"""Which part of an answer counts, and a verdict where that is a benchmark's own rule."""

from dataclasses import replace

from dcomplete_eval.metrics import same_identifiers, score, similarity
from dcomplete_eval.types import Task, Verdict


def ended(task: Task, text: str) -> str:
    """The answer, with a line end where the gold has one: what ends a line is for an editor to know.

    As for whole lines of HumanEval-Infilling; an empty answer and spans of characters stay as they are.
    """
    forgot = task.gold.endswith("\n") and text and not text.endswith("\n")
    return f"{text}\n" if forgot and task.kind != "span" else text


def compared(task: Task, text: str, exact: bool, said: str, gold: str) -> Verdict:
    """Exact as the benchmark says; similarity and identifiers of `said` and `gold`, what counts.

    Whether it parses is said of the whole answer in its place.
    """
    return replace(
        score(task, text),
        exact=exact,
        similarity=similarity(said, gold),
        identifiers=same_identifiers(said, gold, task.language),
    )
