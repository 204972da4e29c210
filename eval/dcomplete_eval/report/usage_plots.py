"""The plots of what people would notice: replayed typing, and votes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dcomplete_eval.intervals import Interval
from dcomplete_eval.report.ink import INK, Palette, drawing
from dcomplete_eval.report.plots import rows, whisker

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def typing(replays: Sequence[Mapping[str, Any]], palette: Palette) -> "Figure":
    """Characters saved, ratio of completed code, and stale answers, of every trace and contestant.

    The gold and the empty answer are left out where there is somebody else.
    """
    found = [line for line in reversed(replays) if not _reference(line)] or list(reversed(replays))
    names = [f"{line['contestant']}\n{line['trace']}, {line['clock']}" for line in found]
    with drawing(3, 3, 0.7 + 0.36 * len(found), sharey=True) as (figure, panels):
        for panel, key, label, factor in zip(
            panels,
            ("saved_per_1000", "rocc", "stale_share"),
            ("saved of 1,000", "completed, %", "stale, %"),
            (1, 100, 1),
            strict=True,
        ):
            for y, line in enumerate(found):
                if (value := interval(line.get(key))) is not None:
                    whisker(panel, value, y, line["contestant"], palette, factor)
            panel.set_xlabel(label)
            right = max(1.0, 1.04 * panel.get_xlim()[1])
            panel.set_xlim(-0.05 * right, right)
            panel.locator_params(axis="x", nbins=4)
            rows(panel, names)
    return figure


def votes(ranking: Mapping[str, Any], palette: Palette) -> "Figure":
    """Strengths with their intervals, the strongest on top."""
    found = list(reversed(ranking["standings"]))
    with drawing(1, 1, 0.7 + 0.28 * len(found)) as (figure, panels):
        for y, one in enumerate(found):
            strength = Interval(**{name: one["elo"][name] for name in ("value", "low", "high")})
            whisker(panels[0], strength, y, one["name"], palette)
        panels[0].axvline(1000, color=INK, linewidth=0.8)
        panels[0].set_xlabel("strength, Elo scale; 1,000 is the average")
        rows(panels[0], [one["name"] for one in found])
    return figure


def _reference(line: Mapping[str, Any]) -> bool:
    return line.get("settings", {}).get("kind") in ("gold", "empty")


def interval(figure: object) -> Interval | None:
    """A figure of a result line: a number, or a value with its interval."""
    match figure:
        case {"value": float() | int() as value, "low": low, "high": high}:
            return Interval(value, low, high)
        case float() | int():
            return Interval(float(figure), None, None)
    return None
