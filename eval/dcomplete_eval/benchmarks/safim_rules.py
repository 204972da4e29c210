"""What counts of an answer to SAFIM: the published cuts, and when a library call is the same.

After `prompt_utils.py` and `evaluate.py` of github.com/gonglinyuan/safim.
"""

import ast
import re
from collections.abc import Sequence
from itertools import takewhile

from dcomplete_eval.benchmarks.trees import Event, events
from dcomplete_eval.types import Task

_PASS = 4  # events of Python's `pass`, which stands in an empty block


def block(task: Task, text: str) -> str:
    """Lines are dropped from the end until only the block's own nodes are new to the tree."""
    before, behind = task.extra["before"], task.extra["behind"]
    python = task.language == "python"
    frame = events(f"{before}{'pass' if python else ''}{behind}", task.language)
    lines = text.splitlines(keepends=True) if frame else []
    while frame and lines:
        tree = events(f"{before}{''.join(lines)}{behind}", task.language)
        if tree and len(tree) >= len(frame):
            known = _common(frame, tree) + _common(frame[::-1], tree[::-1])
            if len(frame) - known == (_PASS if python else 0):
                break
        lines.pop()
    return "".join(lines) if frame else text


def _common(one: Sequence[Event], other: Sequence[Event]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def control(task: Task, text: str) -> str:
    """The first line that is not blank; up to the bracket that closes the gap in other languages."""
    if task.language == "python":
        return next((line for line in text.splitlines() if line.strip()), "")
    return _until_closed(text, -1, keep=0)


def call(task: Task, text: str) -> str:
    """Up to the bracket that closes the call."""
    return _until_closed(text, 0, keep=1)


def _until_closed(text: str, level: int, keep: int) -> str:
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth <= level:
            return text[: at + keep]
    return text


def same_call(text: str, gold: str, language: str) -> bool:
    """Equal without whitespace; in Python, calls with equal arguments (their names do not matter)."""
    text, gold = (re.sub(r"\s+", "", part) for part in (text, gold))
    if language == "python":
        try:
            one, other = (ast.parse(part, mode="eval").body for part in (text, gold))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return text == gold
        if isinstance(one, ast.Call) and isinstance(other, ast.Call):
            return _arguments(one) == _arguments(other)
    return text == gold


def _arguments(found: ast.Call) -> tuple[list[str], dict[str | None, str]]:
    return [*map(ast.dump, found.args)], {k.arg: ast.dump(k.value) for k in found.keywords}
