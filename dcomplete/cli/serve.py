"""``dcomplete serve``: the engine process, in the foreground or the background, and its state."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dcomplete.errors import Refusal, UserError
from dcomplete.serve.orders import Choice, Status

if TYPE_CHECKING:
    from dcomplete.serve.process import Options

EXAMPLES = """Examples:

  dcomplete serve                          in this terminal, until Ctrl-C

  dcomplete serve --background --preload   start it now, with the model loaded

  dcomplete serve --status --json          what it does; exit status 1 if none runs

  dcomplete serve --stop                   end it

  dcomplete serve --log                    where its log is, and the last lines"""
_UNLOAD_S, _EXIT_S = 300.0, 900.0
_TAIL = 20  # lines of the log


def command(
    background: Annotated[bool, typer.Option("--background", help="Start it and return.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show what the process does.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the process.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Show the log's path and last lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --status: print JSON.")] = False,
    unload_after: Annotated[
        float, typer.Option(min=0.0, help="Drop the weights after so many seconds of rest.")
    ] = _UNLOAD_S,
    exit_after: Annotated[
        float, typer.Option(min=0.0, help="End after so many seconds of rest.")
    ] = _EXIT_S,
    model: Annotated[
        str, typer.Option(help="Model for requests that name none; the embedded one if empty.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, int8 or fp8.")] = "auto",
    preload: Annotated[bool, typer.Option("--preload", help="Load the model at once.")] = False,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Run the engine process that editors and the shell share.

    Clients start it by themselves; there is one for each user. It listens on a socket that only this
    user can reach.
    """
    if sum((background, status, stop, log, child)) > 1:
        raise UserError("Use only one of --background, --status, --stop and --log.")
    if as_json and not status:
        raise UserError("--json needs --status.")
    choice = Choice(model, device, dtype)
    if status:
        _status(as_json)
    elif stop:
        _stop()
    elif log:
        _log()
    elif background:
        _background(choice, unload_after, exit_after, preload)
    else:
        _run(choice, unload_after, exit_after, preload, child)


def _background(choice: Choice, unload_after: float, exit_after: float, preload: bool) -> None:
    from dcomplete.serve.remote import RemoteEngine
    from dcomplete.serve.start import StartOptions, ensure_engine, read_status

    if choice.model:
        from dcomplete.models.store import find

        find(choice.model)  # the process would say it to its first client only
    before, options = read_status(), StartOptions(choice, unload_after, exit_after)
    try:
        ensure_engine(options)
        if preload:
            with RemoteEngine(options=options) as engine:
                engine.warm()
    except Refusal as refusal:
        raise UserError(str(refusal)) from None
    said = read_status()
    typer.echo("The engine runs." if said is None else f"The engine runs as process {said.pid}.")
    as_it_was = said is not None and before is not None and said.pid == before.pid
    if as_it_was and options != StartOptions(Choice(), _UNLOAD_S, _EXIT_S):
        typer.echo(
            "It ran before and keeps its own defaults; 'dcomplete serve --stop' ends it.", err=True
        )


def _run(
    choice: Choice, unload_after: float, exit_after: float, preload: bool, child: bool
) -> None:
    from dcomplete.serve.process import EngineProcess, Options

    options = Options(choice, unload_after, exit_after, preload)
    shown = sys.stderr.isatty() and not child
    stopped = _run_shown(options) if shown else EngineProcess(options).run()
    if not stopped:  # a thread still computes; waiting for it would keep the process
        os._exit(0)


def _run_shown(options: "Options") -> bool:
    """With one line on the terminal that says what the process does."""
    from rich.console import Console

    from dcomplete.serve.process import EngineProcess

    console = Console(stderr=True)
    with console.status("starting") as line:
        return EngineProcess(options, show=lambda s: line.update(one_line(s))).run()


def _status(as_json: bool) -> None:
    from dcomplete.serve.codec import dump
    from dcomplete.serve.start import read_status

    said = read_status()
    if as_json:
        typer.echo("null" if said is None else dump(said).decode("ascii"))
    elif said is None:
        typer.echo("No engine runs.")
    else:
        typer.echo(readable(said))
    if said is None:
        raise typer.Exit(1)


def _stop() -> None:
    from dcomplete.serve.start import read_status, stop_engine

    if read_status() is None:
        typer.echo("No engine runs.")
    elif stop_engine():
        typer.echo("The engine ended.")
    else:
        raise UserError("The engine does not end; end its process yourself, see --status.")


def _log() -> None:
    from dcomplete.serve.places import log_file

    path = log_file()
    typer.echo(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines[-_TAIL:]:
        typer.echo(line)


def one_line(status: Status) -> str:
    """The state for a terminal's last line."""
    models = ", ".join(m.name for m in status.models) or "no model loaded"
    counts = status.counts
    return (
        f"{status.state}: {models}; {counts.get('done', 0)} of {counts.get('requests', 0)} requests "
        f"answered, {status.active} running, {status.waiting + status.waiting_background} waiting; "
        f"{status.memory_bytes / 1e6:.0f} MB; Ctrl-C ends"
    )


def readable(status: Status) -> str:
    """The whole status for people."""
    models = [f"{m.name} ({m.device}, {m.dtype}, {m.bytes / 1e6:.0f} MB)" for m in status.models]
    counts = ", ".join(f"{number} {name}" for name, number in status.counts.items())
    return "\n".join(
        (
            f"state: {status.state}{', ending' if status.ending else ''}",
            f"process: {status.pid}, dcomplete {status.version}",
            f"up: {status.uptime_s:.0f} s, resting for {status.idle_s:.0f} s",
            f"models: {', '.join(models) or 'none loaded'}",
            f"now: {status.active} running, {status.waiting} waiting, "
            f"{status.waiting_background} waiting in the background",
            f"so far: {counts}; {status.tokens_computed} tokens computed",
            f"memory: {status.memory_bytes / 1e6:.0f} MB, of which cached contexts: "
            f"{sum(m.cached_bytes for m in status.models) / 1e6:.0f} MB",
        )
    )
