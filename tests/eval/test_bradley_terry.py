"""Strengths from votes: against a naive twin, against evalica, and where maths runs out of data."""

import math
import random

import numpy as np
import pytest

from dcomplete.votes.types import Ballot
from dcomplete_eval.bradley_terry import Model, tabulate
from dcomplete_eval.cross_check import evalica_strengths

CHOICES = ("first", "second", "tie", "neither")


def random_ballots(seed: int, count: int = 60, names: str = "abcd") -> list[Ballot]:
    chance = random.Random(seed)
    return [
        Ballot(str(n), *chance.sample(names, 2), chance.choice(CHOICES), session=f"{n % 7}")
        for n in range(count)
    ]


def naive_fit(ballots: list[Ballot], model: Model) -> dict[str, float]:
    """The twin: gradient ascent vote by vote, as the likelihood is written down."""
    names = sorted({b.first for b in ballots} | {b.second for b in ballots})
    value = dict.fromkeys([*names, ""], 0.0)  # "" is the position
    for _ in range(3000):
        slope = {name: -x * model.prior_sd**-2 for name, x in value.items()}
        slope[""] = -value[""] / 9
        for b in ballots:
            logit = value[b.first] - value[b.second] + model.position * value[""]
            credit = {"first": 1.0, "second": 0.0}.get(b.choice, 0.5)
            wrong = credit - 1 / (1 + math.exp(-logit))
            slope[b.first] += wrong
            slope[b.second] -= wrong
            slope[""] += model.position * wrong
        for name in value:
            value[name] += 0.05 * slope[name]
    return value


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", [Model(), Model(prior_sd=0.5, position=False)])
def test_newton_finds_what_the_naive_twin_finds(seed, model):
    ballots = random_ballots(seed)
    expected = naive_fit(ballots, model)
    table = tabulate(ballots)
    found = dict(zip([*table.names, ""], model.fit(table), strict=True))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_evalica_agrees_with_the_intercept_and_the_prior_off(seed):
    ballots = random_ballots(seed, 300, "abcdef")
    table = tabulate(ballots)
    strengths = Model(prior_sd=math.inf, position=False).fit(table)
    ours = dict(zip(table.names, strengths[:-1], strict=True))
    assert ours == pytest.approx(evalica_strengths(ballots), abs=1e-5)
    assert strengths[-1] == 0


def test_the_intercept_is_what_evalica_lacks_where_orders_are_lopsided():
    """Two equals, one mostly shown first, and people who prefer what is first: 80 %."""
    chance = random.Random(0)
    ballots = []
    for n in range(1000):
        sides = ("a", "b") if chance.random() < 0.9 else ("b", "a")
        choice = "first" if chance.random() < 0.8 else "second"
        ballots.append(Ballot(str(n), *sides, choice))
    table = tabulate(ballots)
    a, b, position = Model().fit(table)
    assert a - b == pytest.approx(0, abs=0.3)
    assert position == pytest.approx(math.log(4), abs=0.3)
    fooled = evalica_strengths(ballots)
    assert fooled["a"] - fooled["b"] > 0.8


def test_many_fits_at_once_are_the_same_fits():
    table = tabulate(random_ballots(3))
    weights = np.random.default_rng(0).integers(0, 3, (20, table.clusters)).astype(float)
    together = Model().fit(table, weights)
    for row, weight in zip(together, weights, strict=True):
        assert row == pytest.approx(Model().fit(table, weight[None])[0], abs=1e-9)
    assert together.std(axis=0).min() > 0


def test_whole_sessions_are_resampled():
    """A session's votes agree with each other: resampling votes singly would be too sure."""
    ballots = [
        Ballot(f"{s}-{n}", "a", "b", "first" if s % 2 else "second", session=str(s))
        for s in range(20)
        for n in range(30)
    ]
    model = Model(position=False)
    by_session = model.resample(tabulate(ballots), 300)[:, 0].std()
    singly = model.resample(tabulate(ballots, singly=True), 300)[:, 0].std()
    assert by_session > 4 * singly  # the square root of 30 is 5.5


def test_who_has_won_everything_stays_finite():
    ballots = [Ballot(str(n), "a", "b", "first") for n in range(500)]
    ballots += [Ballot(f"x{n}", "b", "a", "second") for n in range(500)]
    table = tabulate(ballots)
    fit = Model().fit(table)
    assert np.isfinite(fit).all()
    assert 3 < fit[0] - fit[1] < 10
    errors = Model().errors(table, fit)
    assert np.isfinite(errors).all()


def test_only_differences_of_strengths_have_errors():
    """The prior's own width is not part of them: with many votes they vanish."""
    few, many = (
        Model().errors(tabulate(random_ballots(0, count)), np.zeros(5)) for count in (100, 10_000)
    )
    assert few[:4] == pytest.approx(10 * many[:4], rel=0.15)
