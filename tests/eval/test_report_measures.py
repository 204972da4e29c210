"""A report's figures: what the files say is read, and every statistic equals a naive twin."""

import json
import math
import random
from collections import Counter
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.report.breakdown import length, points, split
from dcomplete_eval.report.examples import examples, golds
from dcomplete_eval.report.measures import (
    ceilings,
    leaderboard,
    pair,
    pairs,
    passed,
    percentiles,
)
from dcomplete_eval.report.runs import Run, read_all
from dcomplete_eval.report.sources import line, of_ranking, of_replay, of_run
from dcomplete_eval.store import Store
from dcomplete_eval.types import Answer, Record, Task, Verdict

REPLAY = {
    "bench": "usefulness", "commit": "abc1234", "machine": "a processor", "device": "cpu",
    "dtype": "float32", "contestant": "engine:small", "settings": {"kind": "engine", "steps": 8},
    "trace": "rustcode", "language": "rust", "clock": "virtual", "latency_ms": None, "speed": 1.0,
    "seed": 0, "keystrokes": 500, "every": 1, "debounce_ms": 75.0, "pause_s": 0.0,
    "accepts": {"rule": "line", "least": 3}, "typed": 400, "completed": 40, "saved": 30,
    "saved_per_1000": {"value": 75.0, "low": 50.0, "high": 100.0},
    "rocc": {"value": 0.1, "low": 0.05, "high": 0.15}, "requests": 300, "stale_share": 12.5,
    "shown": 90, "accepted": 10, "acceptance": 11.1, "kept_share": 80.0,
    "shown_ms": {"p50": 180.0, "p90": 400.0, "p99": 900.0}, "data": "feed",
}  # fmt: skip
RANKING = {
    "standings": [
        {"name": name, "rank": rank, "elo": {"value": elo, "low": elo - 50, "high": elo + 50},
         "together": {"value": elo, "low": elo - 60, "high": elo + 60}, "votes": 60, "wins": 30,
         "losses": 20, "ties": 10, "shown_first": 31}
        for name, rank, elo in (("engine:small", 1, 1040.0), ("peer", None, 960.0))
    ],
    "beats": [[0.5, 0.6], [0.4, 0.5]], "above": [[0.5, 0.9], [0.1, 0.5]], "wins": [[0, 30], [20, 0]],
    "votes": 60, "clusters": 9, "resampled": "sessions",
    "first_share": {"value": 0.8, "low": 0.7, "high": 0.9}, "position": None, "minimum": 50,
    "prior_sd": 1.0,
}  # fmt: skip


def record(number, good=True, benchmark="holes", **more):
    """One judged answer; what is not said is of no matter."""
    answer = {"text": f"answer {number}", "ms": 100.0 + number, "tokens": 5, "true_tokens": 5,
              "steps": 8, "forwards": 4} | more.pop("answer", {})  # fmt: skip
    verdict = {"passed": good, "exact": good, "similarity": 1.0 if good else 0.25,
               "outcome": "passed" if good else "failed"} | more.pop("verdict", {})  # fmt: skip
    said = {"group": f"g{number // 2}", "kind": "line", "language": "python"} | more
    return Record(
        f"t{number}", benchmark, said["group"], said["kind"], said["language"],
        Answer(**answer), Verdict(**verdict),
    )  # fmt: skip


def head(contestant, benchmark="holes", **settings):
    return {
        "benchmark": benchmark, "contestant": contestant, "settings": settings, "commit": "abc1234",
        "machine": "a processor", "device": settings.get("device"), "dtype": settings.get("dtype"),
        "data": "0123456789abcdef", "tasks": 4, "of": 4, "sandbox": "bwrap", "started": "then",
    }  # fmt: skip


def run(contestant, goods, benchmark="holes", **settings):
    records = tuple(record(n, bool(g), benchmark) for n, g in enumerate(goods))
    return Run(contestant, benchmark, head(contestant, benchmark, **settings), records)


def saved(folder: Path, made: Run) -> Path:
    """The run as `dcomplete eval run` writes it."""
    path = folder / f"{made.contestant}-{made.benchmark}.jsonl".replace(":", "_").replace("/", "_")
    store = Store(path)
    store.begin(dict(made.about))
    for one in made.records:
        store.append(one)
    return path


def test_runs_replays_and_rankings_are_read_from_files_and_folders(tmp_path):
    first = run("engine:small", [1, 0, 1, 1], kind="engine")
    saved(tmp_path, first)
    (tmp_path / "typing.jsonl").write_text(f"{json.dumps(REPLAY)}\n{json.dumps(REPLAY)}\n")
    (tmp_path / "votes.json").write_text(json.dumps(RANKING, indent=2))
    found = read_all([tmp_path])
    assert [r.records for r in found.runs] == [first.records]
    assert found.runs[0].about["sandbox"] == "bwrap" and found.runs[0].settings == {
        "kind": "engine"
    }
    assert found.replays == [REPLAY] and found.rankings == [RANKING]


def test_a_run_that_was_resumed_names_both_commits_and_the_last_of_two_files_counts(tmp_path):
    path = saved(tmp_path, run("engine", [1]))
    Store(path).begin(head("engine") | {"commit": "def5678"})
    (other,) = (tmp_path / "other",)
    other.mkdir()
    again = saved(other, run("engine", [0, 0]))
    (one,) = read_all([path]).runs
    assert one.about["commit"] == "abc1234; def5678"
    assert len(read_all([path, again]).runs[0].records) == 2


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"a": 1}', '{"bench": "engine"}\n'])
def test_what_is_none_of_these_is_refused(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match="holds no run, no replay and no ranking"):
        read_all([path])


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        read_all([tmp_path / "none"])
    with pytest.raises(UserError, match="nothing to report"):
        read_all([tmp_path])


def test_runs_of_different_data_are_not_set_side_by_side(tmp_path):
    one, other = run("a", [1]), run("b", [1])
    other.about["data"] = "another"
    paths = [saved(tmp_path, one), saved(tmp_path, other)]
    with pytest.raises(UserError, match="different tasks under the name holes"):
        read_all(paths)


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


def test_the_reference_comes_from_the_gold_or_from_an_exact_answer():
    wrong = record(0, False, answer={"text": "wrong"})
    right = record(1, answer={"text": "right"})
    gold = Run(
        "gold", "holes", head("gold", kind="gold"), (record(1, answer={"text": "the gold"}),)
    )
    known = golds([gold, Run("a", "holes", head("a"), (wrong, right))])
    assert known == {("holes", "t1"): "the gold"}


def test_examples_are_drawn_by_a_seed_and_carry_their_surroundings():
    a, b = run("a", [1] * 9 + [0] * 9), run("b", [0] * 9 + [1] * 9)
    made = pair(a, b, passed)
    before = "".join(f"line {n}\n" for n in range(20))
    task = Task("t0", "holes", "g0", before, "\nafter\n" * 9, "gold text")
    wins, losses = examples(made, {("holes", "t0"): task}, {("holes", "t1"): "known"}, count=9)
    assert [e.task for e in wins] == [f"t{n}" for n in range(9)]
    assert [e.task for e in losses] == [f"t{n}" for n in range(9, 18)]
    assert wins[0].gold == "gold text" and wins[0].before.startswith("line 14")
    assert wins[0].after.count("\n") == 4
    assert (wins[1].gold, wins[2].gold, wins[1].before) == ("known", None, "")
    assert wins[0].answers[0].good and not wins[0].answers[1].good
    few = [[e.task for e in examples(made, {}, {}, 3, seed)[0]] for seed in (0, 0, 1)]
    assert len(few[0]) == 3 and few[0] == few[1] != few[2]


def test_long_texts_are_cut_and_errors_are_said():
    long = record(0, answer={"text": "x" * 9000})
    gone = record(0, False, answer={"text": "", "error": "The server is gone."})
    made = pair(Run("a", "h", head("a"), (long,)), Run("b", "h", head("b"), (gone,)), passed)
    ((example,), _) = examples(made, {}, {})
    assert len(example.answers[0].text) < 2000
    assert example.answers[1].outcome == "The server is gone."


def test_a_source_says_everything_that_a_figure_must_carry():
    made = run("engine", [1], kind="engine", policy="", steps=8, device="cpu", dtype="float32")
    said = line([of_run(made), of_replay(REPLAY)])
    assert said == (
        "commit abc1234 · device a processor · dtype float32 · data 0123456789abcdef; feed · "
        "sandbox bwrap; nothing is run"
    )
    card = Run("engine", "holes", {"device": "a card", "machine": "a processor"}, ())
    assert of_run(card).device == "a card, a processor"
    same = Run("engine", "holes", {"device": "a processor", "machine": "a processor"}, ())
    assert of_run(same).device == "a processor"
    assert "steps 8" in of_run(made).spelled and "policy default" in of_run(made).spelled
    how = of_replay(REPLAY).spelled
    assert "debounce_ms 75.0" in how and "accepts rule line least 3" in how and "steps 8" in how
    assert "minimum 50" in of_ranking(RANKING).spelled
    assert "commit not recorded" in line([of_ranking(RANKING)])


def test_values_are_numbers():
    assert all(map(math.isfinite, percentiles([0.1, 0.2]).values()))
