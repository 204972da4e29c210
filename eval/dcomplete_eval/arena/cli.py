"""``dcomplete eval arena``: vote without names, let tests vote, and see who is ahead."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dcomplete.errors import UserError
from dcomplete_eval.arena import results
from dcomplete_eval.arena.setting_up import Setup

EXAMPLES = """Examples:

  dcomplete eval arena serve engine engine:policy=topk       in a browser

  dcomplete eval arena vote engine ar:smollm2.gguf           in this terminal

  dcomplete eval arena auto engine ar:smollm2.gguf empty     let tests vote

  dcomplete eval arena rank                                  who is ahead

  dcomplete eval arena rank --json > ranking.json            for a report

  dcomplete eval arena export --out votes.csv"""

_OWN_CODE = "holes:."  # cut from the source files of the folder one stands in
_TESTED = "humaneval-random-span-light"

app = typer.Typer(
    help="Compare contestants two by two, without names: in a browser, here, or by tests.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Contestants = Annotated[
    list[str],
    typer.Argument(help="Two or more, such as engine, engine:policy=topk, ar:FILE.gguf, empty."),
]
BenchmarkName = Annotated[
    str,
    typer.Option(
        "--benchmark", "-b", help="Where gaps come from: holes:FOLDER cuts them from your code."
    ),
]
Data = Annotated[
    Path | None, typer.Option(envvar="DCOMPLETE_EVALDATA", help="Folder of evaluation data.")
]
Limit = Annotated[int, typer.Option(min=0, help="Draw from so many tasks only; 0: all.")]
PairingName = Annotated[
    str,
    typer.Option(
        "--pairs", help="Who meets: uniform, or latency:T (pairs that answer soon meet more often)."
    ),
]
StorePath = Annotated[
    Path | None,
    typer.Option("--store", envvar="DCOMPLETE_VOTES", help="File of votes; yours, if not given."),
]
KeepCode = Annotated[
    bool, typer.Option("--keep-code", help="Keep the texts too, not only hashes and lengths.")
]
Seed = Annotated[int | None, typer.Option(help="For tasks and pairs; else they differ each time.")]
Minimum = Annotated[
    int, typer.Option(min=1, help="Votes of a contestant before its rank is shown.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Only JSON.")]


@app.command(epilog=EXAMPLES)
def vote(
    contestants: Contestants,
    benchmark: BenchmarkName = _OWN_CODE,
    data: Data = None,
    limit: Limit = 0,
    pairs: PairingName = "uniform",
    votes: Annotated[int, typer.Option(min=0, help="Stop after so many; 0: when you quit.")] = 0,
    store: StorePath = None,
    keep_code: KeepCode = False,
    seed: Seed = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Pairs and votes as lines of JSON, for programs.")
    ] = False,
) -> None:
    """Vote in this terminal: 1, 2, t (tie) or n (neither). Names come after each vote."""
    from dcomplete_eval.arena.lines import converse
    from dcomplete_eval.arena.sitting import Sitting
    from dcomplete_eval.arena.terminal import Terminal

    if not as_json and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("Voting by key needs a terminal; programs use --json.")
    setup = Setup(contestants, benchmark, data, limit, pairs, store, keep_code, seed)
    _, tasks = setup.load()
    with setup.dealer(tasks, "lines" if as_json else "terminal", _say) as dealer:
        sitting = Sitting(dealer)
        try:
            if as_json:
                converse(
                    sitting, sys.stdin, lambda said: print(json.dumps(said), flush=True), votes
                )
            else:
                Terminal(Console(), sitting, typer.getchar).run(votes)
        finally:
            sitting.close()


@app.command(epilog=EXAMPLES)
def serve(
    contestants: Contestants,
    benchmark: BenchmarkName = _OWN_CODE,
    data: Data = None,
    limit: Limit = 0,
    pairs: PairingName = "uniform",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
    store: StorePath = None,
    keep_code: KeepCode = False,
    seed: Seed = None,
    minimum: Minimum = 50,
) -> None:
    """Vote in a browser, on a page that only this machine and only you can open. Ends by Ctrl-C."""
    from dcomplete_eval.arena.sitting import Sitting
    from dcomplete_eval.arena.web import Listener

    setup = Setup(contestants, benchmark, data, limit, pairs, store, keep_code, seed)
    _, tasks = setup.load()
    listener = Listener(port)
    with setup.dealer(tasks, "web", _say) as dealer:
        sitting = Sitting(dealer)
        typer.echo(listener.url)
        _say("Open it in a browser of this machine. Ctrl-C ends the arena.")
        if open_browser:
            typer.launch(listener.url)
        try:
            listener.serve(sitting, minimum)
        finally:
            sitting.close()
        _say(f"{sitting.votes} votes. `dcomplete eval arena rank` shows the ranking.")


@app.command(epilog=EXAMPLES)
def auto(
    contestants: Contestants,
    benchmark: BenchmarkName = _TESTED,
    judge: Annotated[
        list[str], typer.Option(help="tests (do they pass), exact (equal to the truth). Repeat.")
    ] = ["tests"],  # noqa: B006 - typer's way to say a default; never changed
    data: Data = None,
    limit: Limit = 100,
    pairs: Annotated[
        str, typer.Option(help="all: everybody meets on every task; or as in vote.")
    ] = "all",
    jobs: Annotated[int, typer.Option(min=1, help="Answers tested at the same time.")] = 2,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was judged before; else that is left out.")
    ] = False,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe", help="Run programs of models without the sandbox, if there is none."
        ),
    ] = False,
    store: StorePath = None,
    keep_code: KeepCode = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Let a benchmark vote: who passes its tests, who gives the exact truth.

    Such votes are kept apart from people's: see rank --judge. An interrupted round goes on where it was.
    """
    from dcomplete_eval import sandbox
    from dcomplete_eval.arena.judging import Judging

    if unsafe:
        sandbox.choose(unsafe=True)
    everybody = pairs == "all"
    drawn = "uniform" if everybody else pairs
    setup = Setup(contestants, benchmark, data, limit, drawn, store, keep_code, seed)
    found, tasks = setup.load()
    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        setup.dealer(tasks, "auto", _say) as dealer,
        Progress(*columns, console=Console(stderr=True), disable=as_json) as bar,
    ):
        judging = Judging(dealer, found, judge, everybody, jobs, again)
        progress = bar.add_task("", total=len(tasks))
        tally = judging.run(tasks, lambda: bar.advance(progress))
    if not as_json:
        _say(tally.sentence())
    typer.echo(json.dumps({"arena": "auto", "benchmark": found.name, **tally.as_json()}))


app.command(epilog=EXAMPLES)(results.rank)
app.command(epilog=EXAMPLES)(results.export)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
