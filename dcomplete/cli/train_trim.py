"""``dcomplete train trim``: a base with fewer tokens, before it is trained."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dcomplete.errors import UserError

EXAMPLES = "Example: dcomplete train trim SmolLM2-135M --like smol-135m --out base/"


def command(
    base: Annotated[str, typer.Argument(help="Installed model or folder.")],
    like: Annotated[
        str, typer.Option(help="An installed model or a folder that has the wanted tokenizer.json.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    piece_mb: Annotated[int, typer.Option(help="Largest size of one weights file.")] = 48,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model with the smaller vocabulary of another: faster to train, nothing else changes."""
    from dcomplete.models.store import find
    from dcomplete.train.trim import trim_model

    tokenizer = find(like).path / "tokenizer.json"
    try:
        smaller = tokenizer.read_text(encoding="utf-8")
    except OSError:
        raise UserError(f"There is no {tokenizer}.") from None
    files = trim_model(find(base).path, smaller, out, piece_mb * 1_000_000)
    sizes = {f.name: f.stat().st_size for f in files}
    if as_json:
        typer.echo(json.dumps({"folder": str(out), "files": sizes}))
    else:
        typer.echo(f"Wrote {out}: {sum(sizes.values()) / 1e6:.1f} MB in {len(files)} files.")
