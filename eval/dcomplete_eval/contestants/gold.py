"""The truth as an answer: the ceiling, and a test of every benchmark."""

from typing import Any

from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Answer, Task


def make(spec: Spec) -> "Gold":
    return Gold(spec.label())


class Gold:
    """See `types.Contestant`."""

    def __init__(self, name: str = "gold") -> None:
        self.name = name

    def settings(self) -> dict[str, Any]:
        return {"kind": "gold"}

    def answer(self, task: Task) -> Answer:
        return Answer(task.gold, 0.0)

    def close(self) -> None:
        return


KIND = Kind(make)
