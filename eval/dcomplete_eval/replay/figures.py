"""What a replay with a contestant says, as one JSON line.

* `saved_per_1000`: characters accepted, less one for each accepting key, of 1,000 typed.
* `rocc`, ratio of completed code: characters accepted over characters typed.
* `keystrokes_spared`: of the recorded strokes, those that acceptances replaced, in percent; a word that a
  popup inserted, or an indentation, is one stroke.
* `stale_share`: requests whose answer came after the next keystroke, of all requests.
* `kept_share`: accepted characters that are there at the trace's end; `fits_end_share`: shown suggestions
  that the trace's end has at that place, whatever was typed first, where both neighbours are left.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dcomplete_eval.intervals import Interval, ratio
from dcomplete_eval.replay.play import percentiles
from dcomplete_eval.replay.simulate import STRETCH, Event, Habits, Ledger


def summary(ledger: Ledger, habits: Habits, minutes: float) -> dict[str, Any]:
    """The figures of a replay; `minutes` of typing, pauses cut short, belong to the whole trace's part."""
    events, shown = ledger.events, [e for e in ledger.events if e.outcome == "shown"]
    outcomes = Counter(event.outcome for event in events)
    accepted = [event for event in shown if event.taken]
    settled = [event.fits_end for event in shown if event.fits_end is not None]
    forwards = [event.forwards for event in events if event.forwards is not None]
    late = [event.would for event in events if event.outcome == "stale" and event.would is not None]
    found = ledger.stretches.values()
    strokes, completed = sum(s.strokes for s in found), sum(s.completed for s in found)
    return {
        "keystrokes": strokes,
        "every": habits.every,
        "stretch": STRETCH,
        "debounce_ms": round(habits.debounce * 1000, 1),
        "pause_s": habits.pause,
        "accepts": {"rule": habits.rule, "least": habits.least},
        "typed": sum(s.typed for s in found),
        "completed": completed,
        "saved": sum(s.saved for s in found),
        **_ratios(ledger),
        "keystrokes_spared": _percent(sum(s.spared for s in found), strokes),
        "requests": len(events),
        "requests_per_minute": round(len(events) / minutes, 1) if minutes else None,
        "forwards_per_request": round(sum(forwards) / len(forwards), 2) if forwards else None,
        "outcomes": dict(sorted(outcomes.items())),
        "shown": len(shown),
        "accepted": len(accepted),
        "acceptance": _percent(len(accepted), len(shown)),
        "stale_share": _percent(outcomes["stale"], len(events)),
        "late_but_right": _percent(sum(x > 0 for x in late), len(late)),
        "kept_share": _percent(sum(s.kept for s in found), completed),
        "fits_end_share": _percent(sum(settled), len(settled)),
        "shown_ms": _times(shown),
        "answer_ms": _times(events),
    }


def _ratios(ledger: Ledger) -> dict[str, Any]:
    groups = list(ledger.stretches)
    found = list(ledger.stretches.values())
    typed = [float(s.typed) for s in found]
    saved = ratio([float(s.saved) for s in found], typed, groups)
    completed = ratio([float(s.completed) for s in found], typed, groups)
    return {"saved_per_1000": _said(saved, 1000, 1), "rocc": _said(completed, 1, 4)}


def _said(figure: Interval | None, factor: float, digits: int) -> dict[str, float | None] | None:
    return None if figure is None else figure.scaled(factor, digits)


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _times(events: Sequence[Event]) -> dict[str, float]:
    return percentiles([event.ms for event in events if event.ms is not None])
