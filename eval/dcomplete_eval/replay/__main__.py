"""``python -m dcomplete_eval.replay TRACE.json.gz``: real typing against the real server."""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dcomplete.provenance import commit, processor
from dcomplete_eval.replay.play import Pace, engine_status, play, stop_engine, summary
from dcomplete_eval.replay.trace import Trace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    file: Annotated[Path, typer.Argument(help="A trace, NAME.json.gz.", show_default=False)],
    keystrokes: Annotated[int, typer.Option(help="How many, from the trace's start.")] = 5000,
    speed: Annotated[float, typer.Option(help="Times as fast as it was typed.")] = 1.0,
    longest: Annotated[float, typer.Option(help="Seconds to which pauses are cut.")] = 2.0,
    seed: Annotated[int, typer.Option(help="For the times within a second.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Append the JSON line to this file.")] = None,
) -> None:
    """Type a recorded history into ``dcomplete lsp`` and count what came of every request."""
    trace, pace = Trace.read(file).first(keystrokes), Pace(speed, longest, seed)
    columns = (TextColumn(trace.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="dcomplete-") as folder,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        env = os.environ | {"DCOMPLETE_RUNTIME_DIR": folder, "DCOMPLETE_LOG_DIR": folder}
        task = bar.add_task("", total=len(trace.keystrokes))
        try:
            tally = asyncio.run(
                play(trace, pace, env, lambda done: bar.update(task, completed=done))
            )
            models = engine_status(env).get("models", [])
        finally:
            stop_engine(env)
    line = {"bench": "replay", "commit": commit(), "device": processor(), "models": models}
    text = json.dumps(line | summary(trace, tally, pace))
    if out is not None:
        with out.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    typer.echo(text)


if __name__ == "__main__":
    app()
