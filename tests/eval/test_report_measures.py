"""A report's figures: every statistic equals a naive twin, and only like is set beside like."""

import math
import random
from collections import Counter

import pytest

from dcomplete_eval.report.breakdown import length, points, split
from dcomplete_eval.report.measures import (
    ceilings,
    leaderboard,
    pair,
    pairs,
    passed,
    percentiles,
)
from dcomplete_eval.report.runs import Run
from tests.eval.results import head, record, run


def test_the_board_has_competitors_first_then_ceilings_then_references():
    runs = [
        run("gold", [1, 1, 1, 1], kind="gold"),
        run("empty", [0, 0, 0, 0], kind="empty"),
        run("told", [1, 1, 1, 0], kind="engine", length="oracle"),
        run("worse", [0, 0, 1, 0], kind="engine"),
        run("better", [0, 1, 1, 0], kind="engine"),
    ]
    places = leaderboard(runs)
    assert [p.run.contestant for p in places] == ["better", "worse", "told", "gold", "empty"]
    best = places[0]
    assert best.passed is not None and best.passed.value == 0.5
    assert best.similarity is not None and best.similarity.value == 0.625
    assert best.forwards == 4 and best.errors == 0 and best.outcomes == Counter(passed=2, failed=2)


def test_a_rate_is_the_mean_and_errors_have_no_time():
    slow = record(0, False, answer={"text": "", "ms": 9999.0, "error": "Gone."})
    made = Run("a", "holes", head("a"), (slow, record(1), record(2)))
    (place,) = leaderboard([made])
    assert place.errors == 1 and max(place.ms.values()) < 200
    assert place.passed is not None and place.passed.value == pytest.approx(2 / 3)


def test_where_nothing_is_run_exact_match_decides():
    unrun = {"passed": None}
    records = (record(0, verdict=unrun), record(1, False, verdict=unrun | {"exact": False}))
    (place,) = leaderboard([Run("a", "holes", head("a"), records)])
    assert place.passed is None and place.score is not None and place.score.value == 0.5


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_percentiles_equal_a_naive_twin(count):
    draw = random.Random(count)
    values = [draw.random() for _ in range(count)]
    ordered = sorted(values)
    for share, value in percentiles(values).items():
        place = share / 100 * (count - 1)
        low, rest = int(place), place - int(place)
        wanted = ordered[low] + rest * (ordered[min(low + 1, count - 1)] - ordered[low])
        assert value == pytest.approx(wanted)
    assert percentiles([]) == {}


@pytest.mark.parametrize("seed", range(5))
def test_a_pair_equals_a_naive_twin(seed):
    draw = random.Random(seed)
    a = run("a", [draw.random() < 0.6 for _ in range(30)])
    b = Run("b", "holes", head("b"), tuple(record(n, draw.random() < 0.4) for n in range(10, 45)))
    found = pair(a, b, passed)
    wins = losses = both = 0
    for one in a.records:
        for two in b.records:
            if one.task == two.task:
                both += 1
                wins += bool(one.verdict.passed) and not two.verdict.passed
                losses += bool(two.verdict.passed) and not one.verdict.passed
    assert (
        (found.tasks, len(found.wins), len(found.losses))
        == (both, wins, losses)
        == (20, wins, losses)
    )
    assert found.difference is not None
    assert found.difference.value == pytest.approx((wins - losses) / both)


def test_what_a_pair_says():
    better, worse = run("a", [1] * 20), run("b", [0] * 20)
    assert pair(better, worse, passed).said == "better"
    assert pair(worse, better, passed).said == "worse"
    assert pair(better, better, passed).said == "no difference shown"
    assert pair(run("a", [1, 1]), run("b", [0, 0]), passed).said == "too few groups"
    apart = pair(better, Run("c", "holes", head("c"), (record(99),)), passed)
    assert apart.tasks == 0 and apart.difference is None and apart.said == "too few groups"


def test_ceilings_and_references_are_in_no_pair_but_their_own():
    told = {"kind": "engine", "model": "m", "length": "oracle"}
    runs = [
        run("gold", [1] * 4, kind="gold"),
        run("a", [1, 1, 0, 0], **told | {"length": "auto"}),
        run("b", [1, 0, 0, 0], kind="ar"),
        run("a:oracle", [1, 1, 1, 0], **told),
        run("c:oracle", [1, 1, 1, 1], **told | {"model": "other"}),
    ]
    places = leaderboard(runs)
    assert [(p.a.contestant, p.b.contestant) for p in pairs(places)] == [("a", "b")]
    (top,) = ceilings(places)
    assert (top.a.contestant, top.b.contestant, len(top.wins)) == ("a:oracle", "a", 1)


def test_many_contestants_are_paired_with_the_best_alone():
    places = leaderboard([run(f"c{n}", [k < n for k in range(8)]) for n in range(7)])
    assert [(p.a.contestant, p.b.contestant) for p in pairs(places)] == [
        ("c6", f"c{n}") for n in range(5, -1, -1)
    ]
    assert pairs(places[:1]) == [] == pairs([])


@pytest.mark.parametrize("seed", range(5))
def test_the_error_of_the_length_equals_a_naive_twin(seed):
    draw = random.Random(seed)
    said = [(draw.choice([None, *range(9)]), draw.choice([None, *range(9)])) for _ in range(60)]
    records = tuple(
        record(n, answer={"tokens": p, "true_tokens": t}) for n, (p, t) in enumerate(said)
    )
    found = length(Run("a", "holes", head("a"), records))
    errors = [p - t for p, t in said if p is not None and t is not None]
    assert found is not None and list(found.errors) == errors
    assert found.right is not None and found.mean is not None
    assert found.right.value == pytest.approx(errors.count(0) / len(errors))
    assert found.mean.value == pytest.approx(sum(errors) / len(errors))
    assert found.absolute == pytest.approx(sum(abs(e) for e in errors) / len(errors))
    assert found.short + found.long + found.right.value == pytest.approx(1)


def test_who_does_not_count_tokens_has_no_length():
    records = (record(0, answer={"tokens": None}), record(1, answer={"error": "Gone."}))
    assert length(Run("a", "holes", head("a"), records)) is None


def test_kinds_are_split_and_one_kind_alone_is_not():
    records = tuple(record(n, n % 3 > 0, kind="line" if n < 6 else "block") for n in range(9))
    made = Run("a", "holes", head("a"), records)
    found = split([made, run("b", [1, 1])], "kind", lambda r: r.kind)
    assert found is not None and [name for name, _ in found.rows] == ["block", "line"]
    blocks, lines = found.rows[0][1], found.rows[1][1]
    assert (blocks[0].tasks, blocks[1].tasks, blocks[1].score) == (3, 0, None)
    assert lines[0].score is not None and lines[0].score.value == pytest.approx(4 / 6)
    assert split([run("b", [1, 1])], "kind", lambda r: r.kind) is None
    assert split([], "kind", lambda r: r.kind) is None


def test_points_of_one_family_differ_in_steps_or_policy_only():
    same = {"kind": "engine", "model": "m", "length": "auto"}
    made = [
        run("fast", [1, 0], **same, steps=8, policy="topk=8"),
        run("slow", [1, 1], **same, steps=64, policy="threshold"),
        run("other", [1, 1], **same | {"model": "n"}, steps=64),
        run("gold", [1, 1], kind="gold"),
    ]
    found = {p.place.run.contestant: p for p in points(leaderboard(made))}
    assert set(found) == {"fast", "slow", "other"}
    assert found["fast"].family == found["slow"].family != found["other"].family
    assert found["fast"].forwards == 4 and found["fast"].ms == 100.5


def test_steps_stand_in_for_forward_passes_that_nobody_counted():
    made = Run("a", "holes", head("a"), (record(0, answer={"forwards": None}),))
    assert points(leaderboard([made]))[0].forwards == 8


def test_values_are_numbers():
    assert all(map(math.isfinite, percentiles([0.1, 0.2]).values()))
