"""The tables of ``eval/results`` about whole answers: benchmarks, latencies, typing."""

from collections.abc import Sequence

from dcomplete_eval.tables_engine import Run, replaced, where

_BOUNDS = ("gold", "empty")


def latency(runs: Sequence[Run]) -> str:
    """The newest engine benchmark with a peer, of each policy."""
    newest = {run["policy"]: run for run in runs if run["peers"]}
    return "\n\n".join(_latency(run) for run in newest.values())


def _latency(run: Run) -> str:
    peers = " | ".join(f"{p['engine']} p50" for p in run["peers"])
    rows = [
        f"| about 1,000 tokens of context | p50 ms | p90 ms | forwards | {peers} | ratio |",
        "|---|---|---|---|" + "---|" * (len(run["peers"]) + 1),
    ]
    names = {"cold": "cold, first token", "warm10": "warm, 10 tokens", "warm32": "warm, 32 tokens"}
    for key, said in names.items():
        ours = run["ours"][key]
        rivals = " | ".join(f"{p[key]['p50_ms']:.0f}" for p in run["peers"])
        cells = f"{ours['p50_ms']:.0f} | {ours['p90_ms']:.0f} | {ours['forwards']:.1f}"
        rows.append(f"| {said} | {cells} | {rivals} | {run['ratios'][key]} |")
    about = f"{run['device']}, {run['dtype']}, policy `{run['policy']}`, commit {run['commit']}."
    return "\n".join([*rows, "", f"{about} The ratio is ours over the faster llama.cpp's."])


def infilling(runs: Sequence[Run]) -> str:
    """The newest run of every contestant with weights in use on HumanEval-Infilling; no run, no table."""
    runs = [run for run in runs if not replaced(run["contestant"])]
    newest = {(run["benchmark"], run["contestant"]): run for run in runs}
    if not newest:
        return ""
    rows = [
        "| HumanEval-Infilling | contestant | tasks | pass@1, 95 % interval | exact | length error "
        "(tokens) | forwards |",
        "|---|---|---|---|---|---|---|",
    ]
    for (benchmark, name), run in sorted(newest.items()):
        passed, error, passes = run["pass"], run["length_error"], run["forwards"]
        rows.append(
            f"| {benchmark.removeprefix('humaneval-')} | `{name}` | {run['tasks']} of {run['of']} "
            f"| {_percent(passed)} "
            f"| {run['exact']['value']:.1f} % | {'' if error is None else f'{error:.1f}'} "
            f"| {'' if passes is None else f'{passes:.1f}'} |"
        )
    about = (
        f"{where(newest.values(), 'machine')}; `oracle` is told the true length, the rest is "
        "not; llama.cpp continues the prefix with the same base and is told the number of lines. "
        "[The report](humaneval/report.html) (its times were taken beside other work)."
    )
    return "\n".join([*rows, "", about])


def surroundings(runs: Sequence[Run]) -> str:
    """What it brings to show more than the gap's own file, the newest of every contestant."""
    newest = {run["contestant"]: run for run in runs}
    if not newest:
        return ""
    rows = [
        "| lines of held-out packages | shown | lines | exactly right, 95 % interval | edit similarity |",
        "|---|---|---|---|---|",
    ]
    for name, run in newest.items():
        rows.append(
            f"| `{name}` | {run['shown']} | {run['tasks']} | {_percent(run['exact'])} "
            f"| {run['similarity']['value']:.1f} |"
        )
    return "\n".join([*rows, "", f"{where(newest.values(), 'machine')}."])


def timed(runs: Sequence[Run]) -> str:
    """Contestants asked one after another, each answer judged before the next: what one costs."""
    known = [run for run in runs if run["settings"]["kind"] not in _BOUNDS]
    newest = {(run["benchmark"], run["contestant"]): run for run in known}
    runs = list(newest.values())
    if not runs:
        return ""
    rows = [
        "| asked in turn | contestant | tasks | pass@1 | p50 ms | p90 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        ms = run["ms"]
        rows.append(
            f"| {run['benchmark'].removeprefix('humaneval-')} | `{run['contestant']}` | {run['tasks']} "
            f"| {run['pass']['value']:.1f} % | {ms['p50']:.0f} | {ms['p90']:.0f} | {ms['p99']:.0f} |"
        )
    about = (
        f"{where(runs, 'machine')}. [The report](timed/report.html), with the replays of typing."
    )
    return "\n".join([*rows, "", about])


def typing(runs: Sequence[Run], overhead: Sequence[Run]) -> str:
    """The newest replay of every trace, and the newest overhead."""
    newest = {run["trace"]: run for run in runs}
    if not newest:
        return ""
    rows = [
        "| recorded typing, real server | keystrokes | requests | overtaken | answered "
        "| keystroke to answer p50, p90 ms | tokens a keystroke | memory growth |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, run in newest.items():
        said, ms, grown = run["outcomes"], run["answer_ms"], run["memory_growth_percent"]
        overtaken = said.get("cancelled", 0) + said.get("superseded", 0)
        answered = said.get("suggested", 0) + said.get("refused", 0)
        growth = ", ".join(f"{who} {percent} %" for who, percent in grown.items())
        rows.append(
            f"| {name} | {run['keystrokes']} | {run['requests']} | {overtaken} | {answered} "
            f"| {ms['p50']}, {ms['p90']} | {run['tokens_per_keystroke']} | {growth} |"
        )
    run = next(reversed(newest.values()))
    speed = f"{run['pace']['speed']:g} times as fast as typed"
    text = "\n".join([*rows, "", f"{speed}, {where(newest.values(), 'device')}."])
    if overhead:
        ms = overhead[-1]["overhead_ms"]
        text += (
            f" Everything but the model, on a {overhead[-1]['lines']}-line Python file: "
            f"p50 {ms['p50']} ms, p99 {ms['p99']} ms (commit {overhead[-1]['commit']})."
        )
    return text


def usefulness(runs: Sequence[Run]) -> str:
    """The newest usefulness replay of every trace with every contestant, in counted and in real time."""
    newest = {(run["trace"], run["contestant"], run["clock"]): run for run in runs}
    if not newest:
        return ""
    rows = [
        "| recorded typing, simulated author | contestant | time | typed characters "
        "| saved of 1,000 [95 %] | completed code | stale | keystroke to shown p50, p90 ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (trace, contestant, clock), run in newest.items():
        saved, ms = run["saved_per_1000"], run["shown_ms"]
        times = f"{ms['p50']:.0f}, {ms['p90']:.0f}" if ms else "-"
        rows.append(
            f"| {trace} | `{contestant}` | {clock} | {run['typed']:,} | {_bounded(saved)} "
            f"| {100 * run['rocc']['value']:.1f} % | {run['stale_share']:.1f} % | {times} |"
        )
    told = (
        "The author takes what is right at once: an upper bound. Gold is the truth itself. In virtual "
        "time each request is asked by itself; in real time somebody types into one open document."
    )
    return "\n".join([*rows, "", f"{where(newest.values(), 'machine')}. {told}"])


def _percent(figure: dict[str, float | None]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    return f"{value:.1f} %" + ("" if low is None else f" [{low:.1f}, {high:.1f}]")


def _bounded(figure: dict[str, float | None]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    return f"{value:.1f}" if low is None or high is None else f"{value:.1f} [{low:.1f}, {high:.1f}]"
