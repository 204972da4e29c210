"""``dcomplete eval data`` and ``dcomplete eval gold``: what every benchmark stands on."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from dcomplete_eval.gold import Gate

EXAMPLES = """Examples:

  dcomplete eval gold

  dcomplete eval gold humaneval-single-line --limit 100 --jobs 2"""

data = typer.Typer(
    help="The public files that benchmarks and replays read.",
    epilog="Example: dcomplete eval data pull human-eval-infilling",
    no_args_is_help=True,
    add_completion=False,
)
Folder = Annotated[
    Path | None,
    typer.Option("--data", envvar="DCOMPLETE_EVALDATA", help="Folder of evaluation data."),
]
Json = Annotated[bool, typer.Option("--json", help="Only JSON.")]
_INFILLING = "humaneval-"


@data.command()
def pull(
    sets: Annotated[
        list[str] | None, typer.Argument(metavar="[SET]...", help="Which; all by default.")
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Download evaluation data from GitHub, each file checked by its checksum; what is there stays."""
    from dcomplete_eval import data as known

    items = known.choose(sets or [])
    place = folder or known.own_folder()
    wanted = known.missing(place, items)
    with _bar(as_json or not wanted) as bar:
        task = bar.add_task("evaluation data", total=sum(item.bytes for item in wanted))
        known.pull(place, wanted, lambda size: bar.advance(task, size))
    if as_json:
        names = [item.path for item in wanted]
        typer.echo(json.dumps({"folder": str(place), "fetched": names, "files": len(items)}))
    else:
        typer.echo(f"{len(items)} files in {place}, {len(wanted)} of them new.")


@data.command()
def check(folder: Folder = None, as_json: Json = False) -> None:
    """Say which files are there and right."""
    from dcomplete_eval import data as known

    place = known.folder(folder)
    bad = known.missing(place)
    for item in known.ITEMS:
        state = "ok" if item not in bad else "wrong" if (place / item.path).exists() else "absent"
        typer.echo(
            json.dumps({"file": item.path, "state": state, "sha256": item.sha256})
            if as_json
            else f"{state:7} {item.path}"
        )
    if bad:
        if not as_json:
            typer.echo(f"{place}: `dcomplete eval data pull` downloads what is missing.", err=True)
        raise typer.Exit(1)


def gold(
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BENCHMARK]...", help="Which; the HumanEval sets by default."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="A sample of so many tasks; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="For the sample.")] = 0,
    jobs: Annotated[int, typer.Option(min=0, help="Threads; 0: one for each core.")] = 0,
    floor: Annotated[bool, typer.Option(help="Also judge the empty answer.")] = True,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Without a sandbox, as your own user: for trust only.")
    ] = False,
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Append the JSON lines to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Judge each benchmark's own answers: what does not pass is listed, and the exit status is 1."""
    from dcomplete import appending
    from dcomplete_eval import data as known
    from dcomplete_eval import sandbox
    from dcomplete_eval.benchmarks import BENCHMARKS
    from dcomplete_eval.gold import check as judge
    from dcomplete_eval.types import only

    appending.check(out)
    jobs = jobs or os.cpu_count() or 1
    names = benchmarks or [name for name in BENCHMARKS if name.startswith(_INFILLING)]
    found = [BENCHMARKS.get(name) for name in names]
    tasks = [benchmark.tasks(known.folder(folder)) for benchmark in found]
    if any(task.test for some in tasks for task in some):
        sandbox.choose(unsafe=unsafe)
    good = True
    for benchmark, whole in zip(found, tasks, strict=True):
        chosen = only(whole, limit, seed)
        with _bar(as_json) as bar:
            task = bar.add_task(benchmark.name, total=len(chosen) * (2 if floor else 1))
            gate = judge(benchmark, chosen, jobs, floor, lambda: bar.advance(task))  # noqa: B023
        line = gate.line(chosen, jobs, len(chosen) == len(whole))
        appending.append(out, line)
        typer.echo(json.dumps(line) if as_json else _said(gate))
        good = good and gate.holds
    if not good:
        raise typer.Exit(1)


def _said(gate: "Gate") -> str:
    head = f"{gate.benchmark}: {gate.passed} of {gate.tasks} gold answers pass"
    empty = "" if gate.empty is None else f", {gate.empty} empty ones"
    failed = "".join(f"\n  {name}: {why}" for name, why in gate.failed.items())
    return f"{head}{empty} ({gate.seconds:.0f} s){failed}"


@contextmanager
def _bar(quiet: bool) -> "Iterator[Progress]":
    """A progress bar on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=quiet) as bar:
        yield bar
