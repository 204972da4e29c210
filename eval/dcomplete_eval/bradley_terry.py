"""Bradley-Terry strengths with a position intercept, a ridge prior and a cluster bootstrap.

    P(first wins) = sigmoid(strength of first - strength of second + position)

Bradley and Terry 1952 (Biometrika 39, 324-345) as a logistic regression; the intercept is what an
answer gains by being shown first. Ties count as half a win for each side. Strengths have a normal
prior around 0, so that a contestant that has won (or lost) everything stays finite. Intervals come
from resampling whole clusters: the votes of one sitting are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcomplete.votes.types import Ballot, Choice

Floats = NDArray[np.float64]

_POSITION_SD = 3.0  # of the prior of the position, logits: next to nothing
_MOST_STEP = 2.0  # logits in one Newton step
_CLOSE = 1e-9
_CREDIT: dict[Choice, float] = {"first": 1.0, "second": 0.0, "tie": 0.5, "neither": 0.5}


@dataclass(frozen=True, slots=True)
class Table:
    """Votes counted by ordered pair and cluster.

    `sides[r]` are the numbers of the contestants shown first and second in row r; `wins[c, r]` how
    much of `votes[c, r]` the first one got in cluster c.
    """

    names: tuple[str, ...]
    sides: NDArray[np.int64]  # (rows, 2)
    wins: Floats  # (clusters, rows)
    votes: Floats  # (clusters, rows)

    @property
    def clusters(self) -> int:
        return len(self.votes)


def tabulate(ballots: Sequence[Ballot], singly: bool = False) -> Table:
    """Count votes. Contestants are in the order of their names, clusters as they first come.

    With `singly` every vote is a cluster of its own.
    """
    names = tuple(sorted({name for b in ballots for name in (b.first, b.second)}))
    number = {name: at for at, name in enumerate(names)}
    rows = {pair: at for at, pair in enumerate(sorted({(b.first, b.second) for b in ballots}))}
    homes = [str(at) if singly else b.cluster for at, b in enumerate(ballots)]
    clusters = {name: at for at, name in enumerate(dict.fromkeys(homes))}
    wins, votes = np.zeros((2, len(clusters), len(rows)))
    for home, ballot in zip(homes, ballots, strict=True):
        at = clusters[home], rows[ballot.first, ballot.second]
        wins[at] += _CREDIT[ballot.choice]
        votes[at] += 1
    sides = np.array([[number[a], number[b]] for a, b in rows], dtype=np.int64).reshape(-1, 2)
    return Table(names, sides, wins, votes)


@dataclass(frozen=True, slots=True)
class Model:
    """What is fitted. `prior_sd` of strengths in logits; infinity is no prior."""

    prior_sd: float = 1.0
    position: bool = True

    def design(self, table: Table) -> Floats:
        """(rows, contestants + 1): +1 for the first, -1 for the second, 1 for the position."""
        count = len(table.sides)
        found = np.zeros((count, len(table.names) + 1))
        found[np.arange(count), table.sides[:, 0]] = 1
        found[np.arange(count), table.sides[:, 1]] = -1
        found[:, -1] = self.position
        return found

    def precision(self, contestants: int) -> Floats:
        """Of the prior, by coefficient. A little is always there: only differences are known."""
        strengths = np.full(contestants, max(self.prior_sd**-2, 1e-9))
        return np.append(strengths, _POSITION_SD**-2)

    def fit(self, table: Table, weights: Floats | None = None) -> Floats:
        """The most likely strengths and, last, position: (contestants + 1,).

        With `weights` (fits, clusters) it is done once for each row of them, all at the same time:
        (fits, contestants + 1).
        """
        given = np.ones((1, table.clusters)) if weights is None else weights
        found = newton(
            given @ table.wins,
            given @ table.votes,
            self.design(table),
            self.precision(len(table.names)),
        )
        return found[0] if weights is None else found

    def errors(self, table: Table, fit: Floats) -> Floats:
        """Standard errors by the curvature at `fit`: (contestants + 1,).

        Of strengths relative to their mean, as votes tell nothing else.
        """
        design, count = self.design(table), len(table.names)
        chance = 1 / (1 + np.exp(-design @ fit))
        weight = table.votes.sum(axis=0) * chance * (1 - chance)
        curvature = (design.T * weight) @ design + np.diag(self.precision(count))
        centre = np.eye(count + 1)
        centre[:count, :count] -= 1 / count
        found: Floats = np.sqrt(np.diag(centre @ np.linalg.inv(curvature) @ centre.T))
        return found

    def resample(self, table: Table, resamples: int, seed: int = 0) -> Floats:
        """Fits to resamples of the clusters: (resamples, contestants + 1)."""
        draw = np.random.default_rng(seed)
        even = np.full(table.clusters, 1 / table.clusters)
        weights = draw.multinomial(table.clusters, even, size=resamples)
        return self.fit(table, weights.astype(np.float64))


def newton(wins: Floats, votes: Floats, design: Floats, precision: Floats) -> Floats:
    """Maximise the penalised likelihoods of many tables (fits, rows) at once by Newton's method.

    The function is strictly concave. Steps are cut to a few logits, beyond which the curvature that
    they were computed from tells nothing.
    """
    size = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    found = np.zeros((len(wins), size))
    for _ in range(100):
        chance = 1 / (1 + np.exp(-found @ design.T))
        slope = (wins - votes * chance) @ design - precision * found
        curvature = (votes * chance * (1 - chance)) @ products
        curvature = curvature.reshape(-1, size, size) + np.diag(precision)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        found += step * np.minimum(1, _MOST_STEP / np.maximum(longest, _CLOSE))
        if longest.max() < _CLOSE:
            break
    return found
