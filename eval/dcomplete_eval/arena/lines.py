"""A sitting as lines of JSON on standard streams, for programs.

Out: ``{"pair": {"id", "language", "prefix", "suffix", "first", "second"}}``. In: ``{"id", "choice"}``, or
``{"id", "skip": true}``. Out: ``{"vote": {"choice", "first": {"name", "ms"}, "second": {...}}}`` and the
next pair, or ``{"error": sentence}``. It ends with its input.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from dcomplete.errors import UserError
from dcomplete.votes.types import CHOICES, Side
from dcomplete_eval.arena.sitting import Revealed, Shown, Sitting


def converse(
    sitting: Sitting, given: Iterable[str], say: Callable[[dict[str, Any]], None], most: int = 0
) -> int:
    """Answer lines until there are no more, or `most` votes; how many votes it were."""
    say({"pair": pair_json(sitting.show().result())})
    for line in given:
        if not line.strip():
            continue
        try:
            answer = take(sitting, _parsed(line))
        except UserError as error:
            say({"error": str(error)})
            continue
        say(answer)
        if most and sitting.votes >= most:
            break
        say({"pair": pair_json(sitting.show().result())})
    return sitting.votes


def take(sitting: Sitting, said: Any) -> dict[str, Any]:
    """A vote or a skip from JSON, and the answer to it; raises UserError."""
    id = said.get("id") if isinstance(said, dict) else None
    if not isinstance(id, str):
        raise UserError('Say {"id": ..., "choice": ...}.')
    if said.get("skip") is True:
        sitting.skip(id)
        return {"skipped": id}
    choice = said.get("choice")
    if choice not in CHOICES:
        raise UserError(f"A choice is one of {', '.join(CHOICES)}.")
    return {"vote": revealed_json(sitting.vote(id, choice))}


def pair_json(shown: Shown) -> dict[str, Any]:
    """What may be seen before the vote."""
    return {
        "id": shown.id,
        "language": shown.task.language,
        "prefix": shown.task.prefix,
        "suffix": shown.task.suffix,
        "first": shown.first,
        "second": shown.second,
    }


def revealed_json(revealed: Revealed) -> dict[str, Any]:
    """What may be seen after it."""
    return {
        "choice": revealed.choice,
        "first": _side(revealed.first),
        "second": _side(revealed.second),
    }


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.contestant, "ms": round(side.latency_ms, 1)}


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise UserError("This line is no JSON.") from None
