"""``dcomplete eval latency``: contestants under load."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from dcomplete_eval.latency import Request
    from dcomplete_eval.types import Contestant

EXAMPLES = """Examples:

  dcomplete eval latency -c engine --rate 0.5 --rate 2 --count 200

  dcomplete eval latency -c engine -c ar:model.gguf --trace rustcode --count 500 --latest"""

_WARM = 3
_DEFAULT = "humaneval-random-span-light"


def command(
    contestant: Annotated[
        list[str],
        typer.Option("--contestant", "-c", metavar="SPEC", help="Who answers. Repeat."),
    ],
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0.001, help="Requests a second, on average. Repeat. [default: 1]"),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Requests at each rate.")] = 100,
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Where the gaps come from.")
    ] = _DEFAULT,
    trace: Annotated[
        str, typer.Option(help="Gaps and times from recorded typing: a file, or such as rustcode.")
    ] = "",
    speed: Annotated[
        float, typer.Option(min=0.01, help="With --trace: times as fast as it was typed.")
    ] = 1.0,
    latest: Annotated[
        bool,
        typer.Option(
            "--latest", help="Waiting requests are cancelled by newer ones, as in an editor."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="For arrivals and the order of gaps.")] = 0,
    data: Annotated[
        Path | None, typer.Option(envvar="DCOMPLETE_EVALDATA", help="Folder of evaluation data.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Append the JSON lines to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON lines.")] = False,
) -> None:
    """Ask contestants at times that do not wait for answers, and show how long answers take.

    Arrivals are random (Poisson, by --rate) or those of recorded typing (--trace). A latency counts from
    the intended arrival, so that waiting behind other requests is part of it. Requests are answered one
    at a time.
    """
    from dcomplete import appending
    from dcomplete_eval.contestants import check
    from dcomplete_eval.latency import Histogram

    if rate and trace:
        raise UserError("Use --rate or --trace: recorded typing has times of its own.")
    Histogram()  # before a model is loaded for nothing
    for spec in contestant:
        check(spec)
    appending.check(out)
    loads = _loads(rate or [1.0], count, benchmark, trace, speed, seed, data)
    lines = []
    for spec in contestant:
        for line in _measured(spec, loads, latest, as_json):
            lines.append(line)
            appending.append(out, line)
            typer.echo(json.dumps(line))
    if not as_json:
        from rich.console import Console

        Console(stderr=True).print(table(lines))


Load = tuple[dict[str, Any], "list[Request]"]  # what it is, for the result's line; the requests


def _loads(
    rates: Sequence[float],
    count: int,
    benchmark: str,
    trace: str,
    speed: float,
    seed: int,
    data: Path | None,
) -> list[Load]:
    from dcomplete_eval.data import folder
    from dcomplete_eval.latency import poisson, typed
    from dcomplete_eval.run import digest

    if trace:
        from dcomplete_eval.replay.commands import trace_file
        from dcomplete_eval.replay.trace import Trace

        requests = typed(Trace.read(trace_file(trace, data)), speed, count, seed)
        return [({"arrivals": "trace", "trace": trace, "speed": speed, "seed": seed}, requests)]
    from dcomplete_eval.benchmarks import BENCHMARKS

    tasks = BENCHMARKS.get(benchmark).tasks(folder(data))
    about = {"arrivals": "poisson", "benchmark": benchmark, "data": digest(tasks), "seed": seed}
    return [({**about, "rate": rate}, poisson(tasks, rate, count, seed)) for rate in rates]


def _measured(
    spec: str, loads: Sequence[Load], latest: bool, quiet: bool
) -> Iterator[dict[str, Any]]:
    """One contestant under every load; a few requests before warm it up."""
    from rich.console import Console
    from rich.progress import Progress

    from dcomplete_eval.contestants import contestant
    from dcomplete_eval.latency import drive

    who = contestant(spec)
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
            for about, requests in loads:
                head = _head(who) | about
                said = ", ".join(str(about[name]) for name in ("trace", "rate") if name in about)
                task = bar.add_task(f"{who.name}, {said}", total=len(requests))
                for request in requests[:_WARM]:
                    who.answer(request.task)
                measured = drive(
                    who,
                    requests,
                    latest,
                    told=lambda done: bar.update(task, completed=done),  # noqa: B023
                )
                queue = "latest" if latest else "all"
                yield {**head, "requests": len(requests), "queue": queue, **measured.as_json()}
    finally:
        who.close()


def _head(who: "Contestant") -> dict[str, Any]:
    from datetime import UTC, datetime

    from dcomplete.provenance import commit, processor

    settings = who.settings()
    return {
        "bench": "latency",
        "contestant": who.name,
        "settings": settings,
        "commit": commit(),
        "machine": processor(),
        "device": settings.get("device"),
        "dtype": settings.get("dtype"),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def table(lines: Sequence[dict[str, Any]]) -> "Table":
    """The result lines for people; times in milliseconds."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    found = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    found.add_column("contestant", overflow="fold", min_width=14)
    heads = ("load", "p50", "p90", "p99", "max", "busy", "cancelled", "stale")
    for head in heads:
        found.add_column(head, justify="right", no_wrap=True)
    for line in lines:
        times, every = line["latency_ms"] or {}, line["requests"]
        found.add_row(
            line["contestant"],
            f"{line['rate']:g}/s" if "rate" in line else line["trace"],
            *(f"{times[name]:,.0f}" if times else "-" for name in ("p50", "p90", "p99", "max")),
            f"{100 * line['busy']:.0f} %",
            f"{100 * line['cancelled'] / every:.0f} %",
            f"{100 * line['stale'] / every:.0f} %",
        )
    return found
