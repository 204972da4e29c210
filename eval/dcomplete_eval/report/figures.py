"""The report's figures: which there are, in what order, with what caption, as SVG and as PNG files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dcomplete_eval.report import ink, plots, sources, usage_plots
from dcomplete_eval.report.result import Result
from dcomplete_eval.report.runs import Run
from dcomplete_eval.report.sources import Source, of_ranking, of_replay, of_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawn figure; `line` and `sources` say what it rests on."""

    name: str
    number: int
    title: str
    caption: str
    svg: str
    line: str
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    title: str
    caption: str
    sources: Sequence[Source]
    draw: Callable[[], "Figure"]


def drawn(result: Result, folder: Path | None) -> dict[str, Plot]:
    """Draw everything there is something for; PNG files go to `folder`. Needs matplotlib."""
    found = {}
    for number, wanted in enumerate(_wanted(result), 1):
        figure = wanted.draw()
        line = sources.line(wanted.sources)
        if folder is not None:
            about = {"figure": wanted.title, "rests on": line}
            about |= {f"{s.name}, {s.what}": s.spelled for s in wanted.sources}
            folder.mkdir(parents=True, exist_ok=True)
            ink.png(figure, folder / f"{wanted.name}.png", line, about)
        found[wanted.name] = Plot(
            wanted.name, number, wanted.title, wanted.caption, ink.svg(figure, wanted.name), line,
            wanted.sources,
        )  # fmt: skip
    return found


def _wanted(result: Result) -> Iterator[_Wanted]:
    palette, said = result.palette, result.said
    boards = dict(result.boards)
    runs = [place.run for places in boards.values() for place in places]
    timed = {
        name: places for name, places in boards.items() if any(not p.run.reference for p in places)
    }
    pairs = {name: found for name, found in result.pairs.items() if found}
    paired = list(
        {id(r): r for found in pairs.values() for p in found for r in (p.a, p.b)}.values()
    )
    if boards:
        yield _Wanted(
            "board", "Scores.",
            "Points with 95 % intervals, hollow where the true length was told; the gold is left out.",
            _of(runs), lambda: plots.board(boards, said, palette),
        )  # fmt: skip
    if pairs:
        yield _Wanted(
            "differences", "Paired differences.",
            "The first minus the second; an interval that crosses the line shows no difference.",
            _of(paired), lambda: plots.differences(pairs, palette),
        )  # fmt: skip
    if result.points:
        yield _Wanted(
            "cost", "Quality against cost.", "Log scales; bars are 95 % intervals.",
            _of([p.place.run for found in result.points.values() for p in found]),
            lambda: plots.cost(result.points, said, palette),
        )  # fmt: skip
    if timed:
        yield _Wanted(
            "latency", "Latency.", "Share of answers that are there by then; errors are left out.",
            _of([run for run in runs if not run.reference]), lambda: plots.latency(timed, palette),
        )  # fmt: skip
    if result.lengths:
        yield _Wanted(
            "lengths", "Errors of the length.",
            "The full bar is the right length; what lies further out is in the last bars.",
            _of([one.run for one in result.lengths]), lambda: plots.lengths(result.lengths, palette),
        )  # fmt: skip
    yield from _of_use(result)


def _of_use(result: Result) -> Iterator[_Wanted]:
    material, palette = result.material, result.palette
    if material.replays:
        yield _Wanted(
            "typing", "Replayed typing.",
            "Characters saved of 1,000 typed, ratio of completed code, late answers; "
            "95 % intervals by stretches of keystrokes.",
            [of_replay(line) for line in material.replays],
            lambda: usage_plots.typing(material.replays, palette),
        )  # fmt: skip
    for at, ranking in enumerate(material.rankings, 1):
        if not ranking["standings"]:
            continue
        yield _Wanted(
            f"votes-{at}", "Strengths from votes.", "95 % intervals.",
            [of_ranking(ranking)], partial(usage_plots.votes, ranking, palette),
        )  # fmt: skip


def _of(runs: Sequence[Run]) -> list[Source]:
    return [of_run(run) for run in runs]
