"""``dcomplete eval replay``: recorded typing for what suggestions save, and against the real server."""

import asyncio
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dcomplete import appending
from dcomplete.errors import UserError
from dcomplete.provenance import commit, processor
from dcomplete_eval.data import folder
from dcomplete_eval.replay import overhead
from dcomplete_eval.replay.accepting import RULES
from dcomplete_eval.replay.history import History
from dcomplete_eval.replay.play import Pace, engine_status, play, stop_engine, summary
from dcomplete_eval.replay.simulate import Habits
from dcomplete_eval.replay.trace import Trace
from dcomplete_eval.replay.usefulness import Timing, replay
from dcomplete_eval.types import Contestant

EXAMPLES = """Examples:

  dcomplete eval replay useful rustcode sveltecomponent -c engine -c empty

  dcomplete eval replay useful rustcode -c engine --pauses-only --every 4 --out usefulness.jsonl

  dcomplete eval replay useful rustcode -c engine --clock real --keystrokes 500"""

_PAUSE_S, _LONGEST_S = 2.0, 2.0

app = typer.Typer(
    help="Type recorded histories again: for what suggestions save, and for the server's sake.",
    no_args_is_help=True,
)
app.command("overhead")(overhead.main)


@app.command(epilog=EXAMPLES)
def useful(
    traces: Annotated[
        list[str],
        typer.Argument(help="Traces: files, or names such as rustcode.", show_default=False),
    ],
    contestant: Annotated[
        list[str], typer.Option("--contestant", "-c", help="Who suggests, such as engine. Repeat.")
    ],
    clock: Annotated[
        str, typer.Option(help="virtual: time is counted; real: it passes.")
    ] = "virtual",
    latency: Annotated[
        float | None,
        typer.Option(min=0, help="Milliseconds of every answer, instead of the measured ones."),
    ] = None,
    debounce: Annotated[
        float, typer.Option(min=0, help="Milliseconds of rest before asking.")
    ] = 75,
    pauses_only: Annotated[
        bool,
        typer.Option(
            "--pauses-only", help="Ask only where the author goes on writing after --pause."
        ),
    ] = False,
    pause: Annotated[float, typer.Option(min=0, help="Seconds, with --pauses-only.")] = _PAUSE_S,
    every: Annotated[
        int,
        typer.Option(min=1, help="Ask in every n-th stretch of 100 keystrokes, and count those."),
    ] = 1,
    keystrokes: Annotated[int, typer.Option(min=0, help="How many, from the start; 0: all.")] = 0,
    accept: Annotated[
        str, typer.Option(help=f"What the author takes: {', '.join(RULES)}.")
    ] = "line",
    least: Annotated[int, typer.Option(min=1, help="Fewest characters worth taking.")] = 3,
    speed: Annotated[float, typer.Option(min=0.01, help="Times as fast as it was typed.")] = 1.0,
    seed: Annotated[int, typer.Option(help="For the times within a second.")] = 0,
    data: Annotated[
        Path | None, typer.Option(envvar="DCOMPLETE_EVALDATA", help="Folder of evaluation data.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Append the JSON lines to this file.")] = None,
    log: Annotated[Path | None, typer.Option(help="Append a line per request, with texts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON lines.")] = False,
) -> None:
    """Type a recorded history again beside a contestant, and count what its suggestions save.

    Whatever is suggested before the next recorded keystroke, and is what the author wrote there until
    the cursor left, is taken at once; the keystrokes that wrote it are skipped. A request's answer is
    stale where the next keystroke comes first. The numbers are an upper bound on what a person who
    reads and doubts would gain. Contestants gold (the truth itself) and empty bound them.
    """
    _check(clock, accept)
    real = clock == "real"
    habits = Habits(
        debounce=debounce / 1000, pause=pause if pauses_only else 0.0, rule=accept, least=least,
        every=every, keystrokes=keystrokes, speed=speed, longest=_LONGEST_S if real else math.inf,
    )  # fmt: skip
    timing = Timing(real, None if real else latency, seed)
    appending.check(out, log)
    files = [trace_file(name, data) for name in traces]
    makers = [maker(spec) for spec in contestant]
    lines = []
    for file in files:
        history = History(Trace.read(file))
        for make in makers:
            line, events = replay(history, make, habits, timing, not as_json)
            line = {**line, "data": hashlib.sha256(file.read_bytes()).hexdigest()[:16]}
            lines.append(line)
            appending.append(out, line)
            about = {"trace": line["trace"], "contestant": line["contestant"]}
            appending.append(log, *(about | asdict(event) for event in events))
            typer.echo(json.dumps(line))
    if not as_json:
        Console(stderr=True).print(table(lines))


def trace_file(name: str, data: Path | None) -> Path:
    """A trace's file by path, or by name in the folder of evaluation data."""
    path = Path(name)
    if path.is_file():
        return path
    place = folder(data) / "editing-traces"
    found = place / f"{name}.json.gz"
    if found.is_file():
        return found
    known = ", ".join(sorted(p.name.split(".")[0] for p in place.glob("*.json.gz"))) or "none here"
    raise UserError(
        f"There is no trace {name!r} (known: {known}); get them with `dcomplete eval data pull "
        "editing-traces`, or give a file."
    )


def maker(spec: str) -> Callable[[], Contestant]:
    """A contestant by its words, made later and in the thread that asks it. Raises UserError."""
    from dcomplete_eval.contestants import check, contestant

    check(spec)
    return lambda: contestant(spec)


def table(lines: list[dict[str, Any]]) -> Table:
    """The result lines for people."""
    heads = (
        "trace",
        "contestant",
        "saved per 1,000",
        "RoCC",
        "stale %",
        "accepted/shown",
        "p50, p90 ms",
    )
    found = Table(*heads)
    for line in lines:
        times = line["shown_ms"]
        found.add_row(
            line["trace"],
            line["contestant"],
            _figure(line["saved_per_1000"], 1),
            _figure(line["rocc"], 3),
            f"{line['stale_share'] or 0:.1f}",
            f"{line['accepted']}/{line['shown']}",
            f"{times['p50']}, {times['p90']}" if times else "-",
        )
    return found


def _figure(figure: dict[str, float | None] | None, digits: int) -> str:
    if figure is None:
        return "-"
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _check(clock: str, accept: str) -> None:
    if clock not in ("virtual", "real"):
        raise UserError(f"--clock must be virtual or real, not {clock!r}.")
    if accept not in RULES:
        raise UserError(f"--accept must be one of {', '.join(RULES)}, not {accept!r}.")


@app.command()
def server(
    trace: Annotated[
        str, typer.Argument(help="A trace: a file, or a name such as rustcode.", show_default=False)
    ],
    keystrokes: Annotated[
        int, typer.Option(min=1, help="How many, from the trace's start.")
    ] = 5000,
    speed: Annotated[float, typer.Option(min=0.01, help="Times as fast as it was typed.")] = 1.0,
    longest: Annotated[float, typer.Option(min=0, help="Seconds to which pauses are cut.")] = 2.0,
    seed: Annotated[int, typer.Option(help="For the times within a second.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Append the JSON line to this file.")] = None,
) -> None:
    """Type a recorded history into ``dcomplete lsp`` and count what came of every request."""
    appending.check(out)
    played, pace = Trace.read(trace_file(trace, None)).first(keystrokes), Pace(speed, longest, seed)
    columns = (TextColumn(played.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="dcomplete-", ignore_cleanup_errors=True) as run,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        env = os.environ | {"DCOMPLETE_RUNTIME_DIR": run, "DCOMPLETE_LOG_DIR": run}
        task = bar.add_task("", total=len(played.keystrokes))
        try:
            tally = asyncio.run(
                play(played, pace, env, lambda done: bar.update(task, completed=done))
            )
            models = engine_status(env).get("models", [])
        finally:
            stop_engine(env)
    line: dict[str, Any] = {
        "bench": "replay",
        "commit": commit(),
        "device": processor(),
        "models": models,
    }
    line |= summary(played, tally, pace)
    appending.append(out, line)
    typer.echo(json.dumps(line))
