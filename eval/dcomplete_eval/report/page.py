"""The report as one page of HTML that asks nothing of any server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval.report import ink
from dcomplete_eval.report.figures import Plot
from dcomplete_eval.report.findings import outcomes
from dcomplete_eval.report.measures import Place
from dcomplete_eval.report.result import Result

_TEMPLATES = Path(__file__).parent / "templates"
_SECTIONS = (
    ("board", "Leaderboard", "boards"),
    ("pairs", "Paired differences", "pairs"),
    ("cost", "Quality against steps", "cost"),
    ("latency", "Latency", "latency"),
    ("length", "Length", "lengths"),
    ("kinds", "By kind and language", "splits"),
    ("replay", "Replayed typing", "replays"),
    ("arena", "Arena", "rankings"),
    ("examples", "Wins and losses", "examples"),
    ("sources", "Sources", "sources"),
)


@dataclass(frozen=True, slots=True)
class _Board:
    """A leaderboard's table, and which of its columns say something."""

    name: str
    places: Sequence[Place]

    @property
    def tasks(self) -> str:
        records = max((p.run.records for p in self.places), key=len)
        groups = len({record.group for record in records})
        of = max(int(p.run.about.get("of") or 0) for p in self.places)
        drawn = f" of {of:,}" if of > len(records) else ""
        return f"{len(records):,}{drawn} tasks in {groups:,} groups"

    @property
    def ran(self) -> bool:
        return any(place.passed is not None for place in self.places)

    @property
    def parsed(self) -> bool:
        return any(place.parses is not None for place in self.places)

    @property
    def named(self) -> bool:
        return any(place.identifiers is not None for place in self.places)

    @property
    def outcomes(self) -> str:
        return outcomes(self.places)


def html(result: Result, plots: Mapping[str, Plot], title: str, made: str) -> str:
    """Render the template; every text of a run is escaped."""
    try:
        import jinja2
        import markupsafe
    except ImportError:
        raise UserError("Reports need jinja2: pip install 'dcomplete[eval]'.") from None
    house = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    house.filters["minus"] = lambda text: str(text).replace("-", "\N{MINUS SIGN}")
    house.filters["breaks"] = lambda text: markupsafe.escape(text).replace(
        ":", markupsafe.Markup(":<wbr>")
    )
    house.globals["role"] = result.palette.role
    context = _context(result, plots)
    there = [(id, name) for id, name, key in _SECTIONS if context.get(key) or plots.get(key)]
    return house.get_template("report.html.j2").render(
        **context,
        title=title,
        contents=there,
        overview=f"{_overview(result)} {result.line[0].upper()}{result.line[1:]}.",
        footer=f"Made by dcomplete eval report on {made}. Statistics: 95 % percentile bootstrap.",
        icon=ink.icon(),
        style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        script=(_TEMPLATES / "sort.js").read_text(encoding="utf-8"),
    )


def _context(result: Result, plots: Mapping[str, Plot]) -> dict[str, Any]:
    rankings = [
        {**ranking, "plot": plots.get(f"votes-{at}")}
        for at, ranking in enumerate(result.material.rankings, 1)
    ]
    return {
        "boards": [_Board(name, places) for name, places in result.boards.items()],
        "pairs": {name: found for name, found in result.pairs.items() if found},
        "said": result.said,
        "plots": plots,
        "lengths": result.lengths,
        "splits": result.splits,
        "replays": result.material.replays,
        "rankings": rankings,
        "examples": result.examples,
        "findings": result.findings,
        "sources": result.sources,
        "ceilings": result.ceilings,
        "runs_line": result.runs_line,
    }


def _overview(result: Result) -> str:
    runs = result.material.runs
    parts = []
    if runs:
        contestants = len({run.contestant for run in runs})
        records = sum(len(run.records) for run in runs)
        parts.append(
            f"{records:,} answers of {contestants} contestants on {len(result.boards)} benchmarks"
        )
    if result.material.replays:
        parts.append(f"{len(result.material.replays)} replays of typing")
    if result.material.rankings:
        parts.append(f"{sum(r['votes'] for r in result.material.rankings):,} votes")
    return ", ".join(parts) + "."
