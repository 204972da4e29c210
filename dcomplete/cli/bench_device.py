"""``dcomplete bench --device cuda`` and ``--shape``: true shapes, random weights, peers in the same run."""

from typing import Any

import typer

from dcomplete.errors import UserError
from dcomplete.provenance import commit, describe_device

_SMALL: dict[str, Any] = {
    "contexts": (64, 256),
    "steps": (1, 4),
    "repeats": 3,
}  # for "tiny", on any CPU
_DEFAULT = "0.5b,1.5b,7b"


def numbers(text: str, option: str) -> tuple[int, ...]:
    """``"16,32"`` to (16, 32); raises UserError for anything else."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise UserError(f"{option} takes whole numbers from 1 with commas, such as 16,32.")
    return found


def run_device(
    shape: str,
    device: str,
    dtype: str,
    grid: dict[str, str],
    limits: dict[str, Any],
    quiet: bool,
) -> dict[str, Any]:
    """Run the benchmark of the device; tells its progress on stderr unless `quiet`.

    `grid` has the options contexts, canvases and steps as given, "" for the default; `limits` are
    repeats, seconds and compiled, None for the default.
    """
    import torch

    from dcomplete.bench.device import Settings, run
    from dcomplete.bench.shapes import SHAPES
    from dcomplete.engine.load import choose_device
    from dcomplete.models.packing import best_dtype

    names = tuple(part.strip() for part in (shape or _DEFAULT).split(","))
    for name in names:
        SHAPES.get(name)
    where = choose_device(device)
    label = best_dtype(where) if dtype == "auto" else dtype
    if label not in ("float32", "bfloat16"):
        raise UserError("The benchmark of shapes takes --dtype float32 or bfloat16.")
    values: dict[str, Any] = dict(_SMALL) if names == ("tiny",) else {}
    values |= {key: numbers(text, f"--{key}") for key, text in grid.items() if text}
    values |= {key: value for key, value in limits.items() if value is not None}
    settings = Settings(names, **values)
    number = torch.float32 if label == "float32" else torch.bfloat16
    told = (lambda text: None) if quiet else (lambda text: typer.echo(f"{text} done", err=True))
    return {
        "bench": "device",
        "commit": commit(),
        "device": describe_device(where.type),
        "torch": torch.__version__,
        "dtype": label,
        "threads": torch.get_num_threads(),
        **run(settings, where, number, told),
    }


def show(line: dict[str, Any]) -> None:
    """A table for people, on stderr."""
    from rich.console import Console
    from rich.table import Table

    limits = line["roofline"]
    title = (
        f"{line['device']}, {line['dtype']}: {limits['bandwidth_gb_s']} GB/s, "
        f"{limits['matmul_tflops']} TFLOP/s measured"
    )
    heads = ("shape", "context", "canvas", "steps", "who", "state", "p50 ms", "p90 ms", "tokens/s")
    table = Table(*heads, "roofline", title=title)
    keys = ("shape", "context", "canvas", "steps")
    for row in sorted(line["rows"], key=lambda r: (r["shape"], r["context"], r["canvas"])):
        timed = (f"{row['p50_ms']:.2f}", f"{row['p90_ms']:.2f}", f"{row['tokens_per_s']:.0f}")
        cells = (*(str(row[key]) for key in keys), row["who"], row["state"], *timed)
        table.add_row(*cells, f"{row['roofline']:.0%}")
    console = Console(stderr=True, width=120)
    console.print(table)
    for name, sentence in line["notes"].items():
        console.print(f"{name}: {sentence}", markup=False)
