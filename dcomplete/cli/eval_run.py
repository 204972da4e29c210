"""``dcomplete eval run``: contestants on benchmarks; stopped or killed, the same command goes on."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from dcomplete_eval.run import Runner
    from dcomplete_eval.types import Benchmark, Record, Task

EXAMPLES = """Benchmarks: humaneval-single-line, humaneval-multi-line, humaneval-random-span,
humaneval-random-span-light, santacoder, safim-block, safim-block-v2, safim-control, safim-api,
crosscodeeval, crosscodeeval-bm25, repobench-python, repobench-java, real-fim-eval, mbpp-holes,
holes:FOLDER, typed:FOLDER, heldout:FILE.

Examples:

  dcomplete eval run humaneval-single-line -c engine -c empty --limit 100

  dcomplete eval run humaneval-random-span-light -c engine:policy=topk=8 --oracle

  dcomplete eval run holes:~/project -c engine -c engine:sees=workspace,opened=3   on your own code

  dcomplete eval run humaneval-single-line -c ar:model.gguf,threads=2 -c http+llama:http://127.0.0.1:8080"""


def command(
    benchmarks: Annotated[
        list[str],
        typer.Argument(metavar="BENCHMARK", help="Which tasks; see below.", show_default=False),
    ],
    contestant: Annotated[
        list[str],
        typer.Option(
            "--contestant", "-c", metavar="SPEC", help="Who answers, such as engine. Repeat."
        ),
    ],
    limit: Annotated[int, typer.Option(min=0, help="A sample of so many tasks; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="For the sample.")] = 0,
    jobs: Annotated[int, typer.Option(min=0, help="Threads that judge; 0: one for each core.")] = 0,
    in_turn: Annotated[
        bool,
        typer.Option(
            "--in-turn", help="Judge each answer before the next, so that times are clean."
        ),
    ] = False,
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Engines also with the true length told.")
    ] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="Spread tasks over the Ray cluster that runs already.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the runs' files.")] = Path("eval-runs"),
    data: Annotated[
        Path | None, typer.Option(envvar="DCOMPLETE_EVALDATA", help="Folder of evaluation data.")
    ] = None,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe", help="Run programs of models without the sandbox, if there is none."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only JSON, a line for each run.")
    ] = False,
) -> None:
    """Have contestants fill the gaps of benchmarks, judge each answer, and sum up.

    Every judged task is written at once; after Ctrl-C or a crash the same command goes on where it
    stopped. Tasks that brought an error are asked again.
    """
    from dcomplete_eval import sandbox
    from dcomplete_eval.contestants import check

    if unsafe:
        sandbox.choose(unsafe=True)
    wanted = specs(contestant, oracle)
    for spec in wanted:
        check(spec)
    order = _Order(
        limit, seed, 0 if in_turn else jobs or os.cpu_count() or 1, out, ray, unsafe, quiet=as_json
    )
    found = _read(benchmarks, data)  # before a model is loaded
    lines = []
    for spec in wanted:
        for line in _runs(spec, found, order):
            typer.echo(json.dumps(line))
            lines.append(line)
    if not as_json:
        from rich.console import Console

        for table in tables(lines):
            Console(stderr=True).print(table)


@dataclass(frozen=True, slots=True)
class _Order:
    """How runs are made."""

    limit: int
    seed: int
    jobs: int
    out: Path
    ray: bool
    unsafe: bool
    quiet: bool


def specs(said: Sequence[str], oracle: bool) -> list[str]:
    """The contestants in words; with `oracle` engines twice."""
    found = []
    for spec in said:
        found.append(spec)
        if oracle and spec.partition(":")[0] == "engine" and "length=" not in spec:
            found.append(spec + ("," if ":" in spec else ":") + "length=oracle")
    return found


def _read(names: Sequence[str], data: Path | None) -> "list[tuple[Benchmark, Sequence[Task]]]":
    """The benchmarks and their tasks. Raises UserError."""
    from dcomplete_eval.benchmarks import BENCHMARKS
    from dcomplete_eval.data import folder

    found = [BENCHMARKS.get(name) for name in dict.fromkeys(names)]
    return [(benchmark, benchmark.tasks(folder(data))) for benchmark in found]


def _runs(
    spec: str, benchmarks: "Sequence[tuple[Benchmark, Sequence[Task]]]", order: _Order
) -> Iterator[dict[str, Any]]:
    """A contestant on every benchmark, its model loaded once; a result's line for each."""
    runner = _runner(spec, order)
    try:
        for benchmark, tasks in benchmarks:
            yield _one(runner, benchmark, tasks, order)
    finally:
        runner.close()


def _runner(spec: str, order: _Order) -> "Runner":
    if order.ray:
        from dcomplete_eval.cluster import Cluster

        return Cluster(spec, order.unsafe)
    from dcomplete_eval.contestants import contestant
    from dcomplete_eval.run import Local

    return Local(contestant(spec), order.jobs)


def _one(
    runner: "Runner", benchmark: "Benchmark", tasks: Sequence["Task"], order: _Order
) -> dict[str, Any]:
    from dcomplete_eval.run import head
    from dcomplete_eval.store import Store, read_run, run_file
    from dcomplete_eval.summary import summary
    from dcomplete_eval.types import only

    chosen = only(tasks, order.limit, order.seed)
    store = Store(run_file(order.out, benchmark.name, runner.name))
    said = head(benchmark, runner, tasks, chosen, order.jobs)
    done = {name: r for name, r in store.begin(said).items() if not r.answer.error}
    there = [task.id for task in chosen if task.id in done]
    if there:
        whose = read_run(store.path).about(there)["commit"]
        typer.echo(
            f"{len(there)} of {len(chosen)} answers are there already, of commit {whose}; "
            f"to have them anew, remove {store.path}.",
            err=True,
        )
    with _Bar(f"{runner.name}, {benchmark.name}", len(chosen), order.quiet) as bar:
        for task in chosen:
            if task.id in done:
                bar.count(done[task.id])

        def keep(record: "Record") -> None:
            store.append(record)
            bar.count(record)

        try:
            runner.run(benchmark, [task for task in chosen if task.id not in done], keep)
        except KeyboardInterrupt:
            typer.echo("Stopped; the same command goes on from here.", err=True)
            raise
    whole, names = read_run(store.path), [task.id for task in chosen]
    kept = [whole.records[name] for name in names]
    return {**said, **whole.about(names), "tasks": len(chosen), "of": len(tasks), **summary(kept)}


class _Bar:
    """Progress on stderr, with the share that passed, or was exact where nothing is run, so far."""

    def __init__(self, title: str, total: int, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), disable=quiet)
        self._task = self._bar.add_task(title, total=total, rate="")
        self._seen, self._good = 0, 0
        self._lock = threading.Lock()  # records come from several threads

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def count(self, record: "Record") -> None:
        verdict = record.verdict
        word = "exact" if verdict.passed is None else "passed"
        with self._lock:
            self._seen += 1
            self._good += verdict.exact if verdict.passed is None else verdict.passed
            rate = f"{100 * self._good / self._seen:.1f} % {word}"
        self._bar.update(self._task, advance=1, rate=rate)


def tables(lines: Sequence[dict[str, Any]]) -> "Iterator[Table]":
    """The runs for people: a table for each benchmark, a row for each contestant."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    heads = ("pass@1 %", "exact", "similar", "tokens off", "steps", "p50/p90")
    for name in dict.fromkeys(line["benchmark"] for line in lines):
        mine = [line for line in lines if line["benchmark"] == name]
        found = Table(
            title=f"{name}, {mine[0]['tasks']} tasks", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        found.add_column("contestant", overflow="fold", min_width=14)
        for head in heads:
            found.add_column(head, justify="right", no_wrap=True)
        for line in mine:
            times = line["ms"] or {}
            trouble = f" ({line['errors']} errors)" if line["errors"] else ""
            found.add_row(
                line["contestant"] + trouble,
                _interval(line["pass"]),
                *(_plain((line[name] or {}).get("value")) for name in ("exact", "similarity")),
                *(_plain(line[name]) for name in ("length_error", "steps")),
                "\n".join(f"{times[name]:,.0f} ms" for name in ("p50", "p90") if times),
            )
        yield found


def _interval(share: dict[str, float | None] | None) -> str:
    if share is None or share["value"] is None:
        return "-"
    low, high = share["low"], share["high"]
    ends = "" if low is None or high is None else f"\n{low:.1f}-{high:.1f}"
    return f"{share['value']:.1f}{ends}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
