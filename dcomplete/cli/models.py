"""``dcomplete models``: list, info, check, pull, import, remove."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from dcomplete.cli import models_get
from dcomplete.errors import ModelError

app = typer.Typer(
    help="The models on this machine.",
    no_args_is_help=True,
    epilog="Example: dcomplete models import ~/Downloads/qwen2.5-coder-0.5b.gguf --name coder",
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


app.command("pull", epilog=models_get.PULL_EXAMPLES)(models_get.pull)
app.command("import", epilog="Example: dcomplete models import ~/qwen2.5-coder-0.5b.gguf")(
    models_get.import_
)


@app.command("list", epilog="Example: dcomplete models list --json")
def list_models(as_json: AsJson = False) -> None:
    """Show every installed model, and the published ones that can be pulled.

    Memory is for the weights in the number format that this machine would use.
    """
    from dcomplete.models.store import entries

    installed = [_installed(entry) for entry in entries()]
    names = {row["name"] for row in installed}
    known = [row for row in _known() if row["name"] not in names]
    if as_json:
        typer.echo(json.dumps([*installed, *known]))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("name", "size", "parameters", "infills", "where", title="Installed")
    for row in installed:
        parameters = f"{row['parameters'] / 1e6:.0f} M" if "parameters" in row else "?"
        infills = row.get("problem") or ("yes" if row["infills"] else "no: a base for training")
        name = row["name"] + (" (default)" if row["default"] else "")
        where = "embedded" if row["embedded"] else "installed"
        table.add_row(name, f"{row['bytes'] / 1e6:.0f} MB", parameters, infills, where)
    console.print(table)
    console.print(_table_of(known))


def _table_of(known: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    title = "Published diffusion models: dcomplete models pull NAME"
    columns = ("name", "size", "memory", "licence", "infills", "length of a gap")
    table = Table(*columns, title=title, caption="! not free: read the licence before you use it")
    for row in known:
        licence = row["licence"] if row["free"] else f"! {row['licence']}"
        size, memory = (f"{row[key] / 1e9:.1f} GB" for key in ("bytes", "memory"))
        table.add_row(row["name"], size, memory, licence, row["how"], row["length"])
    return table


def _installed(entry: Any) -> dict[str, Any]:
    from dcomplete.models.store import DEFAULT

    row: dict[str, Any] = {"name": entry.name, "embedded": entry.embedded, "bytes": entry.bytes}
    try:
        manifest = entry.manifest()
        row |= {
            "parameters": manifest.net.parameters,
            "infills": manifest.regime != "base",
            "family": manifest.card.get("family"),
        }
    except ModelError as error:
        row |= {"problem": str(error)}
    return row | {"default": entry.name == DEFAULT, "installed": True}


def _known() -> list[dict[str, Any]]:
    """Published checkpoints: bytes on disk (bfloat16) and in memory here."""
    import torch

    from dcomplete.models.packing import best_dtype
    from dcomplete.models.published.registry import releases

    here = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    width = 2 if best_dtype(here) == "bfloat16" else 4
    return [
        {
            "name": release.name,
            "installed": False,
            "family": family.name,
            "repository": release.repository,
            "parameters": int(release.billions * 1e9),
            "bytes": int(release.billions * 2e9),
            "memory": int(release.billions * 1e9 * (width if family.native else 2)),
            "licence": release.licence,
            "free": release.free,
            "infills": True,
            "how": family.infills,
            "length": family.length,
        }
        for family, release in releases()
    ]


@app.command("info", epilog="Example: dcomplete models info smol-135m")
def info(
    name: Annotated[str, typer.Argument(help="Name or folder.")] = "", as_json: AsJson = False
) -> None:
    """Show a model's shape, special ids, default policy and card."""
    from dcomplete.models.store import files_of, find

    entry = find(name)
    manifest = entry.manifest()
    facts = {
        "name": entry.name,
        "path": str(entry.path),
        "embedded": entry.embedded,
        "files": {f.name: f.stat().st_size for f in files_of(entry)},
        **asdict(manifest),
    }
    facts["net"]["parameters"] = manifest.net.parameters
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.pretty import pprint

    pprint(facts, console=Console(), expand_all=True)


@app.command("check", epilog="Example: dcomplete models check smol-135m")
def check(
    name: Annotated[str, typer.Argument(help="Name or folder.")] = "",
    stale: Annotated[
        int, typer.Option(help="Measure instead what keeping the context for N steps costs.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Run a model's self-tests; exit status 2 if one fails.

    A question mark stands where the model knows too little for the test to say anything.
    """
    from dcomplete.engine.load import load_engine

    if stale:
        _measure(name, stale, as_json)
        return
    from dcomplete.engine.selfcheck import self_check

    results = self_check(load_engine(name))
    if as_json:
        typer.echo(json.dumps([asdict(r) for r in results]))
    else:
        for result in results:
            mark = "FAIL" if not result.passed else "ok  " if result.told else "?   "
            typer.echo(f"{mark} {result.name}: {result.detail}")
    failed = [r.name for r in results if not r.passed]
    if failed:
        raise ModelError(f"The model fails its self-tests: {', '.join(failed)}.")


def _measure(name: str, stale: int, as_json: bool) -> None:
    from dcomplete.engine.load import load_engine
    from dcomplete.engine.staleness import staleness

    seen = staleness(load_engine(name), stale)
    if as_json:
        typer.echo(json.dumps(asdict(seen)))
        return
    typer.echo(
        f"A context kept for {seen.refresh} steps: predictions are {seen.nats:.4f} nats off, "
        f"{seen.agreement:.1%} of the most probable tokens are the same, "
        f"{seen.computed:.1%} of the tokens are computed."
    )


@app.command("remove", epilog="Example: dcomplete models remove coder")
def remove(name: Annotated[str, typer.Argument(help="Name.")], as_json: AsJson = False) -> None:
    """Delete an installed model. The embedded ones stay."""
    from dcomplete.models.store import remove as delete

    path = delete(name)
    typer.echo(json.dumps({"removed": str(path)}) if as_json else f"Removed {path}.")
