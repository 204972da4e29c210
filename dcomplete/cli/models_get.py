"""``dcomplete models pull`` and ``import``: models from the hub, from folders and from GGUF files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from dcomplete.models.checkpoint import Manifest
    from dcomplete.models.hub import Report

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_AS = Annotated[str, typer.Option("--name", help="Name to install it under.")]

PULL_EXAMPLES = """Examples:

  dcomplete models list                       what can be pulled, how large it is, its licence

  dcomplete models pull dreamon-7b            by its name

  dcomplete models pull Dream-org/DreamOn-v0-7B --name dreamon    by its place on the hub"""


def pull(
    model: Annotated[str, typer.Argument(help="A name from `models list`, or a hub id.")],
    name: _AS = "",
    as_json: AsJson = False,
) -> None:
    """Download a model from the hub and install it; safetensors only, its code is never run.

    A lost connection goes on where it stopped when you try again. Checksums are the hub's.
    """
    from dcomplete.models.hub import pull as fetch
    from dcomplete.models.published.registry import find_release

    known = find_release(model)
    if known is not None:
        _, release = known
        repository, chosen = release.repository, name or release.name
        if not release.free:
            typer.echo(f"The licence of {release.name} is {release.licence}.", err=True)
    elif _is_hub_id(model):
        repository, chosen = model, name or model.rpartition("/")[2].lower()
    else:
        raise UserError(f"Unknown model {model!r}. See 'dcomplete models list', or give a hub id.")
    with _progress(hidden=as_json) as report:
        manifest = fetch(repository, chosen, report)
    _say(chosen, manifest, as_json)


def import_(
    source: Annotated[str, typer.Argument(help="A GGUF file, a Hugging Face folder, or a hub id.")],
    name: _AS = "",
    as_json: AsJson = False,
) -> None:
    """Install a model from a file, a folder or the hub. safetensors or GGUF; its code is never run."""
    from dcomplete.models.importing import import_model
    from dcomplete.models.store import Installing, path_of

    path = path_of(source)
    if not path.exists():
        if not _is_hub_id(source):
            raise UserError(f"There is no file or folder {source}.")
        pull(source, name or Path(source).name, as_json)
        return
    chosen = name or (path.stem if path.is_file() else path.resolve().name)
    with Installing(chosen) as folder:
        manifest = import_model(path, folder)
    _say(chosen, manifest, as_json)


def _is_hub_id(text: str) -> bool:
    if {":", "\\"} & set(text):  # a path of Windows
        return False
    return text.count("/") == 1 and not text.startswith((".", "/", "~")) and not text.endswith("/")


def _say(name: str, manifest: "Manifest", as_json: bool) -> None:
    infills = manifest.regime != "base"
    family = manifest.card.get("family")
    if as_json:
        typer.echo(json.dumps({"name": name, "infills": infills, "family": family}))
        return
    kind = f", family {family}" if family else ""
    typer.echo(f"Installed {name!r} ({manifest.net.parameters / 1e6:.0f} M parameters{kind}).")
    if not infills:
        typer.echo(
            "It is an autoregressive base: `dcomplete train run` turns it into an infill model."
        )
    elif family:
        typer.echo(f"Test it with: dcomplete models check {name}")


@contextmanager
def _progress(hidden: bool) -> "Iterator[Report]":
    """A progress bar on stderr; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    disable = hidden or not console.is_terminal
    with Progress(*columns, console=console, disable=disable, transient=True) as bar:
        task = bar.add_task("connecting", total=None)

        def report(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield report
