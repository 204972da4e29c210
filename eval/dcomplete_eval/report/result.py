"""Everything a report computes, before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dcomplete_eval.report import sources
from dcomplete_eval.report.breakdown import Length, Point, Split, length, points, split
from dcomplete_eval.report.examples import Example, Tasks, examples, golds
from dcomplete_eval.report.findings import findings
from dcomplete_eval.report.ink import Palette
from dcomplete_eval.report.measures import (
    Pair,
    Place,
    ceilings,
    leaderboard,
    main_score,
    pairs,
    passed,
)
from dcomplete_eval.report.runs import Material, Run
from dcomplete_eval.report.sources import Source

Examples = list[tuple[Pair, list[tuple[str, list[Example]]]]]


@dataclass(frozen=True, slots=True)
class Result:
    """Boards, pairs and points are by benchmark; `said` names each benchmark's score."""

    material: Material
    palette: Palette
    boards: Mapping[str, Sequence[Place]]
    said: Mapping[str, str]
    pairs: Mapping[str, Sequence[Pair]]
    ceilings: Sequence[Pair]  # what knowing the length is worth
    points: Mapping[str, Sequence[Point]]
    lengths: Sequence[Length]
    splits: Sequence[Split]
    examples: Examples
    findings: Sequence[str]
    sources: Sequence[Source]

    @property
    def line(self) -> str:
        """What everything rests on."""
        return sources.line(self.sources)

    @property
    def runs_line(self) -> str:
        """What the benchmarks rest on."""
        return sources.line(map(sources.of_run, self.material.runs))


def compute(material: Material, tasks: Tasks, count: int = 3, seed: int = 0) -> Result:
    """All figures; `count` examples of each kind for each pair, drawn by `seed`."""
    grouped: dict[str, list[Run]] = {}
    for run in material.runs:
        grouped.setdefault(run.benchmark, []).append(run)
    boards = {name: leaderboard(runs) for name, runs in grouped.items()}
    paired = {name: pairs(places) for name, places in boards.items()}
    tops = {name: ceilings(places) for name, places in boards.items()}
    said = {
        name: "tests passed" if main_score(runs) is passed else "exact match"
        for name, runs in grouped.items()
    }
    ordered = [place.run for places in boards.values() for place in places]
    measured = [one for run in ordered if run.competes and (one := length(run))]
    return Result(
        material=material,
        palette=_palette(material),
        boards=boards,
        said=said,
        pairs=paired,
        ceilings=[pair for found in tops.values() for pair in found],
        points={name: found for name, places in boards.items() if (found := points(places))},
        lengths=measured,
        splits=_splits(boards),
        examples=_examples(paired, tasks, material, count, seed),
        findings=findings(boards, paired, tops, said, material.replays),
        sources=[
            *map(sources.of_run, ordered),
            *map(sources.of_replay, material.replays),
            *map(sources.of_ranking, material.rankings),
        ],
    )


def _palette(material: Material) -> Palette:
    names = [run.contestant for run in material.runs]
    names += [line["contestant"] for line in material.replays]
    names += [one["name"] for ranking in material.rankings for one in ranking["standings"]]
    references = {run.contestant for run in material.runs if run.reference}
    return Palette(names, references | {"gold", "empty"})


def _splits(boards: Mapping[str, Sequence[Place]]) -> list[Split]:
    found = []
    for places in boards.values():
        runs = [place.run for place in places if not place.run.reference]
        found += [
            split(runs, "kind", lambda r: r.kind),
            split(runs, "language", lambda r: r.language),
        ]
    return [one for one in found if one is not None]


def _examples(
    paired: Mapping[str, Sequence[Pair]], tasks: Tasks, material: Material, count: int, seed: int
) -> Examples:
    known = golds(material.runs)
    found: Examples = []
    for pair in (pair for some in paired.values() for pair in some):
        wins, losses = examples(pair, tasks, known, count, seed)
        kinds = [
            (f"only {pair.a.contestant}", wins),
            (f"only {pair.b.contestant}", losses),
        ]
        if wins or losses:
            found.append((pair, kinds))
    return found


def as_json(result: Result) -> dict[str, Any]:
    """The leaderboard and the differences, for programs."""

    def scaled(figure: Any, factor: float = 100, digits: int = 2) -> Any:
        return None if figure is None else figure.scaled(factor, digits)

    return {
        "boards": {
            name: [
                {
                    "contestant": place.run.contestant,
                    "length_told": place.run.told,
                    "tasks": len(place.run.records),
                    "passed": scaled(place.passed),
                    "exact": scaled(place.exact),
                    "similarity": scaled(place.similarity),
                    "ms": {f"p{share}": round(ms, 1) for share, ms in place.ms.items()},
                    "errors": place.errors,
                }
                for place in places
            ]
            for name, places in result.boards.items()
        },
        "differences": {
            name: [
                {
                    "a": pair.a.contestant,
                    "b": pair.b.contestant,
                    "points": scaled(pair.difference),
                    "wins": len(pair.wins),
                    "losses": len(pair.losses),
                    "tasks": pair.tasks,
                }
                for pair in found
            ]
            for name, found in result.pairs.items()
        },
        "replays": len(result.material.replays),
        "rankings": len(result.material.rankings),
    }
