"""``dcomplete train run``: train, with progress, a time budget and exact resume."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from dcomplete.errors import UserError

EXAMPLES = """Examples:

  dcomplete train run --config tiny --data data/ --out runs/tiny

  dcomplete train run --config smol-135m --data data/ --out runs/smol --minutes 9   (again to go on)"""


def command(
    data: Annotated[Path, typer.Option(help="Folder written by `dcomplete train prepare`.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; an unfinished run there goes on.")],
    config: Annotated[
        str, typer.Option(help="A shipped configuration or a TOML file.")
    ] = "smol-135m",
    base: Annotated[str, typer.Option(help="Base model instead of the configuration's.")] = "",
    steps: Annotated[int, typer.Option(help="Steps in all, instead of the configuration's.")] = 0,
    minutes: Annotated[
        float, typer.Option(help="Stop (resumably) after this time; 0 = no limit.")
    ] = 0.0,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda. torchrun gives each process its own.")
    ] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line per step.")] = False,
) -> None:
    """Turn an autoregressive model into an infill diffusion model.

    Killed at any moment, the same command goes on from the last saved step and ends with the same
    weights.
    """
    import torch

    from dcomplete.train.base import open_base
    from dcomplete.train.config import read
    from dcomplete.train.hardware import Hardware
    from dcomplete.train.run import Run
    from dcomplete.train.shards import Shards
    from dcomplete.train.trainee import prepare_net

    changes: dict[str, Any] = {k: v for k, v in (("base", base), ("steps", steps)) if v}
    settings = read(config, changes)
    if threads:
        torch.set_num_threads(threads)
    start = open_base(settings.base, settings.seed)
    shards = Shards(data)
    check_tokenizer(shards, start.tokenizer_json)
    hardware = Hardware.find(device)
    trainee = prepare_net(start.net, start.manifest.specials, settings, start.length_head)
    trainee.to(hardware.device)
    run = Run(trainee, shards, settings, out, hardware)
    deadline = time.monotonic() + 60 * minutes if minutes else None
    if as_json or not sys.stderr.isatty():
        for line in run.go(deadline):
            typer.echo(json.dumps(line))
    else:
        _with_progress(run, deadline)
    done = run.step >= settings.steps
    if done and hardware.rank == 0:
        _draw(out)
    typer.echo("Done." if done else f"Stopped at step {run.step}; run again to go on.", err=True)


def _draw(out: Path) -> None:
    """The loss curves, where matplotlib is installed."""
    from dcomplete.train.plot import plot
    from dcomplete.train.run import LOG

    try:
        plot(out / LOG, out / "loss.png")
    except ImportError:
        typer.echo("No loss curves: pip install 'dcomplete[train]' draws them.", err=True)


def check_tokenizer(shards: Any, tokenizer_json: str) -> None:
    """Raise UserError for data that was cut with another tokenizer than the base's."""
    from hashlib import sha256

    if tokenizer_json and sha256(tokenizer_json.encode()).hexdigest() != shards.tokenizer:
        raise UserError("The data was cut with another tokenizer; prepare it with the base's own.")


def _with_progress(run: Any, deadline: float | None) -> None:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=run.config.steps, completed=run.step)
        for line in run.go(deadline):
            said = (
                f"loss {line['loss']:.3f} canvas {line['canvas']:.3f} clean {line['clean']:.3f} "
                f"{line['tokens_per_s']:.0f} tokens/s {line['tflops']:.2f} TFLOP/s"
            )
            progress.update(task, completed=line["step"], description=said)
