"""Intervals equal a naive bootstrap, cover what they should, and know when they cannot be had."""

import random

import numpy as np
import pytest

from dcomplete_eval import intervals
from dcomplete_eval.intervals import FEW, Interval, difference, mean, outside, ratio, share


def naive(tops, bottoms, groups, resamples, seed):
    """The same draws, one resample and one task at a time."""
    names = list(dict.fromkeys(groups))
    members = {n: [i for i, g in enumerate(groups) if g == n] for n in names}
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        above = below = 0.0
        for place in draw.integers(0, len(names), size=len(names)):
            for i in members[names[place]]:
                above += tops[i]
                below += bottoms[i]
        if below:
            found.append(above / below)
    found.sort()
    tail = outside(len(names))
    return [_quantile(found, q) for q in (tail, 1 - tail)]


def _quantile(ordered, share):
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_naive_twin(seed):
    draw = random.Random(seed)
    count = draw.randint(40, 60)
    groups = [draw.randint(0, 9) for _ in range(count)] + [90, 91]
    tops = [draw.random() for _ in groups]
    bottoms = [float(draw.randint(0, 3)) for _ in groups[:-1]] + [1.0]
    found = ratio(tops, bottoms, groups, resamples=450, seed=seed)
    assert found is not None
    assert found.value == pytest.approx(sum(tops) / sum(bottoms))
    assert [found.low, found.high] == pytest.approx(naive(tops, bottoms, groups, 450, seed))


def test_it_covers_a_known_mean_about_as_often_as_it_says():
    draw, hits = random.Random(0), 0
    for trial in range(200):
        effects = [draw.gauss(0.6, 0.1) for _ in range(40)]  # 40 problems of 3 tasks
        values = [e + draw.gauss(0, 0.05) for e in effects for _ in range(3)]
        found = ratio(values, [1.0] * 120, [i // 3 for i in range(120)], resamples=400, seed=trial)
        assert found is not None and found.low is not None and found.high is not None
        hits += found.low <= 0.6 <= found.high
    assert 178 <= hits <= 199


def test_groups_widen_the_interval():
    values = [float(i // 10 % 2) for i in range(200)]  # ten tasks of a problem agree
    alone, together = mean(values, range(200)), mean(values, [i // 10 for i in range(200)])
    assert alone is not None and together is not None
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_paired_difference_is_narrower_than_two_means():
    draw = random.Random(1)
    hard = [draw.random() for _ in range(100)]
    a = [float(h < 0.7) for h in hard]
    b = [float(h < 0.6) for h in hard]
    found = difference(a, b, range(100))
    assert found is not None and found.apart_from_zero
    apart = mean(a, range(100))
    assert apart is not None and found.high - found.low < apart.high - apart.low


def test_nothing_and_one_group_have_no_interval():
    assert ratio([], [], []) is None
    assert mean([], []) is None
    assert ratio([1.0], [0.0], ["a"]) is None
    alone = mean([1.0, 0.0], ["a", "a"])
    assert alone == Interval(0.5, None, None) and not alone.apart_from_zero
    assert alone.scaled(100, 1) == {"value": 50.0, "low": None, "high": None}


def test_it_is_the_same_every_time():
    draw = random.Random(3)
    values = [draw.random() for _ in range(30)]
    assert mean(values, range(30)) == mean(values, range(30)) != mean(values, range(30), seed=1)


def test_resamples_come_in_portions_without_a_difference(monkeypatch):
    whole = mean([1.0, 0.0, 1.0] * 3, range(9))
    monkeypatch.setattr(intervals, "_AT_ONCE", 7)
    assert mean([1.0, 0.0, 1.0] * 3, range(9)) == whole


@pytest.mark.parametrize("groups", [FEW, 11, 40])
def test_a_difference_that_is_none_is_seldom_claimed(groups):
    draw, claimed = np.random.default_rng(1), 0
    names = [i // 20 for i in range(20 * groups)]
    for trial in range(300):
        effects = np.repeat(draw.normal(0, 0.1, groups), 20)  # groups differ, on average by nothing
        found = ratio(effects + draw.normal(0, 0.4, 20 * groups), [1.0] * 20 * groups, names,
                      resamples=1000, seed=trial)  # fmt: skip
        assert found is not None
        claimed += found.apart_from_zero
    assert claimed <= 0.09 * 300  # with plain percentiles up to 14 %


def test_of_few_groups_nothing_is_claimed():
    few = difference([1.0] * (FEW - 1), [0.0] * (FEW - 1), range(FEW - 1))
    assert few == Interval(1.0, None, None) and not few.apart_from_zero
    enough = difference([1.0] * FEW, [0.0] * FEW, range(FEW))
    assert enough is not None and enough.apart_from_zero


def test_where_all_agree_the_interval_is_wilsons_and_no_point():
    none, every = share([0.0] * 164, range(164)), share([1.0] * 164, range(164))
    assert none is not None and (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.0229, abs=1e-4)  # Wilson's upper end for 0 of 164
    assert every is not None and every.low == pytest.approx(1 - 0.0229, abs=1e-4)
    assert every.high == every.value == 1.0
    same = difference([1.0] * 20, [1.0] * 20, range(20))
    assert same is not None and same.low == -same.high != 0 and not same.apart_from_zero
