"""`dcomplete train`: make training data, and (later) train, evaluate and export a model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dcomplete.train.prepare import Report

app = typer.Typer(
    help="Turn a causal language model into an infill diffusion model.", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """Keeps `prepare` a sub-command while it is the only one."""


@app.command(
    epilog="Example: dcomplete train prepare data --tokenizer tokenizer.json "
    "--evaluation evaldata --max-examples 60000"
)
def prepare(
    out: Annotated[Path, typer.Argument(help="Folder to write shards and manifest into.")],
    tokenizer: Annotated[Path, typer.Option(help="The model's tokenizer.json.")],
    folder: Annotated[
        list[Path] | None,
        typer.Option(help="More source files: a project, or a folder of unpacked wheels. Repeat."),
    ] = None,
    stdlib: Annotated[bool, typer.Option(help="Read this Python's standard library.")] = True,
    installed: Annotated[
        bool, typer.Option(help="Read installed packages with a permissive licence.")
    ] = True,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a pinned list of packages with pip.")
    ] = False,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            envvar="DCOMPLETE_EVALDATA",
            help="Evaluation data that must not leak: HumanEval or MBPP files or folders. Repeat.",
        ),
    ] = None,
    leak_check: Annotated[bool, typer.Option(help="Drop files that leak evaluation data.")] = True,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="A package to keep out of training, besides the default ones. Repeat."),
    ] = None,
    hold_out_folder: Annotated[
        list[Path] | None, typer.Option(help="Unpacked packages to cut held-out gaps from. Repeat.")
    ] = None,
    max_examples: Annotated[int | None, typer.Option(min=1, help="Most examples to write.")] = None,
    per_document: Annotated[int, typer.Option(min=1, help="Most examples of one file.")] = 40,
    package_share: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="Largest share of one package.")
    ] = 0.12,
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language, as 'python'. Repeat.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed and files give the same data.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Cut source files into training gaps and write them as shards."""
    from dcomplete.train.download import HELD_OUT
    from dcomplete.train.prepare import PrepareOptions
    from dcomplete.train.prepare import prepare as run

    report = run(
        PrepareOptions(
            out=out, tokenizer=tokenizer, folders=tuple(folder or ()), stdlib=stdlib,
            installed=installed, download=download, evaluation=tuple(evaluation or ()),
            leak_check=leak_check, held_out=(*HELD_OUT, *(hold_out or ())),
            held_out_folders=tuple(hold_out_folder or ()), max_examples=max_examples,
            per_document=per_document, package_share=package_share,
            languages=tuple(language or ()), workers=workers, seed=seed, progress=not as_json,
        )
    )  # fmt: skip
    typer.echo(json.dumps(asdict(report)) if as_json else _told(report))


def _told(report: "Report") -> str:
    lines = [
        f"{report.examples:,} examples with {report.tokens:,} tokens, from {report.documents:,} files"
        f" of {report.packages} packages, in {report.seconds['total']:.0f} s: {report.out}",
        "Dropped: " + (", ".join(f"{n:,} {why}" for why, n in report.dropped.items()) or "nothing"),
        "Kinds: " + ", ".join(f"{n:,} {kind}" for kind, n in report.kinds.items()),
        f"Held out: {report.held_out} gaps."
        if report.held_out
        else "No held-out gaps: give --hold-out-folder, or --download.",
    ]
    if not report.leak_check["checked"]:
        lines.append("Leaks of evaluation data were NOT checked.")
    return "\n".join(lines)
