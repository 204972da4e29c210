"""Rankings say how sure they are, and are right about it."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from dcomplete.votes.types import Ballot
from dcomplete_eval.bradley_terry import Model
from dcomplete_eval.ranking import ELO_PER_LOGIT, rank

ARENAS, CONTESTANTS, VOTES, SESSIONS = 200, 5, 600, 40
POSITION = float(np.log(0.8 / 0.2))  # the first of two equals gets 80 % of the votes


def arena(draw: np.random.Generator) -> tuple[dict[str, float], list[Ballot]]:
    """Planted strengths (as Elo) and votes on them."""
    strengths = draw.normal(0, 0.5, CONTESTANTS)
    strengths -= strengths.mean()
    first = draw.integers(0, CONTESTANTS, VOTES)
    second = (first + draw.integers(1, CONTESTANTS, VOTES)) % CONTESTANTS
    chance = 1 / (1 + np.exp(-(strengths[first] - strengths[second] + POSITION)))
    won, session = draw.random(VOTES) < chance, draw.integers(0, SESSIONS, VOTES)
    ballots = [
        Ballot(str(n), f"c{first[n]}", f"c{second[n]}", "first" if won[n] else "second",
               session=str(session[n]))
        for n in range(VOTES)
    ]  # fmt: skip
    planted = {f"c{n}": 1000 + float(ELO_PER_LOGIT) * s for n, s in enumerate(strengths)}
    return planted, ballots


def test_planted_strengths_lie_within_the_intervals():
    """Five times 200 arenas in which being first is worth 80 %: intervals hold as they claim.

    `together` claims 95 % of arenas for all contestants at once, `elo` 95 % of contestants, the
    position 95 % of arenas. By chance, 200 draws at 95 % fall below 181 once in a thousand times.
    """
    held = {"together": 0, "elo": 0, "position": 0}
    for seed in range(5):
        before, draw = held["together"], np.random.default_rng(seed)
        for _ in range(ARENAS):
            planted, ballots = arena(draw)
            ranking = rank(ballots, resamples=300)
            inside = {
                kind: [
                    getattr(row, kind).low <= planted[row.name] <= getattr(row, kind).high
                    for row in ranking.standings
                ]
                for kind in ("together", "elo")
            }
            held["together"] += all(inside["together"])
            held["elo"] += sum(inside["elo"])
            assert ranking.position is not None
            held["position"] += ranking.position.low <= 0.8 <= ranking.position.high
        assert held["together"] - before >= 181
    print(f"of {5 * ARENAS} arenas, {CONTESTANTS} contestants each, within: {held}")
    assert held["together"] >= 0.95 * 5 * ARENAS
    assert held["elo"] >= 0.95 * 5 * ARENAS * CONTESTANTS
    assert held["position"] >= 0.95 * 5 * ARENAS


def test_intervals_are_no_wider_than_votes_make_them():
    """The published rule: about 680 / sqrt(votes) Elo for two equals without a position bias."""
    chance = random.Random(1)
    ballots = [
        Ballot(str(n), *chance.sample("ab", 2), chance.choice(("first", "second")), session=str(n))
        for n in range(400)
    ]
    row = rank(ballots, model=Model(prior_sd=100.0)).standings[0]
    half_of_difference = row.elo.high - row.elo.low  # the two move against each other
    assert half_of_difference == pytest.approx(681 / 400**0.5, rel=0.15)


def test_everything_a_table_needs():
    ballots = [
        Ballot("1", "a", "b", "first"), Ballot("2", "b", "a", "second"),
        Ballot("3", "a", "c", "tie"), Ballot("4", "c", "a", "neither"),
        Ballot("5", "b", "c", "first"), Ballot("6", "a", "c", "first"),
    ]  # fmt: skip
    ranking = rank(ballots, minimum=4)
    a, c, b = ranking.standings
    assert [row.name for row in ranking.standings] == ["a", "c", "b"]
    assert (a.votes, a.wins, a.losses, a.ties, a.shown_first) == (5, 3, 0, 2, 3)
    assert (b.votes, b.wins, b.losses, b.ties, b.shown_first) == (3, 1, 2, 0, 2)
    assert (a.rank, b.rank, c.rank) == (1, None, 1), "b has too few votes; c may be as good as a"
    assert ranking.wins == ((0, 1, 2), (0, 0, 0), (0, 1, 0))
    beats = np.array(ranking.beats)
    assert beats + beats.T == pytest.approx(np.ones((3, 3)))
    assert beats[0, 2] > beats[0, 1] > 0.5
    above = np.array(ranking.above)
    assert above[0, 2] > 0.5 > above[2, 0]
    assert ranking.first_share is not None
    assert ranking.first_share.value == 3 / 4
    assert 0 < ranking.first_share.low < 3 / 4 < ranking.first_share.high < 1
    assert ranking.resampled == "votes"
    assert json.loads(json.dumps(ranking.as_json()))["standings"][0]["elo"]["value"] > 1000


def test_ranks_go_by_the_upper_bound():
    chance = random.Random(0)
    ballots = []
    for n in range(600):
        pair = chance.sample(["strong", "weak", "weaker"], 2)
        best = "first" if pair[0] == "strong" else "second" if pair[1] == "strong" else None
        choice = best if best and chance.random() < 0.9 else chance.choice(("first", "second"))
        ballots.append(Ballot(str(n), *pair, choice, session=str(n % 30)))
    ranks = {row.name: row.rank for row in rank(ballots).standings}
    assert ranks == {"strong": 1, "weak": 2, "weaker": 2}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_votes_for_one_side_leave_wide_intervals(count):
    """A bootstrap of votes that all agree has no spread; the curvature has."""
    ranking = rank([Ballot(str(n), "a", "b", "first") for n in range(count)])
    a, b = ranking.standings
    assert a.elo.low < b.elo.high
    assert a.elo.high - a.elo.low > 200
    assert a.rank is None


def test_few_sessions_are_not_resampled():
    ballots = [
        Ballot(str(n), "a", "b", "first" if n % 3 else "second", session=str(n % 2))
        for n in range(60)
    ]
    assert rank(ballots).resampled == "votes"
    many = [replace(b, session=str(n % 10)) for n, b in enumerate(ballots)]
    assert (rank(many).resampled, rank(many).clusters) == ("sessions", 10)
    judged = [replace(b, judge="tests", group=f"p{n % 10}") for n, b in enumerate(ballots)]
    assert rank(judged).resampled == "problems"


def test_no_votes_and_no_position():
    assert rank([]).standings == ()
    assert rank([]).first_share is None
    ballots = [Ballot(str(n), "a", "b", "tie") for n in range(3)]
    ranking = rank(ballots, model=Model(position=False))
    assert ranking.position is None
    assert ranking.first_share is None
    assert [row.elo.value for row in ranking.standings] == pytest.approx([1000, 1000])


def test_the_same_votes_give_the_same_ranking():
    _, ballots = arena(np.random.default_rng(3))
    assert rank(ballots, resamples=50) == rank(ballots, resamples=50)
