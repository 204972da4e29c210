"""``dcomplete bench``: engine latency; a table for people, the last line is JSON."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dcomplete.cli.bench_device import run_device, show
from dcomplete.errors import UserError
from dcomplete.provenance import commit, describe_device

EXAMPLES = """Examples:

  dcomplete bench

  dcomplete bench --device cuda --out gpu.jsonl

  dcomplete bench --device cuda --contexts 1024 --canvases 64 --steps 8 --seconds 2 --compiled-for 0.5b

  dcomplete bench --device cpu --shape tiny

  dcomplete bench --peer-model smollm2.gguf --node-peer ~/llama --python-peer ~/xl/bin/python"""


def command(
    model: Annotated[
        str, typer.Option(help="Model name or folder; the embedded one if empty.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, int8 or fp8.")] = "auto",
    policy: Annotated[str, typer.Option(help="Policy; empty: the model's own.")] = "",
    context: Annotated[
        int | None, typer.Option(min=16, help="Tokens of context; 1000.", show_default=False)
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Timed runs of each; 15, of shapes 20.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
    peer_model: Annotated[Path | None, typer.Option(help="GGUF file for llama.cpp.")] = None,
    node_peer: Annotated[
        Path | None, typer.Option(help="Folder with node-llama-cpp installed.")
    ] = None,
    python_peer: Annotated[
        str | None, typer.Option(help="Python interpreter that has xllamacpp.")
    ] = None,
    shape: Annotated[
        str, typer.Option(help="Random weights of these shapes: tiny, 0.5b, 1.5b, 7b, with commas.")
    ] = "",
    contexts: Annotated[str, typer.Option(help="With shapes: tokens of context.")] = "",
    canvases: Annotated[str, typer.Option(help="With shapes: tokens to fill.")] = "",
    steps: Annotated[str, typer.Option(help="With shapes: denoise steps.")] = "",
    seconds: Annotated[
        float | None,
        typer.Option(help="With shapes: most for the runs of one case; 5.", show_default=False),
    ] = None,
    compiled_for: Annotated[
        str, typer.Option(help="Shapes that transformers is compiled for, with commas; empty: all.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="File to append the JSON line to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Time a cold context, and gaps of 10 and 32 tokens while typing.

    With --peer-model, llama.cpp generates the same number of tokens in the same run; the ratios are
    our p50 over the faster peer's. With --shape, or --device cuda and no --model, networks of true
    shapes with random weights run beside the published loops and autoregressive decoding instead, and
    the device's own limits are measured in the same run.
    """
    from dcomplete import appending

    appending.check(out)
    of_shapes = bool(shape or (device == "cuda" and not model))
    grid = {"contexts": contexts, "canvases": canvases, "steps": steps}
    ours: dict[str, Any] = {"model": model, "policy": policy, "context": context}
    ours |= {"peer-model": peer_model, "node-peer": node_peer, "python-peer": python_peer}
    theirs = {**grid, "seconds": seconds, "compiled-for": compiled_for}
    _refuse(*((ours, "of shapes") if of_shapes else (theirs, "of a model; give --shape")))
    if threads:
        import torch

        torch.set_num_threads(threads)
    if of_shapes:
        compiled = tuple(name.strip() for name in compiled_for.split(",")) if compiled_for else None
        limits = {"repeats": repeats, "seconds": seconds, "compiled": compiled}
        line = run_device(shape, device, dtype, grid, limits, as_json)
    else:
        line = _engine(
            model, device, dtype, policy, context or 1000, repeats or 15,
            peer_model, node_peer, python_peer, as_json,
        )  # fmt: skip
    if not as_json:
        show(line) if line["bench"] == "device" else _table(line)
    appending.append(out, line)
    typer.echo(json.dumps(line))


def _refuse(options: dict[str, Any], what: str) -> None:
    """Raise UserError for an option that was given and would be ignored."""
    given = [name for name, value in options.items() if value not in (None, "")]
    if given:
        raise UserError(f"--{given[0]} has no use in a benchmark {what}.")


def _engine(
    model: str,
    device: str,
    dtype: str,
    policy: str,
    context: int,
    repeats: int,
    peer_model: Path | None,
    node_peer: Path | None,
    python_peer: str | None,
    quiet: bool,
) -> dict[str, Any]:
    """The engine with a model's weights, beside llama.cpp where asked for."""
    import torch

    from dcomplete.bench import peers, scenarios
    from dcomplete.engine.load import load_engine

    found = peers.find_peers(peer_model, node_peer, python_peer)  # a wrong path costs no run
    engine = load_engine(model, device, dtype)
    told = (lambda line: None) if quiet else (lambda line: typer.echo(f"{line} done", err=True))
    ours = scenarios.measure(engine, context, repeats, policy, told)
    prefix, suffix = scenarios.cut(engine, context)
    rivals = [
        peers.measure(peer, peer_model, prefix + suffix, torch.get_num_threads(), repeats)
        for peer in found
        if peer_model is not None
    ]
    return {
        "bench": "engine",
        "commit": commit(),
        "model": engine.family.name,
        "device": describe_device(engine.family.device.type),
        "dtype": engine.family.label,
        "policy": policy or engine.default_policy,
        "threads": torch.get_num_threads(),
        "repeats": repeats,
        "ours": ours,
        "peers": rivals,
        "ratios": ratios(ours, rivals),
    }


def ratios(ours: dict[str, Any], rivals: list[dict[str, Any]]) -> dict[str, float]:
    """Our p50 over the faster peer's, by scenario."""
    if not rivals:
        return {}
    return {
        name: round(result["p50_ms"] / min(r[name]["p50_ms"] for r in rivals), 2)
        for name, result in ours.items()
    }


def _table(line: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "scenario",
        "p50 ms",
        "p90 ms",
        "steps",
        "forwards",
        title=f"{line['model']}, {line['device']}",
    )
    for rival in line["peers"]:
        table.add_column(f"{rival['engine']} p50 ms")
    table.add_column("ratio")
    for name, result in line["ours"].items():
        rivals = [str(r[name]["p50_ms"]) for r in line["peers"]]
        cells = (
            result["p50_ms"],
            result["p90_ms"],
            round(result["steps"], 1),
            round(result["forwards"], 1),
        )
        table.add_row(name, *map(str, cells), *rivals, str(line["ratios"].get(name, "-")))
    Console(stderr=True).print(table)
