"""``dcomplete train eval``: a model's numbers on held-out gaps."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from dcomplete.train.evaluate import Scored
    from dcomplete.train.heldout import HeldOut

EXAMPLES = (
    "Example: dcomplete train eval --gaps data/heldout.jsonl --policy threshold --policy verify"
)


def command(
    gaps: Annotated[
        Path, typer.Option(help="heldout.jsonl, written by `dcomplete train prepare`.")
    ],
    model: Annotated[
        str, typer.Option(help="Model name or folder; the embedded one if empty.")
    ] = "",
    base: Annotated[
        str, typer.Option(help="An untrained base instead: what training is compared with.")
    ] = "",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Policy to try; may be repeated. Empty: the model's own."),
    ] = None,
    limit: Annotated[int, typer.Option(help="Only so many gaps, evenly spread; 0 = all.")] = 0,
    single_line: Annotated[
        bool, typer.Option("--single-line", help="Only gaps within a line.")
    ] = False,
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Also with the true length told.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Most denoise steps.")] = 64,
    branches: Annotated[
        list[int] | None,
        typer.Option(
            help="Other answers tried beside the first, see `dcomplete infill`; may be repeated."
        ),
    ] = None,
    nats: Annotated[bool, typer.Option("--nats", help="Also nats per masked token.")] = False,
    out: Annotated[Path | None, typer.Option(help="Append the JSON lines to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only JSON lines.")] = False,
) -> None:
    """Fill held-out gaps and print exact match, edit similarity, length error and cost.

    Several policies or numbers of branches take turns at each gap, whose context is read once, before
    them: their passes are counted without it.
    """
    import torch

    from dcomplete import appending
    from dcomplete.engine.load import load_engine
    from dcomplete.provenance import commit, describe_device
    from dcomplete.train.base import untrained
    from dcomplete.train.evaluate import Setting, infill_gaps, lines, masked_nats

    if base and (model or dtype not in ("auto", "float32")):
        raise UserError(
            "--base is a model, and computes in float32: leave out --model and --dtype."
        )
    appending.check(out)
    if threads:
        torch.set_num_threads(threads)
    chosen = _chosen(gaps, single_line, limit)
    engine = untrained(base) if base else load_engine(model, dtype=dtype)
    about = {
        "bench": "held-out infilling",
        "commit": commit(),
        "model": engine.family.name,
        "device": describe_device(engine.family.device.type),
        "dtype": engine.family.label,
        "step_limit": steps,
    }
    names = policy or [engine.default_policy]
    settings = Setting.each(names, (False, True) if oracle else (False,), branches or [0])
    filled = infill_gaps(engine, chosen, settings, steps)
    rows: list[list[Scored]] = []
    try:
        for row in _progress(filled, len(chosen), "filling gaps"):
            rows.append(row)
    finally:  # what was filled until Ctrl-C is told
        for line in lines(settings, rows, len(chosen)):
            _say({**about, **line}, out, as_json)
    if nats:
        _say({**about, "masked_nats": masked_nats(engine, chosen)}, out, as_json)


def _chosen(path: Path, single_line: bool, limit: int) -> "list[HeldOut]":
    """The gaps that count, evenly spread. Raises UserError where there are none."""
    from dcomplete.train.heldout import WITHIN_LINE, read

    found = [g for g in read(path) if not single_line or g.kind in WITHIN_LINE]
    if not found:
        raise UserError(f"{path} holds no gap{' within a line' if single_line else ''}.")
    if limit and limit < len(found):
        found = [found[int(i * len(found) / limit)] for i in range(limit)]
    return found


def _progress(items: Any, total: int, name: str) -> Any:
    from rich.console import Console
    from rich.progress import track

    return track(items, description=name, total=total, console=Console(stderr=True), transient=True)


def _say(line: dict[str, Any], out: Path | None, as_json: bool) -> None:
    from dcomplete import appending

    appending.append(out, line)
    skip = ("bench", "commit", "device", "model", "dtype")
    plain = ", ".join(f"{k} {v}" for k, v in line.items() if k not in skip)
    typer.echo(json.dumps(line) if as_json else plain)
