"""``dcomplete train export``: a run becomes a model that `infill` can use."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dcomplete.cli.train_run import check_tokenizer
from dcomplete.errors import UserError

EXAMPLES = "Example: dcomplete train export --run run/ --data data/ --base SmolLM2-135M --out smol/"


def command(
    run: Annotated[Path, typer.Option(help="Folder of the run.")],
    data: Annotated[Path, typer.Option(help="The data it was trained on: decides the vocabulary.")],
    base: Annotated[str, typer.Option(help="The base that the run started from.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    min_count: Annotated[
        int, typer.Option(help="Keep tokens that occur at least so often; 0 keeps all.")
    ] = 2,
    policy: Annotated[str, typer.Option(help="The model's default policy.")] = "threshold",
    piece_mb: Annotated[int, typer.Option(help="Largest size of one weights file.")] = 48,
    card: Annotated[Path | None, typer.Option(help="JSON file with facts for the card.")] = None,
    last: Annotated[
        bool, typer.Option("--last", help="The last weights, not the averaged ones.")
    ] = False,
    dense: Annotated[bool, typer.Option("--dense", help="Do not quantise.")] = False,
    other_text: Annotated[
        bool | None,
        typer.Option(
            "--other-text/--one-file",
            help="Whether editors may show it other files' text; as the data did, if not said.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model folder with quantised weights, tokenizer and card."""
    from dcomplete.engine.policies import policy as check_policy
    from dcomplete.train.base import open_base
    from dcomplete.train.export import ExportOptions, add_to_card, checksums, export
    from dcomplete.train.shards import Shards

    check_policy(policy)
    facts = {} if card is None else _facts(card)
    pieces = piece_mb * 1_000_000
    options = ExportOptions(min_count, policy, pieces, not last, not dense, other_text)
    start, shards = open_base(base), Shards(data)
    check_tokenizer(shards, start.tokenizer_json)
    files = export(start, run, shards, out, facts, options)
    weights = [f for f in files if f.suffix == ".safetensors"]
    add_to_card(out, {"sha256": checksums([*weights, out / "tokenizer.json"])})
    sizes = {f.name: f.stat().st_size for f in files}
    if as_json:
        typer.echo(json.dumps({"folder": str(out), "files": sizes, "bytes": sum(sizes.values())}))
    else:
        typer.echo(f"Wrote {out}: {sum(sizes.values()) / 1e6:.1f} MB in {len(files)} files.")


def _facts(card: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UserError."""
    try:
        facts = json.loads(card.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The card {card} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise UserError(f"The card {card} is no JSON object.")
    return facts
