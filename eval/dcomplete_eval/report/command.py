"""``dcomplete eval report``: one page about runs, replays and votes."""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dcomplete.errors import UserError
from dcomplete.provenance import commit
from dcomplete_eval.report import figures, page
from dcomplete_eval.report.examples import Tasks
from dcomplete_eval.report.markdown import markdown
from dcomplete_eval.report.result import as_json as told
from dcomplete_eval.report.result import compute
from dcomplete_eval.report.runs import read_all

EXAMPLES = """Examples:

  dcomplete eval report runs/ --out report.html

  dcomplete eval report runs/*.jsonl usefulness.jsonl ranking.json --title "Default model, November\""""


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Runs, replays, rankings: files or folders of them.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    plots: Annotated[
        Path | None, typer.Option(help="Folder for PNG plots; default: beside the page.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Markdown table; default: beside the page.")
    ] = None,
    title: Annotated[str, typer.Option(help="The page's heading.")] = "Infilling evaluation",
    examples: Annotated[int, typer.Option(min=0, help="Wins, and losses, of each pair.")] = 3,
    seed: Annotated[int, typer.Option(help="Draws the examples.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="DCOMPLETE_EVALDATA", help="Evaluation data: shows the text around examples."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Write one self-contained page with tables, plots and examples, and a Markdown table.

    Intervals are 95 %, by bootstrap over groups of tasks; differences are paired by task. Files may be
    runs of `dcomplete eval run`, lines of `dcomplete eval replay useful`, and rankings of the arena.
    The last line printed is JSON.
    """
    material = read_all(runs)
    tasks = _tasks({run.benchmark for run in material.runs}, data)
    result = compute(material, tasks, examples, seed)
    folder = plots or out.with_name(f"{out.stem}-plots")
    beside = table or out.with_suffix(".md")
    out.parent.mkdir(parents=True, exist_ok=True)
    drawn = figures.drawn(result, folder)
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit() or 'unknown'}"
    _write(out, page.html(result, drawn, title, made))
    text = markdown(result.boards, result.pairs, material.replays, material.rankings, result.line)
    _write(beside, text)
    if not as_json:
        for finding in result.findings:
            typer.echo(finding, err=True)
        typer.echo(f"Wrote {out}, {beside} and {len(drawn)} plots in {folder}.", err=True)
    files = {
        "html": str(out),
        "markdown": str(beside),
        "plots": sorted(map(str, folder.glob("*.png"))),
    }
    typer.echo(json.dumps(files | told(result)))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None


def _tasks(names: Iterable[str], data: Path | None) -> Tasks:
    """The tasks themselves, where their data are at hand; a report does without."""
    from dcomplete_eval.benchmarks import BENCHMARKS

    if data is None:
        return {}
    found = {}
    for name in names:
        with suppress(UserError, ImportError):
            found.update({(name, task.id): task for task in BENCHMARKS.get(name).tasks(data)})
    return found
