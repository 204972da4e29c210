"""The same figures as a Markdown table, to be copied into a README or a paper."""

from collections.abc import Mapping, Sequence
from typing import Any

from dcomplete_eval.intervals import Interval
from dcomplete_eval.report.findings import spelled
from dcomplete_eval.report.measures import Pair, Place
from dcomplete_eval.report.usage_plots import interval


def markdown(
    boards: Mapping[str, Sequence[Place]],
    pairs: Mapping[str, Sequence[Pair]],
    replays: Sequence[Mapping[str, Any]],
    rankings: Sequence[Mapping[str, Any]],
    line: str,
) -> str:
    """Leaderboard, paired differences, replays and rankings; `line` says what they rest on."""
    parts = [_board(name, places) for name, places in boards.items()]
    parts += [_pairs(name, found) for name, found in pairs.items() if found]
    if replays:
        parts.append(_replays(replays))
    parts += [_ranking(ranking) for ranking in rankings]
    return "\n\n".join([*parts, f"95 % intervals in brackets. {line}"]) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A pipe table; the first column is words, the rest numbers."""
    cells = [[_escaped(str(cell)) for cell in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|---" + "|---:" * (len(head) - 1) + "|", *lines[1:]])


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _board(name: str, places: Sequence[Place]) -> str:
    ran = any(place.passed is not None for place in places)
    head = [
        name,
        *(["passes %"] if ran else []),
        "exact %",
        "similarity %",
        "p50 ms",
        "p90 ms",
        "tasks",
    ]
    rows = [
        [
            place.run.contestant + (" (length told)" if place.run.told else ""),
            *([_percent(place.passed)] if ran else []),
            _percent(place.exact),
            _percent(place.similarity),
            *(f"{place.ms[share]:.0f}" if place.ms else "-" for share in (50, 90)),
            f"{len(place.run.records):,}",
        ]
        for place in places
    ]
    return table(head, rows)


def _pairs(name: str, found: Sequence[Pair]) -> str:
    rows = [
        [
            f"{pair.a.contestant} minus {pair.b.contestant}",
            _percent(pair.difference),
            len(pair.wins),
            len(pair.losses),
            f"{pair.tasks:,}",
        ]
        for pair in found
    ]
    return table([f"{name}, paired", "points", "only the first", "only the second", "tasks"], rows)


def _replays(replays: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "replay",
        "contestant",
        "saved of 1,000",
        "completed %",
        "stale %",
        "accepted/shown",
        "typed",
    ]
    rows = []
    for line in replays:
        saved, done = interval(line.get("saved_per_1000")), interval(line.get("rocc"))
        rows.append(
            [
                line["trace"],
                line["contestant"],
                "-" if saved is None else spelled(saved, 1),
                _percent(done),
                "-" if line["stale_share"] is None else f"{line['stale_share']:.1f}",
                f"{line['accepted']}/{line['shown']}",
                f"{line['typed']:,}",
            ]
        )
    return table(head, rows)


def _ranking(ranking: Mapping[str, Any]) -> str:
    rows = []
    for one in ranking["standings"]:
        strength = interval(one["elo"])
        elo = "-" if strength is None else spelled(strength, 1, 0)
        rows.append([one["name"], "-" if one["rank"] is None else one["rank"], elo, one["votes"]])
    return table(["votes", "rank", "Elo", "votes of it"], rows)


def _percent(figure: Interval | None) -> str:
    return "-" if figure is None else spelled(figure, 100)
