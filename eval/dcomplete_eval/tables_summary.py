"""The few figures that a newcomer asks for: how often right, how fast, beside what."""

from collections.abc import Callable, Sequence

from dcomplete_eval.tables_engine import Run, replaced
from dcomplete_eval.tables_typed import in_short


def summary(
    benchmarks: Sequence[Run],
    held_out: Sequence[Run],
    languages: Sequence[Run],
    typed: Sequence[Run],
    timed: Sequence[Run],
    overhead: Sequence[Run],
    gpu: Sequence[Run],
) -> str:
    """One line a question, each with the machine that answered it; what was not measured is left out."""
    lines = [
        *_lines_right(benchmarks),
        *_held_out(held_out),
        *_languages(languages),
        *in_short(typed),
        *_answer_times(timed),
        *_overhead(overhead),
        *_gpu(gpu),
    ]
    rest = (
        "[All tables](eval/results/README.md): other gaps and policies, quality against steps, replays of "
        "typing, llama.cpp beside it, every graphics card."
    )
    return "\n".join(["| | |", "|---|---|", *lines, "", rest])


def _newest(runs: Sequence[Run], wanted: Callable[[Run], bool]) -> Run | None:
    return next((run for run in reversed(runs) if wanted(run)), None)


def _lines_right(runs: Sequence[Run]) -> list[str]:
    def of(name: str, tasks: int = 1) -> Run | None:
        return _newest(runs, lambda run: run["contestant"] == name and run["tasks"] >= tasks
                       and run["benchmark"] == "humaneval-single-line")  # fmt: skip

    first, best = of("smol-135m", 1033), of("smol-135m, 8 branches", 1033)
    base = of("smollm2-135m-llama.cpp")
    if first is None:
        return []
    told = f"**{_percent(first)}** the first answer"
    if best is not None:
        told = f"**{_percent(best)}** the best of eight answers, {_percent(first)} the first one"
    if base is not None:
        told += f"; the base through llama.cpp, told the number of lines, {_percent(base)}"
    return [f"| HumanEval-Infilling, single lines, pass@1 | {told} |"]


def _percent(run: Run) -> str:
    passed = run["pass"]
    of = "" if run["tasks"] == run["of"] else f" of {run['tasks']}"
    ends = "" if passed["low"] is None else f" [{passed['low']:.0f}, {passed['high']:.0f}]"
    return f"{passed['value']:.0f} %{ends}{of}"


def _held_out(runs: Sequence[Run]) -> list[str]:
    mine = [r for r in runs if "exact" in r and r["policy"] == "verify" and not r["oracle_length"]]
    mine = [run for run in mine if run["model"] == "smol-135m"]
    first = _newest(mine, lambda run: not run.get("branches"))
    if first is None:
        return []
    gaps = first["single_line_gaps"]  # both of the same ones
    best = _newest(mine, lambda r: r.get("branches") == 8 and r["single_line_gaps"] == gaps)
    told = f"{_exact(first)} the first answer"
    if best is not None:
        told = f"{_exact(best)} the best of eight, {_exact(first)} the first one"
    what = f"{gaps} lines of Python packages it was not trained on, exactly right"
    return [f"| {what} | {told} |"]


def _languages(runs: Sequence[Run]) -> list[str]:
    first = _newest(runs, lambda run: run["model"] == "smol-135m" and not run["branches"])
    if first is None:
        return []
    count = len(first["lines_by_language"])
    what = f"{first['single_line_gaps']} lines of {count} other languages, exactly right"
    return [f"| {what} | {_exact(first)} the first answer |"]


def _exact(run: Run) -> str:
    return f"{run['single_line_exact']:.0f} %"


def _answer_times(runs: Sequence[Run]) -> list[str]:
    lines = [run for run in runs if run["benchmark"] == "humaneval-single-line"]
    now = [run for run in lines if not replaced(run["contestant"])]
    fresh = any(run["settings"]["kind"] == "engine" for run in now)
    lines = now if fresh else lines  # until the weights in use are timed
    ours = _newest(lines, lambda run: run["settings"].get("length") == "auto"
                   and not run["settings"].get("branches"))  # fmt: skip
    best = _newest(lines, lambda run: run["settings"].get("branches") == 8)
    if ours is None:
        return []
    told = f"p50 {ours['ms']['p50']:.0f} ms, p90 {ours['ms']['p90']:.0f} ms"
    base = _newest(lines, lambda run: run["settings"]["kind"] == "ar")
    for name, other in (("the best of eight", best), ("the base through llama.cpp", base)):
        if other is not None and other["commit"] == ours["commit"]:
            told += f"; {name} {other['ms']['p50']:.0f} and {other['ms']['p90']:.0f} ms"
    whose = "" if fresh else ", measured with the weights before"
    return [f"| time of such an answer, one after another, {ours['machine']}{whose} | {told} |"]


def _overhead(runs: Sequence[Run]) -> list[str]:
    if not runs:
        return []
    ms = runs[-1]["overhead_ms"]
    told = f"p50 {ms['p50']:.0f} ms, p99 {ms['p99']:.0f} ms"
    about = f"a keystroke in a file of {runs[-1]['lines']:,} lines, all but the model"
    return [f"| {about}, {runs[-1]['device']} | {told} |"]


def _gpu(runs: Sequence[Run]) -> list[str]:
    """Ours, warm, of the smallest shape whose steps were recorded, and how far behind the others are."""
    run = _newest(runs, lambda run: not run["notes"])
    if run is None:
        return []
    row = next(row for row in run["rows"] if row["who"] == "ours" and row["state"] == "warm")
    ratios = {k: v for k, v in run["ratios"][0].items() if isinstance(v, float)}
    others = ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
    what = (
        f"a canvas of {row['canvas']} tokens in {row['steps']} steps behind {row['context']:,}, "
        f"{row['shape'].upper()} parameters, {run['device']}"
    )
    what += f", {run['remark']}" if "remark" in run else ""
    return [f"| {what} | {row['p50_ms']:.0f} ms; others take so many times as long: {others} |"]
