"""Nothing as an answer: the floor. Not zero, for some gaps may stay empty and the tests still pass."""

from typing import Any

from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Answer, Task


def make(spec: Spec) -> "Empty":
    return Empty(spec.label())


class Empty:
    """See `types.Contestant`."""

    def __init__(self, name: str = "empty") -> None:
        self.name = name

    def settings(self) -> dict[str, Any]:
        return {"kind": "empty"}

    def answer(self, task: Task) -> Answer:
        return Answer("", 0.0)

    def close(self) -> None:
        return


KIND = Kind(make)
