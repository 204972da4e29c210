"""``rank`` and ``export``: what is made of votes."""

import csv
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console

from dcomplete.errors import UserError
from dcomplete.provenance import commit
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import PERSON, Ballot
from dcomplete_eval.arena import kept

_STORE = typer.Option(
    "--store", envvar="DCOMPLETE_VOTES", help="File of votes; yours, if not given."
)


def rank(
    judge: Annotated[
        str,
        typer.Option(
            help="Whose votes: person, tests, exact, or kept (votes whose answer stayed)."
        ),
    ] = PERSON,
    source: Annotated[
        str, typer.Option(help="Only votes from here: editor, web, terminal, lines, auto.")
    ] = "",
    language: Annotated[str, typer.Option(help="Only gaps in this language.")] = "",
    minimum: Annotated[int, typer.Option(min=1, help="Votes before a rank is shown.")] = 50,
    after: Annotated[int, typer.Option(help="With kept: seconds, 30, 120 or 600.")] = 120,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="With kept: what must be left of an answer.")
    ] = kept.SHARE,
    position: Annotated[
        bool, typer.Option(help="Take out what being shown first is worth.")
    ] = True,
    prior: Annotated[
        float, typer.Option(min=1, help="Elo: how far contestants are thought to lie apart.")
    ] = 174.0,
    resamples: Annotated[int, typer.Option(min=10, help="For the intervals.")] = 1000,
    check: Annotated[
        bool, typer.Option("--check", help="Also by evalica, which knows no position, no prior.")
    ] = False,
    store: Annotated[Path | None, _STORE] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Only JSON.")] = False,
) -> None:
    """Rank contestants by Bradley-Terry, with intervals, from all votes of one judge."""
    from dcomplete_eval import ranking
    from dcomplete_eval.arena import tables
    from dcomplete_eval.arena.judging import JUDGES
    from dcomplete_eval.bradley_terry import Model

    judges = (PERSON, *JUDGES, kept.JUDGE)
    if judge not in judges:
        raise UserError(f"There is no judge {judge!r}; there are {', '.join(judges)}.")
    with VoteStore(store) as votes:
        found = (
            kept.kept_ballots(votes, after, share) if judge == kept.JUDGE else votes.ballots(judge)
        )
        apart = {kind.value: count for kind, count in votes.kinds().items()}
    ballots = [b for b in found if source in ("", b.source) and language in ("", b.language)]
    model = Model(prior / float(ranking.ELO_PER_LOGIT), position)
    ranked = ranking.rank(ballots, minimum, model, resamples)
    other = cross_check(ballots) if check and ballots else None
    told = ranked.as_json() | {"notes": tables.notes(ranked)}
    line = {"arena": "ranking", "commit": commit(), "judge": judge, "pairs": apart, **told}
    if other is not None:
        line["evalica"] = other
    if as_markdown:
        typer.echo(tables.markdown(ranked))
    elif not as_json:
        tables.show(Console(), ranked)
        if other is not None:
            _show_check(other)
    if as_json:
        typer.echo(json.dumps(line))


def cross_check(ballots: list[Ballot]) -> dict[str, Any]:
    """Elo by evalica and by ours with position and prior off, and how far they are apart."""
    from dcomplete_eval.bradley_terry import Model, tabulate
    from dcomplete_eval.cross_check import evalica_strengths
    from dcomplete_eval.ranking import ELO_MIDDLE, ELO_PER_LOGIT

    table = tabulate(ballots)
    fit = Model(prior_sd=math.inf, position=False).fit(table)
    theirs = evalica_strengths(ballots)
    scale = float(ELO_PER_LOGIT)
    ours = {name: float(strength) for name, strength in zip(table.names, fit, strict=False)}
    apart = max(abs(ours[name] - theirs[name]) for name in ours) * scale
    return {
        "elo": {name: round(ELO_MIDDLE + scale * s, 2) for name, s in theirs.items()},
        "ours": {name: round(ELO_MIDDLE + scale * s, 2) for name, s in ours.items()},
        "greatest_difference": apart if math.isfinite(apart) else None,
    }


def export(
    out: Annotated[Path | None, typer.Option(help="File; standard output, if not given.")] = None,
    style: Annotated[
        str, typer.Option("--format", help="jsonl or csv; else by the file's name.")
    ] = "",
    code: Annotated[
        bool, typer.Option("--code", help="With the texts, where they were kept.")
    ] = False,
    store: Annotated[Path | None, _STORE] = None,
) -> None:
    """Write everything in the store: a line for each pair, without code unless asked."""
    style = style or (out.suffix.removeprefix(".") if out is not None else "") or "jsonl"
    if style not in ("jsonl", "csv"):
        raise UserError(f"There is no format {style!r}; use jsonl or csv.")
    with VoteStore(store) as votes, _writing(out) as stream:
        rows = votes.rows(code)
        if style == "jsonl":
            for row in rows:
                stream.write(json.dumps(row) + "\n")
        else:
            _write_csv(stream, [_flat(row) for row in rows])


@contextmanager
def _writing(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}.") from None


def _write_csv(stream: TextIO, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    translated = os.name == "nt" and stream is sys.stdout  # which makes CRLF of every LF itself
    end = "\n" if translated else "\r\n"
    writer = csv.DictWriter(stream, names, restval="", lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """One level of names: first_name, vote_person, kept_30."""
    flat = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
    for side in ("first", "second"):
        for name, value in row[side].items():
            flat[f"{side}_{name}"] = json.dumps(value) if name == "settings" else value
    for vote in row["votes"]:
        flat[f"vote_{vote['judge']}"] = vote["choice"]
        flat[f"after_ms_{vote['judge']}"] = vote["after_ms"]
    for check in row["kept"]:
        flat[f"kept_{check['after_s']}"] = check["share"]
    return flat


def _show_check(other: dict[str, Any]) -> None:
    console = Console()
    console.print("\nevalica, and ours without position and prior:", style="dim")
    for name, elo in other["elo"].items():
        console.print(f"  {name}: {elo:.0f}, {other['ours'][name]:.0f}", style="dim", markup=False)
