"""The tables of ``eval/results`` about model and engine: held-out gaps, steps, a GPU's latencies."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

Run = dict[str, Any]
_OLDER = " weights"  # names have "second weights" and the like where weights were replaced since


def replaced(name: str) -> bool:
    """Whether a run's name says that its weights are no longer the embedded ones."""
    return _OLDER in name


def where(runs: Collection[Run], *keys: str) -> str:
    """Where rows of one table come from: every value of `keys`, and every commit, each once."""
    parts = [" and ".join(dict.fromkeys(str(run[key]) for run in runs)) for key in keys]
    commits = list(dict.fromkeys(run["commit"] for run in runs))
    told = f"commit{'s' if len(commits) > 1 else ''} {', '.join(commits)}"
    return ", ".join([*parts, told])


def _how(run: Run) -> str:
    """The run's policy, and its branches where there were any."""
    branches = run.get("branches", 0)
    return f"`{run['policy']}`" + (f", {branches} branches" if branches else "")


def quality(runs: Sequence[Run]) -> str:
    """Held-out infilling, the newest of every model in use, way to decode and knowledge of the length."""
    runs = [run for run in runs if not replaced(run["model"])]
    newest = {(r["model"], _how(r), r["oracle_length"]): r for r in runs if "exact" in r}
    nats = {r["model"]: r["masked_nats"] for r in runs if "masked_nats" in r}
    if not newest:
        return ""
    rows = [
        "| held-out gaps of real packages | policy | length | exact match, single line "
        "| edit similarity | length error (tokens) | forwards | nats a token at 25, 50, 75, 100 % masked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (model, how, told), run in newest.items():
        masked = ", ".join(f"{n:.2f}" for n in nats.get(model, {}).values())
        rows.append(
            f"| {model} | {how} | {'told' if told else 'unknown'} | {run['single_line_exact']} % of "
            f"{run['single_line_gaps']} | {run['edit_similarity']:.2f} | {run['length_error']} "
            f"| {run['forwards']} | {masked} |"
        )
    return "\n".join([*rows, "", f"{where(newest.values(), 'device', 'dtype')}."])


def languages(runs: Sequence[Run]) -> str:
    """Held-out single lines of many languages: how many of each are right, older weights beside."""
    newest = {(run["model"], _how(run)): run for run in runs}
    if not newest:
        return ""
    names = list(
        dict.fromkeys(name for run in newest.values() for name in run["lines_by_language"])
    )
    rows = [
        f"| held-out lines, exactly right | policy | all | {' | '.join(names)} |",
        "|---|---|---" + "|---" * len(names) + "|",
    ]
    for (model, how), run in newest.items():
        right = run["lines_by_language"]
        each = " | ".join("{} of {}".format(*right[n]) if n in right else "" for n in names)
        rows.append(f"| {model} | {how} | {run['single_line_exact']} % | {each} |")
    return "\n".join([*rows, "", f"{where(newest.values(), 'device', 'dtype')}."])


def newest_steps(runs: Sequence[Run]) -> list[Run]:
    """Quality against steps: the newest run of every policy, few forwards first."""
    newest = {_how(run): run for run in runs}
    return sorted(newest.values(), key=lambda run: float(run["forwards"]))


def steps(runs: Sequence[Run]) -> str:
    """What more denoise steps bring."""
    if not runs:
        return ""
    rows = [
        "| quality against steps | exact match, single line | edit similarity | denoise steps "
        "| forwards |",
        "|---|---|---|---|---|",
    ]
    for run in newest_steps(runs):
        rows.append(
            f"| {_how(run)} | {run['single_line_exact']} % of {run['single_line_gaps']} "
            f"| {run['edit_similarity']:.2f} | {run['steps']} | {run['forwards']} |"
        )
    about = f"Model {where(newest_steps(runs), 'model', 'device', 'dtype')}."
    if all(run.get("warm") for run in newest_steps(runs)):
        about += " The context was read before, and is not counted."
    return "\n".join([*rows, "", f"{about} [As a plot](steps.png)."])


def draw_steps(runs: Sequence[Run], picture: Path) -> None:
    """Exact match over forwards, a point for every policy. Needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5))
    families: dict[str, list[Run]] = {}
    for run in newest_steps(runs):
        family = "branches" if run.get("branches") else run["policy"].partition("=")[0]
        families.setdefault(family, []).append(run)
    for name, members in families.items():
        x, y = ([run[key] for run in members] for key in ("forwards", "single_line_exact"))
        axes.plot(x, y, marker="o", label=name)
        for run in members:
            told = run.get("branches") or run["policy"].partition("=")[2]
            where = (run["forwards"], run["single_line_exact"])
            axes.annotate(told, where, textcoords="offset points", xytext=(5, 5), fontsize=8)
    axes.set_xlabel("forward passes per answer, mean")
    axes.set_ylabel("single-line exact match, %")
    axes.set_ylim(bottom=0)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def gpu(runs: Sequence[Run]) -> str:
    """The newest benchmark of every shape on a GPU, with the peers of the same run.

    Where our steps could not be recorded the figures say nothing of the engine: that alone is told.
    """
    if not runs:
        return ""
    newest = {row["shape"]: run for run in runs for row in run["rows"]}
    table = [
        "| random weights of the true shape | context | canvas | steps | who | cache | p50 ms "
        "| p90 ms | tokens/s | of the roofline |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    about: dict[str, list[str]] = {}
    for shape, run in newest.items():
        told = f"{run['device']}, {run['dtype']}, torch {run['torch']}, commit {run['commit']}"
        told += f", {run['remark']}" if "remark" in run else ""
        if f"{shape} graphs" in run["notes"]:
            told += ", its steps were not recorded (engine/LOG.md)"
        else:
            table += [_gpu_row(row) for row in run["rows"] if row["shape"] == shape]
        about.setdefault(told, []).append(shape.upper())
    where = " ".join(f"{' and '.join(shapes)}: {told}." for told, shapes in about.items())
    return "\n".join([*table, "", f"{where} The peers do the same work in the same run."])


def _gpu_row(row: Run) -> str:
    what = (row["shape"].upper(), row["context"], row["canvas"], row["steps"], row["who"])
    took = (f"{row['p50_ms']:.1f}", f"{row['p90_ms']:.1f}", f"{row['tokens_per_s']:.0f}")
    cells = (*what, row["state"], *took, f"{100 * row['roofline']:.0f} %")
    return f"| {' | '.join(map(str, cells))} |"
