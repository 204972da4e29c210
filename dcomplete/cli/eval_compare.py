"""``dcomplete eval compare``: two runs or more, task by task."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from dcomplete_eval.compare import Comparison, Point
    from dcomplete_eval.intervals import Interval
    from dcomplete_eval.store import Run

EXAMPLES = """Examples:

  dcomplete eval compare eval-runs/set__engine.jsonl eval-runs/set__ar.jsonl

  dcomplete eval compare eval-runs --base empty        everyone with one contestant

  dcomplete eval compare eval-runs/set__engine*.jsonl  quality, steps and time of several policies"""


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Runs: files, or folders of them. The first is compared with the others.",
            show_default=False,
        ),
    ],
    base: Annotated[
        str, typer.Option(help="The contestant that the others are compared with, by name.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Compare runs of a benchmark task by task, and show quality against steps and time.

    Differences are the first contestant's minus the other's, with 95 % intervals by paired bootstrap
    over groups of tasks (a problem, a file). Wins are tasks where the first scores higher.
    """
    from dcomplete_eval.compare import compare, curve
    from dcomplete_eval.store import find_runs

    groups = _by_benchmark(find_runs(runs), base)
    pairs = [compare(first, other) for first, *others in groups for other in others]
    if not pairs:
        raise UserError("There are no two runs of one benchmark to compare.")
    curves = [(group[0].benchmark, curve(group)) for group in groups if len(group) > 1]
    if not as_json:
        from rich.console import Console

        console = Console(stderr=True)
        for pair in pairs:
            console.print(pair_table(pair))
        for name, points in curves:
            console.print(curve_table(name, points))
    said = {
        "comparisons": [pair.as_json() for pair in pairs],
        "curves": {name: [point.as_json() for point in points] for name, points in curves},
    }
    typer.echo(json.dumps(said))


def _by_benchmark(runs: Sequence["Run"], base: str) -> list[list["Run"]]:
    """The runs of each benchmark, the base first. Raises UserError for a base that nobody is."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.benchmark, []).append(run)
    if not base:
        return list(found.values())
    names = sorted({run.contestant for run in runs})
    if base not in names:
        raise UserError(f"There is no run of {base!r}; there are: {', '.join(names)}.")
    return [
        sorted(group, key=lambda run: run.contestant != base)
        for group in found.values()
        if any(run.contestant == base for run in group)
    ]


def pair_table(pair: "Comparison") -> "Table":
    """A pair for people: a row for each measure."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    left = f", {pair.left_out} answers left out" if pair.left_out else ""
    said = pair.conclusion
    title = (
        f"A: {pair.a.contestant}\nB: {pair.b.contestant}\n{pair.a.benchmark}, "
        f"{pair.tasks} tasks{left}: {f'A is {said}' if said in ('better', 'worse') else said}"
    )
    found = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    found.add_column("")
    for head in ("A %", "B %", "A - B", "95 %", "A wins", "B wins"):
        found.add_column(head, justify="right", no_wrap=True)
    for name, measure in pair.measures.items():
        found.add_row(
            name,
            f"{100 * measure.a:.1f}",
            f"{100 * measure.b:.1f}",
            *_cells(measure.difference, 100, 1),
            str(measure.wins),
            str(measure.losses),
        )
    found.add_row("time, A / B", "", "", *_cells(pair.slower, 1, 2), "", "")
    return found


def _cells(found: "Interval | None", factor: float, digits: int) -> Iterator[str]:
    if found is None:
        yield from ("-", "-")
        return
    yield f"{factor * found.value:.{digits}f}"
    if found.low is None or found.high is None:
        yield "-"
    else:
        yield f"{factor * found.low:.{digits}f} to {factor * found.high:.{digits}f}"


def curve_table(name: str, points: Sequence["Point"]) -> "Table":
    """Quality against cost for people, the cheapest first."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    found = Table(title=f"{name}: quality and cost", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    found.add_column("contestant", overflow="fold", min_width=14)
    for head in ("score %", "95 %", "steps", "forwards", "p50 ms", "p90 ms"):
        found.add_column(head, justify="right", no_wrap=True)
    for point in points:
        costs = (point.steps, point.forwards, point.p50_ms, point.p90_ms)
        found.add_row(
            point.run.contestant,
            *_cells(point.score, 100, 1),
            *("-" if cost is None else f"{cost:,.1f}" for cost in costs),
        )
    return found
