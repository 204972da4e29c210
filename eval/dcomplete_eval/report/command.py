"""``dcomplete eval report``: one page about runs, replays and votes."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dcomplete.errors import UserError
from dcomplete.provenance import commit
from dcomplete_eval.data import folder as data_folder
from dcomplete_eval.report import figures, page
from dcomplete_eval.report.examples import Tasks
from dcomplete_eval.report.markdown import markdown
from dcomplete_eval.report.result import Result, compute
from dcomplete_eval.report.result import as_json as told
from dcomplete_eval.report.runs import Run, read_all

_OFFLINE = "HF_HUB_OFFLINE"

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
    tasks = _tasks(material.runs, data_folder(data)) if examples else {}
    result = compute(material, tasks, examples, seed)
    folder = plots or out.with_name(f"{out.stem}-plots")
    beside = table or out.with_suffix(".md")
    drawn = _drawn(result, folder, out.parent)
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
        "plots": [str(folder / f"{name}.png") for name in drawn],
    }
    typer.echo(json.dumps(files | told(result)))


def _drawn(result: Result, folder: Path, page_folder: Path) -> dict[str, figures.Plot]:
    try:
        page_folder.mkdir(parents=True, exist_ok=True)
        return figures.drawn(result, folder)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None


def _tasks(runs: Iterable[Run], data: Path) -> Tasks:
    """The tasks themselves, where the very data of the runs are at hand; a report does without."""
    from dcomplete_eval.benchmarks import BENCHMARKS
    from dcomplete_eval.run import digest

    found = {}
    wanted = {run.benchmark: run.about.get("data") for run in runs}
    for name, known in wanted.items():
        with suppress(UserError, ImportError), _offline():
            tasks = BENCHMARKS.get(name).tasks(data)
            if digest(tasks) == known:
                found.update({(name, task.id): task for task in tasks})
    return found


@contextmanager
def _offline() -> Iterator[None]:
    """A report downloads nothing."""
    before = os.environ.get(_OFFLINE)
    os.environ[_OFFLINE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_OFFLINE)
        if before is not None:
            os.environ[_OFFLINE] = before
