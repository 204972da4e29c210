"""Who meets: uniform, or by latency as a log-normal says."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.errors import UserError
from dcomplete_eval.arena.pairing import (
    LatencyAware,
    LogNormal,
    Uniform,
    median_of_greater,
    read_pairing,
)

NAMES = ("fast", "middle", "slow")
SEEN = {"fast": [50.0] * 10, "middle": [100.0] * 10, "slow": [400.0] * 10}


def draws(pairing, names=NAMES, seen=SEEN, count=6000):
    chance = random.Random(0)
    found = Counter(frozenset(pairing.draw(names, seen, chance)) for _ in range(count))
    return {"-".join(sorted(pair)): number / count for pair, number in found.items()}


def test_uniform_pairs_meet_equally_often():
    assert draws(Uniform()) == pytest.approx(
        dict.fromkeys(("fast-middle", "fast-slow", "middle-slow"), 1 / 3), abs=0.03
    )


def test_the_fit_finds_what_was_planted():
    chance = random.Random(0)
    fit = LogNormal.fit([chance.lognormvariate(5.0, 0.4) for _ in range(5000)])
    assert (fit.mean, fit.sd) == pytest.approx((5.0, 0.4), abs=0.03)


@given(st.floats(0, 8), st.floats(0.05, 1.5), st.floats(0, 8), st.floats(0.05, 1.5))
def test_half_of_all_waits_are_below_the_median(mean, sd, other_mean, other_sd):
    a, b = LogNormal(mean, sd), LogNormal(other_mean, other_sd)
    median = median_of_greater(a, b)
    assert a.below(math.log(median)) * b.below(math.log(median)) == pytest.approx(0.5, abs=1e-6)
    assert median >= max(math.exp(mean), math.exp(other_mean)) * 0.999


def test_the_median_is_what_is_waited_in_a_simulation():
    a, b = LogNormal(4.0, 0.5), LogNormal(4.5, 0.9)
    chance = random.Random(1)
    waits = sorted(
        max(chance.lognormvariate(4.0, 0.5), chance.lognormvariate(4.5, 0.9)) for _ in range(20_001)
    )
    assert median_of_greater(a, b) == pytest.approx(waits[10_000], rel=0.03)


def test_pairs_that_answer_soon_meet_more_often_and_every_pair_meets():
    shares = LatencyAware(1.0).shares(NAMES, SEEN)
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares["fast", "middle"] > 0.7
    assert min(shares.values()) >= 0.1 / 3
    drawn = draws(LatencyAware(1.0))
    assert drawn == pytest.approx({"-".join(p): s for p, s in shares.items()}, abs=0.03)


def test_the_temperature_goes_from_the_fastest_pair_to_uniform():
    cold, hot = LatencyAware(0.01).shares(NAMES, SEEN), LatencyAware(1e6).shares(NAMES, SEEN)
    assert cold["fast", "middle"] == pytest.approx(0.9 + 0.1 / 3)
    assert hot == pytest.approx(dict.fromkeys(hot, 1 / 3), abs=1e-4)


def test_the_median_wait_falls():
    """What Copilot Arena reports as 1.61 s to 1.07 s: here by simulation, from these latencies."""

    def waited(pairing) -> float:
        chance = random.Random(3)
        pairs = [pairing.draw(NAMES, SEEN, chance) for _ in range(2000)]
        waits = sorted(
            max(SEEN[n][0] * chance.lognormvariate(0, 0.3) for n in pair) for pair in pairs
        )
        return waits[1000]

    assert waited(LatencyAware(1.0)) < 0.5 * waited(Uniform())


def test_until_everybody_was_seen_all_pairs_are_equal():
    few = {**SEEN, "slow": [1.0, 2.0]}
    assert set(LatencyAware().shares(NAMES, few).values()) == {1 / 3}


def test_pairings_in_words():
    assert read_pairing("uniform") == Uniform()
    assert read_pairing("latency") == LatencyAware(1.0)
    assert read_pairing("latency:0.5").label == "latency:0.5"


@pytest.mark.parametrize("wrong", ["", "fast", "latency:x", "latency:0", "latency:-1", "uniform:2"])
def test_words_that_are_no_pairing(wrong):
    with pytest.raises(UserError, match="uniform, latency or latency:T"):
        read_pairing(wrong)
