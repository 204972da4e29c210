"""From votes to a ranking that says how sure it is.

Ranks go by the upper bound, as at LMArena: one more than the number of contestants whose whole
interval lies above one's own. A rank is shown from a minimum of votes on.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dcomplete.votes.types import Ballot
from dcomplete_eval.bradley_terry import Floats, Model, tabulate
from dcomplete_eval.intervals import FEW

MINIMUM = 50  # votes of a contestant before its rank is shown
RESAMPLES = 1000
LEVEL = 0.95
ELO_PER_LOGIT = 400 / np.log(10)
ELO_MIDDLE = 1000.0
_MANY = 10**9  # clusters: Student's t is the normal distribution


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant. `elo` is 1000 + 400 log10 of its odds against the average.

    `elo` has an interval of its own; `together` is the one that holds for all contestants at once.
    """

    name: str
    rank: int | None  # None below the minimum of votes
    elo: Interval
    together: Interval
    votes: int
    wins: int
    losses: int
    ties: int  # both-bad votes among them
    shown_first: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """All that votes say. Matrices are in the order of `standings`, the best first.

    `beats[a][b]` is P(a beats b) where neither is shown first more often than the other;
    `above[a][b]` the share of resamples in which a is the stronger one; `wins[a][b]` counts votes.
    """

    standings: tuple[Standing, ...]
    beats: tuple[tuple[float, ...], ...]
    above: tuple[tuple[float, ...], ...]
    wins: tuple[tuple[int, ...], ...]
    votes: int
    clusters: int
    resampled: str  # "sessions" or "problems", or "votes" where there are too few of those
    first_share: Interval | None  # of the votes for a side, those for the one shown first
    position: Interval | None  # P(the first wins) between equals; None where it is not fitted
    minimum: int
    prior_sd: float

    def as_json(self) -> dict[str, Any]:
        """Everything, for `json.dumps`."""
        return asdict(self)


def rank(
    ballots: Sequence[Ballot],
    minimum: int = MINIMUM,
    model: Model | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ranking:
    """Rank who was voted on. A tie and a "neither" are half a win for each side."""
    model = model or Model()
    table = tabulate(ballots)
    resampled = "sessions" if all(b.cluster == b.session for b in ballots) else "problems"
    if table.clusters < FEW:
        table, resampled = tabulate(ballots, singly=True), "votes"
    if not ballots:
        nothing = Ranking((), (), (), (), 0, 0, "votes", None, None, minimum, model.prior_sd)
        return nothing
    fit, draws = model.fit(table), model.resample(table, resamples, seed)
    one, every = spread(fit, draws, model.errors(table, fit), table.clusters)
    order = [int(at) for at in np.argsort(-fit[:-1], kind="stable")]
    names = [table.names[at] for at in order]
    elo = [_elo(fit[at], one[at]) for at in order]
    together = [_elo(fit[at], every[at]) for at in order]
    counts = _counts(ballots, table.names)
    ahead = draws[:, order]
    return Ranking(
        standings=tuple(
            _standing(name, position, *intervals, counts[name], minimum)
            for name, position, intervals in zip(
                names, _ranks(elo), zip(elo, together, strict=True), strict=True
            )
        ),
        beats=_rows(1 / (1 + np.exp(fit[order][None, :] - fit[order][:, None]))),
        above=_rows((ahead[:, :, None] > ahead[:, None, :]).mean(axis=0)),
        wins=_wins(ballots, names),
        votes=len(ballots),
        clusters=table.clusters,
        resampled=resampled,
        first_share=_first_share(ballots),
        position=_chance(fit[-1], one[-1]) if model.position else None,
        minimum=minimum,
        prior_sd=model.prior_sd,
    )


def spread(fit: Floats, draws: Floats, floor: Floats, clusters: int) -> tuple[Floats, Floats]:
    """Half-widths of 95 % intervals of the coefficients: each for itself, and all at once.

    Standard errors by the bootstrap, not below those of the curvature (`floor`), which a bootstrap
    of few or one-sided votes misses; Student's t and the factor sqrt(n / (n - 1)) because clusters
    are few (Cameron and Miller 2015, J. Human Resources 50, 317-372). The second kind takes the
    bootstrap's quantile of the greatest deviation of a strength (Montiel Olea and Plagborg-Moller
    2019, J. Applied Econometrics 34, 1-17).
    """
    errors = draws.std(axis=0, ddof=1) * np.sqrt(clusters / max(clusters - 1, 1))
    errors = np.maximum(errors, floor)
    one = _student(clusters)
    greatest = (np.abs(draws - fit) / errors)[:, :-1].max(axis=1)
    every = max(one, float(np.quantile(greatest, LEVEL)) * one / _student(_MANY))
    return one * errors, every * errors


def _student(clusters: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(clusters - 1, 1), (1 + LEVEL) / 2))


def _elo(strength: float, half: float) -> Interval:
    ends = (strength, strength - half, strength + half)
    return Interval(*(ELO_MIDDLE + float(ELO_PER_LOGIT * end) for end in ends))


def _chance(logit: float, half: float) -> Interval:
    return Interval(*(float(1 / (1 + np.exp(-end))) for end in (logit, logit - half, logit + half)))


def _ranks(intervals: Sequence[Interval]) -> list[int]:
    return [1 + sum(other.low > one.high for other in intervals) for one in intervals]


@dataclass(slots=True)
class _Count:
    votes: int = 0
    wins: int = 0
    losses: int = 0
    ties: int = 0
    shown_first: int = 0


def _counts(ballots: Sequence[Ballot], names: Sequence[str]) -> dict[str, _Count]:
    found = {name: _Count() for name in names}
    for ballot in ballots:
        first, second = found[ballot.first], found[ballot.second]
        first.shown_first += 1
        for count, won in ((first, "first"), (second, "second")):
            count.votes += 1
            if ballot.choice not in ("first", "second"):
                count.ties += 1
            elif ballot.choice == won:
                count.wins += 1
            else:
                count.losses += 1
    return found


def _standing(
    name: str,
    position: int,
    elo: Interval,
    together: Interval,
    count: _Count,
    minimum: int,
) -> Standing:
    shown = position if count.votes >= minimum else None
    return Standing(name, shown, elo, together, **asdict(count))


def _wins(ballots: Sequence[Ballot], names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    place = {name: row for row, name in enumerate(names)}
    found = np.zeros((len(place), len(place)), dtype=int)
    for ballot in ballots:
        if ballot.choice in ("first", "second"):
            sides = ballot.first, ballot.second
            winner, loser = sides if ballot.choice == "first" else sides[::-1]
            found[place[winner], place[loser]] += 1
    return tuple(tuple(int(x) for x in row) for row in found)


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    """A matrix of chances, of which nobody has one against itself."""
    rows = matrix.copy()
    np.fill_diagonal(rows, 0.5)
    return tuple(tuple(float(x) for x in row) for row in rows)


def _first_share(ballots: Sequence[Ballot]) -> Interval | None:
    """Wilson's interval (1927, J. Amer. Stat. Assoc. 22, 209-212)."""
    first = sum(ballot.choice == "first" for ballot in ballots)
    count = first + sum(ballot.choice == "second" for ballot in ballots)
    if not count:
        return None
    share, z = first / count, _student(_MANY)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return Interval(share, float(middle - half), float(middle + half))
