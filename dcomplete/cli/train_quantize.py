"""``dcomplete train quantize``: an exact model in 4-bit blocks, with little lost."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dcomplete.cli.train_run import check_tokenizer

EXAMPLES = """Example, with what `dcomplete train export --dense --out exact/` wrote:

  dcomplete train quantize exact/ --data data/ --out small/"""


def command(
    model: Annotated[str, typer.Argument(help="Installed model or folder.")],
    data: Annotated[
        Path,
        typer.Option(help="Folder written by `dcomplete train prepare`: what layers are given."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    rows: Annotated[int, typer.Option(min=1, help="Training rows to look at.")] = 128,
    piece_mb: Annotated[int, typer.Option(min=1, help="Largest size of one weights file.")] = 48,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model in 4-bit blocks, each rounding error made good by what is rounded later."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from dcomplete.train.base import open_base
    from dcomplete.train.export import add_to_card, checksums
    from dcomplete.train.quantize import quantize
    from dcomplete.train.shards import Shards

    base, shards = open_base(model), Shards(data)
    check_tokenizer(shards, base.tokenizer_json)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=as_json) as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("reading", "rounding")}
        done = quantize(
            base, shards, out, rows, piece_mb * 1_000_000,
            lambda name, at, of: bar.update(tasks[name], completed=at, total=of),
        )  # fmt: skip
    weights = [f for f in done.files if f.suffix == ".safetensors"]
    add_to_card(out, {"sha256": checksums([*weights, out / "tokenizer.json"])})
    sizes = {f.name: f.stat().st_size for f in done.files}
    if as_json:
        told = {"error": done.error, "plain_error": done.plain_error}
        typer.echo(json.dumps({"folder": str(out), "files": sizes, **told}))
    else:
        typer.echo(
            f"Wrote {out}: {sum(sizes.values()) / 1e6:.1f} MB in {len(sizes)} files. Of the layers' "
            f"outputs {100 * done.error:.2g} % are wrong, with plain rounding "
            f"{100 * done.plain_error:.2g} %."
        )
