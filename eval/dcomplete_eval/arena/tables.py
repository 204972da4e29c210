"""A ranking for people: a terminal, Markdown; and what has to be said beside it."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dcomplete_eval.ranking import ELO_PER_LOGIT, Interval, Ranking, Standing

COLUMNS = ("rank", "contestant", "Elo", "95 %", "votes", "won", "lost", "tied")
_BAR, _WIDE = 24, 110  # characters of a bar, and of a terminal that has room for it


def notes(ranking: Ranking) -> list[str]:
    """Sentences without which the numbers would be misread."""
    if not ranking.standings:
        return ["There are no votes yet."]
    found = []
    waiting = [s.name for s in ranking.standings if s.rank is None]
    if waiting:
        found.append(f"A rank is shown from {ranking.minimum} votes on.")
    if ranking.first_share is not None:
        shown = _percents(ranking.first_share)
        found.append(f"The one shown first got {shown} of the votes for a side.")
    if ranking.position is not None:
        found.append(
            f"Between equals the first would get {_percents(ranking.position)}; "
            "the ranking takes that out."
        )
    found.append("A tie or a neither is half a win for each side.")
    how = f"{ranking.clusters} {ranking.resampled}"
    few = " (too few sessions to resample whole ones)" if ranking.resampled == "votes" else ""
    found.append(
        f"Intervals come from resampling {how}{few}, with a prior of "
        f"{ranking.prior_sd * ELO_PER_LOGIT:.0f} Elo around the average."
    )
    return found


def rows(ranking: Ranking) -> list[tuple[str, ...]]:
    """The texts of `COLUMNS`, best first."""
    found: list[tuple[str, ...]] = []
    for standing in ranking.standings:
        found.append(
            (
                "" if standing.rank is None else str(standing.rank),
                standing.name,
                f"{standing.elo.value:.0f}",
                f"{standing.elo.low:.0f} to {standing.elo.high:.0f}",
                str(standing.votes),
                str(standing.wins),
                str(standing.losses),
                str(standing.ties),
            )
        )
    return found


def show(console: Console, ranking: Ranking) -> None:
    """The leaderboard with bars, the matrix of wins, and the notes."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in COLUMNS:
        if name == "contestant":
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    bars = console.width >= _WIDE
    for row, standing in zip(rows(ranking), ranking.standings, strict=True):
        bar = [_bar(standing, ranking.standings)] if bars else []
        table.add_row(*map(escape, row), *bar)
    if ranking.standings:
        console.print(table)
        console.print()
        console.print(_matrix(ranking))
        console.print()
    for note in notes(ranking):
        console.print(note, style="dim")


def markdown(ranking: Ranking) -> str:
    """The leaderboard and its notes."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows(ranking)]
    return "\n".join([*lines, "", *notes(ranking)])


def _matrix(ranking: Ranking) -> Table:
    """Votes won by the row against the column, and the chance of that without a position."""
    table = Table(box=None, header_style="dim", pad_edge=False, title_justify="left")
    table.add_column("won against (P of winning)", overflow="fold")
    for number in range(len(ranking.standings)):
        table.add_column(str(number + 1), justify="right", no_wrap=True)
    for row, standing in enumerate(ranking.standings):
        cells = [
            "·" if row == at else f"{wins} [dim]{ranking.beats[row][at]:.0%}[/dim]"
            for at, wins in enumerate(ranking.wins[row])
        ]
        table.add_row(escape(f"{row + 1} {standing.name}"), *cells)
    return table


def _bar(standing: Standing, all_of_them: Sequence[Standing]) -> str:
    """Where the interval lies among all intervals: ──●──."""
    low = min(one.elo.low for one in all_of_them)
    wide = max(max(one.elo.high for one in all_of_them) - low, 1.0)
    places = [
        round((x - low) / wide * (_BAR - 1))
        for x in (standing.elo.low, standing.elo.value, standing.elo.high)
    ]
    cells = [" "] * _BAR
    for at in range(places[0], places[2] + 1):
        cells[at] = "─"
    cells[places[1]] = "●"
    return "".join(cells)


def _percents(interval: Interval) -> str:
    return f"{interval.value:.0%} ({interval.low:.0%} to {interval.high:.0%})".replace("%", " %")
