"""What a report shows, in sentences, before its tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dcomplete_eval.intervals import Interval
from dcomplete_eval.report.measures import Pair, Place
from dcomplete_eval.report.usage_plots import interval


def findings(
    boards: Mapping[str, Sequence[Place]],
    pairs: Mapping[str, Sequence[Pair]],
    ceilings: Mapping[str, Sequence[Pair]],
    said: Mapping[str, str],
    replays: Sequence[Mapping[str, Any]],
) -> list[str]:
    """A sentence or two for each benchmark, and for each replay."""
    found = []
    for name, places in boards.items():
        parts = _leader(name, places, said[name]), _apart(pairs[name]), *_told(ceilings[name])
        found.append(" ".join(filter(None, parts)))
    return [sentence for sentence in [*found, *map(_replay, replays)] if sentence]


def _leader(name: str, places: Sequence[Place], what: str) -> str:
    own = [(p.run, p.score) for p in places if p.run.competes and p.score is not None]
    if not own:
        return ""
    run, score = own[0]
    tasks = f"{len(run.records):,} tasks right ({what})"
    text = f"{name}: {run.contestant} has {spelled(score, 100)} % of {tasks}"
    rest = [
        f"{other.contestant} {spelled(figure, 100)} %"
        + (f" of {len(other.records):,}" if len(other.records) != len(run.records) else "")
        for other, figure in own[1:4]
    ]
    return f"{text}, {', '.join(rest)}." if rest else f"{text}."


def _apart(pairs: Sequence[Pair]) -> str:
    """Whether the first is really ahead of the second."""
    if not pairs or pairs[0].difference is None:
        return ""
    first = pairs[0]
    gap = spelled(pairs[0].difference, 100)
    if pairs[0].difference.low is None:
        return f"Too few groups to tell the first from {first.b.contestant} ({gap} points)."
    if pairs[0].difference.apart_from_zero:
        return f"On the same tasks the first is ahead of {first.b.contestant} by {gap} points."
    return f"No difference between the first and {first.b.contestant} is shown ({gap} points)."


def _told(ceilings: Sequence[Pair]) -> list[str]:
    return [
        f"Knowing the true length is worth {spelled(pair.difference, 100)} points to {pair.b.contestant}."
        for pair in ceilings
        if pair.difference is not None
    ]


def _replay(line: Mapping[str, Any]) -> str:
    saved = interval(line.get("saved_per_1000"))
    if saved is None or line.get("settings", {}).get("kind") in ("gold", "empty"):
        return ""
    return (
        f"Typing {line['trace']} again, {line['contestant']} saves {spelled(saved, 1)} characters of"
        f" 1,000; {line['stale_share'] or 0:.0f} % of its answers come too late."
    )


def spelled(figure: Interval, factor: float, digits: int = 1) -> str:
    """Value and interval."""
    value, *ends = (
        "" if x is None else f"{x * factor:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        for x in (figure.value, figure.low, figure.high)
    )
    return f"{value} [{', '.join(ends)}]" if all(ends) else value


def outcomes(places: Iterable[Place]) -> str:
    """Why answers failed, the commonest first, over all contestants but the references."""
    counted = sum((p.outcomes for p in places if not p.run.reference), Counter[str]())
    counted.pop("passed", None)
    return ", ".join(f"{name} {count:,}" for name, count in counted.most_common())
