"""What is suggested in lines that are being typed, and how much of it is right as far as it goes."""

from collections.abc import Iterable, Sequence

from dcomplete_eval.tables_engine import Run, where


def _newest(runs: Iterable[Run]) -> list[Run]:
    """Of each benchmark and contestant."""
    return list({(run["benchmark"], run["contestant"]): run for run in runs}.values())


def suggested(runs: Sequence[Run]) -> str:
    """The newest run of every contestant; no run, no table."""
    newest = _newest(runs)
    if not newest:
        return ""
    rows = [
        "| lines being typed | shown | places | something suggested "
        "| right as far as it goes, 95 % interval | characters right, wrong a place | p50, p90 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in newest:
        ms = run["ms"]
        rows.append(
            f"| {run['lines']} | {run['shown']} | {run['tasks']} | {run['answered']:.0f} % "
            f"| {_right(run)} | {run['right_characters']:.1f}, {run['wrong_characters']:.1f} "
            f"| {ms['p50']:.0f}, {ms['p90']:.0f} |"
        )
    return "\n".join([*rows, "", f"{where(newest, 'machine')}, {newest[-1]['times']}."])


def in_short(runs: Sequence[Run]) -> list[str]:
    """A line for the project's page: of each benchmark what ships."""
    shipped = [run for run in _newest(runs) if run["shipped"]]
    if not shipped:
        return []
    told = "; ".join(
        f"{run['lines']}: something at {run['answered']:.0f} % of {run['tasks']} places, of that "
        f"{_right(run)}"
        for run in shipped
    )
    return [f"| what comes while a line is typed, right as far as it goes | {told} |"]


def _right(run: Run) -> str:
    found = run["begins"]
    return f"**{found['value']:.0f} %** [{found['low']:.0f}, {found['high']:.0f}]"
