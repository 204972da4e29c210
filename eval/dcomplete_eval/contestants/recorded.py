"""Answers given earlier: a run's file, or samples as human-eval-infilling writes them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete.models.store import path_of
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Answer, Task

_NUMBERS = [f.name for f in fields(Answer) if f.name != "text"]


def make(spec: Spec) -> "Recorded":
    path = path_of(spec.target)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    return Recorded(spec.label(path.stem), read(raw, path), hashlib.sha256(raw).hexdigest()[:16])


def read(raw: bytes, path: Path) -> dict[str, Answer]:
    """Answers by the task's id, the first of each; a line is one of

    ``{"task": ID, "answer": {"text": ...}}``, ``{"task": ID, "text": ..., "ms": ...}``,
    ``{"task_id": ID, "completion": ...}``. Lines without a task, such as a run's heads, are skipped.
    """
    answers: dict[str, Answer] = {}
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            said = json.loads(line) if line.strip() else {}
            name = said.get("task", said.get("task_id"))
            if name is not None:
                answers.setdefault(str(name), _answer(said))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(f"{path}, line {number}, is no answer in JSON.") from None
    if not answers:
        raise UserError(f"{path} holds no answers.")
    return answers


def _answer(said: Mapping[str, Any]) -> Answer:
    found = said.get("answer", said)
    text = found["text"] if "text" in found else found["completion"]
    if not isinstance(text, str):
        raise TypeError(text)
    told = {name: found[name] for name in _NUMBERS if found.get(name) is not None}
    return Answer(text, **{"ms": 0.0, **told})


class Recorded:
    """See `types.Contestant`."""

    def __init__(self, name: str, answers: Mapping[str, Answer], digest: str) -> None:
        self.name = name
        self._answers = answers
        self._digest = digest

    def settings(self) -> dict[str, Any]:
        return {"kind": "recorded", "sha256": self._digest}

    def answer(self, task: Task) -> Answer:
        found = self._answers.get(task.id)
        return found or Answer("", 0.0, error="There is no recorded answer to this task.")

    def close(self) -> None:
        return


KIND = Kind(make, target="a file of answers", read=make)
