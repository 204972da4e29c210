"""The plots of runs. Each function draws one figure on panels that it is given or asks for."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from dcomplete_eval.intervals import Interval
from dcomplete_eval.report.breakdown import Length, Point
from dcomplete_eval.report.ink import GRID, INK, MUTED, PAPER, Palette, drawing
from dcomplete_eval.report.measures import Pair, Place, answered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 2  # panels side by side
_NAME = 24  # characters of a contestant's name that leave room for two panels side by side
_TITLE = 20  # characters over one of three panels side by side
_MINUS = "\N{MINUS SIGN}"


def board(
    boards: Mapping[str, Sequence[Place]], said: Mapping[str, str], palette: Palette
) -> "Figure":
    """Scores with their intervals, a panel for each benchmark, the same rows in all of them."""
    names = _order(boards)
    with drawing(len(boards), 3, 0.8 + 0.26 * len(names), sharey=True) as (figure, panels):
        for panel, (name, places) in zip(panels, boards.items(), strict=True):
            for place in places:
                if place.score is not None and place.run.contestant in names:
                    y = names.index(place.run.contestant)
                    whisker(
                        panel, place.score, y, place.run.contestant, palette, 100, place.run.told
                    )
            rows(panel, names)
            panel.set_title(fill(name, _TITLE))
            panel.set_xlabel(f"{said[name]}, %")
            panel.set_xlim(left=min(0, panel.get_xlim()[0]))
    return figure


def _order(boards: Mapping[str, Sequence[Place]]) -> list[str]:
    """Contestants but the gold, the one with the best mean place last: rows are drawn from below."""
    found: dict[str, list[int]] = {}
    for places in boards.values():
        for at, place in enumerate(places):
            if not (place.run.reference and place.score and place.score.value > 0.5):
                found.setdefault(place.run.contestant, []).append(at)
    return sorted(found, key=lambda name: -sum(found[name]) / len(found[name]))


def differences(pairs: Mapping[str, Sequence[Pair]], palette: Palette) -> "Figure":
    """Paired differences: who lies right of zero is better than the one named second."""
    tallest = max(map(len, pairs.values()))
    names = {one.contestant for found in pairs.values() for p in found for one in (p.a, p.b)}
    across = _ACROSS if max(map(len, names), default=0) <= _NAME else 1
    with drawing(len(pairs), across, 0.6 + 0.36 * tallest) as (figure, panels):
        for panel, (name, found) in zip(panels, pairs.items(), strict=False):
            for y, pair in enumerate(reversed(found)):
                if pair.difference is not None:
                    whisker(panel, pair.difference, y, pair.a.contestant, palette, 100)
            rows(panel, [f"{p.a.contestant}\n{_MINUS} {p.b.contestant}" for p in reversed(found)])
            panel.axvline(0, color=INK, linewidth=0.8)
            panel.set_title(name)
            panel.set_xlabel("difference, percentage points")
    return figure


def cost(
    points: Mapping[str, Sequence[Point]], said: Mapping[str, str], palette: Palette
) -> "Figure":
    """Quality against forward passes and against time, a row for each benchmark."""
    with drawing(2 * len(points), 2, 2.5, sharey="row") as (figure, panels):
        for row, (name, found) in enumerate(points.items()):
            for column, (what, label) in enumerate(
                (("forwards", "forward passes a gap, mean"), ("ms", "milliseconds a gap, median"))
            ):
                panel = panels[2 * row + column]
                _curves(panel, found, what, palette)
                panel.set_xlabel(label)
                panel.set_title(name if not column else "")
            panels[2 * row].set_ylabel(f"{said[name]}, %")
            panels[2 * row].set_ylim(bottom=0)
        _legend(figure, panels)
    return figure


def _curves(panel: "Axes", points: Sequence[Point], what: str, palette: Palette) -> None:
    families: dict[str, list[Point]] = {}
    for point in points:
        if getattr(point, what) is not None:
            families.setdefault(point.family, []).append(point)
    for family in families.values():
        family.sort(key=lambda point: float(getattr(point, what)))
        scores = [point.place.score.value * 100 for point in family if point.place.score]
        costs = [getattr(point, what) for point in family]
        panel.plot(costs, scores, color=GRID, linewidth=1.2, zorder=1)
        for point, x in zip(family, costs, strict=True):
            if point.place.score is not None:
                run = point.place.run
                _stick(panel, x, point.place.score, run.contestant, palette, run.told)
    panel.set_xscale("log")
    _plain_ticks(panel)


def _stick(
    panel: "Axes", x: float, score: Interval, name: str, palette: Palette, hollow: bool
) -> None:
    below, above = _ends(score, 100)
    panel.errorbar(
        [x], [score.value * 100], yerr=[[below], [above]], color=palette.colour(name),
        marker=palette.marker(name), markersize=5, linewidth=1.2, label=name,
        markerfacecolor=PAPER if hollow else palette.colour(name),
    )  # fmt: skip


def latency(boards: Mapping[str, Sequence[Place]], palette: Palette) -> "Figure":
    """How many answers are there by when."""
    with drawing(len(boards), _ACROSS, 2.4) as (figure, panels):
        for panel, (name, places) in zip(panels, boards.items(), strict=False):
            for place in places:
                ms = sorted(max(0.01, record.answer.ms) for record in answered(place.run))
                if not ms or place.run.reference:
                    continue
                shares = [100 * (i + 1) / len(ms) for i in range(len(ms))]
                colour = palette.colour(place.run.contestant)
                panel.step(
                    ms,
                    shares,
                    where="post",
                    color=colour,
                    linewidth=1.4,
                    label=place.run.contestant,
                )
            panel.set_xscale("log")
            _plain_ticks(panel)
            panel.set_ylim(0, 101)
            panel.set_title(name)
            panel.set_xlabel("milliseconds to the answer")
            panel.set_ylabel("answers, %")
        _legend(figure, panels)
    return figure


def lengths(found: Sequence[Length], palette: Palette, clip: int = 12) -> "Figure":
    """Predicted minus true tokens; what lies further out is in the last bars."""
    across = 3
    with drawing(len(found), across, 1.75, sharey=True) as (figure, panels):
        for panel, one in zip(panels, found, strict=False):
            errors = [max(-clip, min(clip, error)) for error in one.errors]
            places = range(-clip, clip + 1)
            heights = [100 * errors.count(place) / len(errors) for place in places]
            colour = palette.colour(one.run.contestant)
            bars = panel.bar(places, heights, width=0.86, color=colour, alpha=0.55)
            bars[clip].set_alpha(1.0)
            panel.set_title(f"{one.run.benchmark}\n{one.run.contestant}", fontsize=7.5)
            panel.set_xticks([-clip, -clip // 2, 0, clip // 2, clip])
            panel.set_xticklabels(
                [f"≤{_MINUS}{clip}", f"{_MINUS}{clip // 2}", "0", f"+{clip // 2}", f"≥+{clip}"]
            )
            panel.grid(axis="x", visible=False)
        for panel in panels[::across]:
            panel.set_ylabel("answers, %")
        for panel in panels[-across:]:
            panel.set_xlabel(f"predicted {_MINUS} true tokens")
    return figure


def whisker(
    panel: "Axes",
    figure: Interval,
    y: float,
    name: str,
    palette: Palette,
    factor: float = 1.0,
    hollow: bool = False,
) -> None:
    """A figure with its interval, on row `y`."""
    below, above = _ends(figure, factor)
    panel.errorbar(
        [figure.value * factor], [y], xerr=[[below], [above]], color=palette.colour(name),
        marker=palette.marker(name), markersize=5.5, linewidth=1.4, capsize=2.5,
        markerfacecolor=PAPER if hollow else palette.colour(name),
    )  # fmt: skip


def _ends(figure: Interval, factor: float) -> tuple[float, float]:
    """Lengths of the whiskers."""
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    return max(0.0, figure.value - low) * factor, max(0.0, high - figure.value) * factor


def rows(panel: "Axes", names: Sequence[str]) -> None:
    """A row for each name, from below."""
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(-0.6, len(names) - 0.4)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="y", visible=False)


def _plain_ticks(panel: "Axes") -> None:
    """1, 2, 5, 10 instead of powers of ten; fewer where the axis spans more."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = panel.get_xlim()
    wide = high / max(low, 1e-9) > 300
    panel.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _legend(figure: "Figure", panels: Sequence["Axes"]) -> None:
    """Above the panels: what is written below a picture makes it taller, and would meet it there."""
    found: dict[str, Any] = {}
    for panel in panels:
        handles, names = panel.get_legend_handles_labels()
        found |= {
            name: handle for handle, name in zip(handles, names, strict=True) if name not in found
        }
    if found:
        figure.legend(
            found.values(), found, loc="outside upper center", ncols=min(3, len(found)),
            labelcolor=INK, edgecolor=MUTED,
        )  # fmt: skip
