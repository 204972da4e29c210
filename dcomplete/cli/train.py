"""`dcomplete train`: write training data."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcomplete.cli import train_eval, train_export, train_quantize, train_run, train_trim

if TYPE_CHECKING:
    from dcomplete.train.manifest import Report

app = typer.Typer(
    help="Turn a causal language model into an infill diffusion model.", no_args_is_help=True
)

_EXAMPLE = (
    "Example: dcomplete train prepare data --tokenizer tokenizer.json --evaluation evaldata"
    " --max-examples 60000"
)
_Out = Annotated[Path, typer.Argument(help="Folder to write shards and the manifest into.")]
_Tokenizer = Annotated[Path, typer.Option(help="The model's tokenizer.json.")]
_Folders = Annotated[
    list[Path] | None,
    typer.Option(help="More source files: a project, or a folder of unpacked wheels. Repeat."),
]
_Stdlib = Annotated[bool, typer.Option(help="Read this Python's standard library.")]
_Installed = Annotated[
    bool, typer.Option(help="Read installed packages that have a permissive licence.")
]
_Download = Annotated[
    bool,
    typer.Option("--download", help="Also fetch a pinned list of packages; none of them is run."),
]
_Packages = Annotated[
    list[Path] | None,
    typer.Option(
        help="With --download: a file with other packages, one a line: name==version, "
        "npm:name@version, deb:name=version. Repeat."
    ),
]
_HoldOutPackages = Annotated[
    list[Path] | None,
    typer.Option(help="With --download: such a file for held-out gaps. Repeat."),
]
_Evaluation = Annotated[
    list[Path] | None,
    typer.Option(
        envvar="DCOMPLETE_EVALDATA",
        help="Evaluation data that must not leak: HumanEval or MBPP files, or folders. Repeat.",
    ),
]
_LeakCheck = Annotated[bool, typer.Option(help="Drop files that share text with evaluation data.")]
_HoldOut = Annotated[
    list[str] | None,
    typer.Option(help="A package to keep out of training, besides the default ones. Repeat."),
]
_HoldOutFolders = Annotated[
    list[Path] | None, typer.Option(help="Unpacked packages to cut held-out gaps from. Repeat.")
]
_MaxExamples = Annotated[int | None, typer.Option(min=1, help="Most examples to write.")]
_PerDocument = Annotated[int, typer.Option(min=1, help="Most examples of one file.")]
_PackageShare = Annotated[
    float, typer.Option(min=0.001, max=1.0, help="Largest share of one package.")
]
_OthersShare = Annotated[
    float,
    typer.Option(min=0.0, max=0.99, help="Most of languages other than Python, together."),
]
_Surroundings = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Share of the gaps that are shown as an editor shows them: other files' text first.",
    ),
]
_Languages = Annotated[
    list[str] | None, typer.Option(help="Only this language, such as python. Repeat.")
]
_Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 means one for each core.")]
_Seed = Annotated[int, typer.Option(help="The same seed and files give the same data.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


app.command("run", epilog=train_run.EXAMPLES)(train_run.command)
app.command("eval", epilog=train_eval.EXAMPLES)(train_eval.command)
app.command("trim", epilog=train_trim.EXAMPLES)(train_trim.command)
app.command("export", epilog=train_export.EXAMPLES)(train_export.command)
app.command("quantize", epilog=train_quantize.EXAMPLES)(train_quantize.command)


@app.command(epilog=_EXAMPLE)
def prepare(
    out: _Out,
    tokenizer: _Tokenizer,
    folder: _Folders = None,
    stdlib: _Stdlib = True,
    installed: _Installed = True,
    download: _Download = False,
    packages: _Packages = None,
    hold_out_packages: _HoldOutPackages = None,
    evaluation: _Evaluation = None,
    leak_check: _LeakCheck = True,
    hold_out: _HoldOut = None,
    hold_out_folder: _HoldOutFolders = None,
    max_examples: _MaxExamples = None,
    per_document: _PerDocument = 40,
    package_share: _PackageShare = 0.12,
    others_share: _OthersShare = 0.15,
    surroundings: _Surroundings = 0.5,
    language: _Languages = None,
    workers: _Workers = 0,
    seed: _Seed = 0,
    as_json: _Json = False,
) -> None:
    """Cut source files into training gaps and write them as shards."""
    from dcomplete.train.download import HELD_OUT
    from dcomplete.train.prepare import PrepareOptions
    from dcomplete.train.prepare import prepare as run

    options = PrepareOptions(
        out=out, tokenizer=tokenizer, folders=tuple(folder or ()), stdlib=stdlib,
        installed=installed, download=download, packages=tuple(packages or ()),
        held_out_packages=tuple(hold_out_packages or ()), evaluation=tuple(evaluation or ()),
        leak_check=leak_check, held_out=(*HELD_OUT, *(hold_out or ())),
        held_out_folders=tuple(hold_out_folder or ()), max_examples=max_examples,
        per_document=per_document, package_share=package_share, others_share=others_share,
        surroundings=surroundings, languages=tuple(language or ()), workers=workers, seed=seed,
        progress=not as_json,
    )  # fmt: skip
    report = run(options)
    typer.echo(json.dumps(asdict(report)) if as_json else _told(report))


def _told(report: "Report") -> str:
    dropped = ", ".join(f"{n:,} {why}" for why, n in report.dropped.items()) or "nothing"
    lines = [
        f"{report.examples:,} examples with {report.tokens:,} tokens from {report.documents:,}"
        f" files of {report.packages} packages in {report.seconds['total']:.0f} s: {report.out}",
        f"Dropped: {dropped}.",
        "Kinds: " + ", ".join(f"{n:,} {kind}" for kind, n in report.kinds.items()) + ".",
        f"Other files' text or an outline stands before {report.surrounded:,} of them.",
        f"Held out: {report.held_out} gaps.",
    ]
    if not report.held_out:
        lines[-1] += " Give --hold-out-folder or --download to have some."
    if silent := report.leak_check.get("files_without_text"):
        lines.append(f"No text to check leaks against was found in {', '.join(silent)}.")
    if not report.leak_check["checked"]:
        lines.append("Leaks of evaluation data were NOT checked.")
    return "\n".join(lines)
