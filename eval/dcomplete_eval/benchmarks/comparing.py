"""A verdict where a benchmark's own rule says which part of an answer counts."""

from dataclasses import replace

from dcomplete_eval.metrics import same_identifiers, score, similarity
from dcomplete_eval.types import Task, Verdict


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
