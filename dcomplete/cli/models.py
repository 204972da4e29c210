"""``dcomplete models``: list, info, check, import, remove."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dcomplete.errors import ModelError, UserError

app = typer.Typer(
    help="The models on this machine.",
    no_args_is_help=True,
    epilog="Example: dcomplete models import ~/Downloads/qwen2.5-coder-0.5b.gguf --name coder",
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog="Example: dcomplete models list --json")
def list_models(as_json: AsJson = False) -> None:
    """Show every installed model."""
    from dcomplete.models.store import DEFAULT, entries

    rows = []
    for entry in entries():
        row: dict[str, Any] = {"name": entry.name, "embedded": entry.embedded, "bytes": entry.bytes}
        try:
            manifest = entry.manifest()
            row |= {"parameters": manifest.net.parameters, "infills": manifest.regime != "base"}
        except ModelError as error:
            row |= {"problem": str(error)}
        rows.append(row | {"default": entry.name == DEFAULT})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "size", "parameters", "infills", "where")
    for row in rows:
        parameters = f"{row['parameters'] / 1e6:.0f} M" if "parameters" in row else "?"
        infills = row.get("problem") or ("yes" if row["infills"] else "no: a base for training")
        name = row["name"] + (" (default)" if row["default"] else "")
        where = "embedded" if row["embedded"] else "installed"
        table.add_row(name, f"{row['bytes'] / 1e6:.0f} MB", parameters, infills, where)
    Console().print(table)


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
    name: Annotated[str, typer.Argument(help="Name or folder.")] = "", as_json: AsJson = False
) -> None:
    """Run a model's self-tests; exit status 2 if one fails.

    A question mark stands where the model knows too little for the test to say anything.
    """
    from dcomplete.engine.load import load_engine
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


@app.command("import", epilog="Example: dcomplete models import Qwen/Qwen2.5-Coder-0.5B")
def import_(
    source: Annotated[str, typer.Argument(help="A GGUF file, a Hugging Face folder, or a hub id.")],
    name: Annotated[str, typer.Option(help="Name to install it under.")] = "",
    as_json: AsJson = False,
) -> None:
    """Install a model from a file, a folder or the hub. safetensors or GGUF; its code is never run."""
    from dcomplete.models.importing import import_model
    from dcomplete.models.store import Installing

    path = Path(source).expanduser()
    if not path.exists():
        path = _download(source)
    chosen = name or (path.stem if path.is_file() else Path(source).name)
    with Installing(chosen) as folder:
        manifest = import_model(path, folder)
    infills = manifest.regime != "base"
    if as_json:
        typer.echo(json.dumps({"name": chosen, "infills": infills}))
        return
    typer.echo(f"Installed {chosen!r} ({manifest.net.parameters / 1e6:.0f} M parameters).")
    if not infills:
        typer.echo(
            "It is an autoregressive base: `dcomplete train run` turns it into an infill model."
        )


def _download(source: str) -> Path:
    """A hub repository's safe files, with the hub library's own progress bars and resume."""
    looks_like_hub = source.count("/") == 1 and not source.startswith((".", "/", "~"))
    if not looks_like_hub:
        raise UserError(f"There is no file or folder {source}.")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise UserError("Downloading needs: pip install 'dcomplete[hub]'.") from None
    safe = ["config.json", "tokenizer.json", "*.safetensors"]
    try:
        return Path(snapshot_download(source, allow_patterns=safe))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{source} could not be downloaded ({reason}); check the name and the network."
        ) from None


@app.command("remove", epilog="Example: dcomplete models remove coder")
def remove(name: Annotated[str, typer.Argument(help="Name.")], as_json: AsJson = False) -> None:
    """Delete an installed model. The embedded ones stay."""
    from dcomplete.models.store import remove as delete

    path = delete(name)
    typer.echo(json.dumps({"removed": str(path)}) if as_json else f"Removed {path}.")
