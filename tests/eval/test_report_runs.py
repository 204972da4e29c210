"""What a report takes from files: runs, replays, rankings, examples of answers, and their sources."""

import json

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.report.examples import examples, golds
from dcomplete_eval.report.measures import pair, passed
from dcomplete_eval.report.runs import Run, read_all
from dcomplete_eval.report.sources import line, of_ranking, of_replay, of_run
from dcomplete_eval.store import Store
from dcomplete_eval.types import Task
from tests.eval.results import RANKING, REPLAY, head, record, run, saved


def test_runs_replays_and_rankings_are_read_from_files_and_folders(tmp_path):
    first = run("engine:small", [1, 0, 1, 1], kind="engine")
    saved(tmp_path, first)
    (tmp_path / "typing.jsonl").write_text(
        f"{json.dumps(REPLAY)}\n{json.dumps(REPLAY)}\n", encoding="utf-8", newline="\n"
    )
    (tmp_path / "votes.json").write_text(
        json.dumps(RANKING, indent=2), encoding="utf-8", newline="\n"
    )
    found = read_all([tmp_path])
    assert [r.records for r in found.runs] == [first.records]
    assert found.runs[0].about["sandbox"] == "bwrap" and found.runs[0].settings == {
        "kind": "engine"
    }
    assert found.replays == [REPLAY] and found.rankings == [RANKING]


def test_a_run_that_was_resumed_names_both_commits_and_the_last_of_two_files_counts(tmp_path):
    path = saved(tmp_path, run("engine", [1]))
    Store(path).begin(head("engine") | {"commit": "def5678"})
    Store(path).append(record(1, True, "holes"))
    Store(path).begin(head("engine") | {"commit": "1111111"})  # nothing was asked any more
    (other,) = (tmp_path / "other",)
    other.mkdir()
    again = saved(other, run("engine", [0, 0]))
    (one,) = read_all([path]).runs
    assert one.about["commit"] == "abc1234; def5678"
    assert len(read_all([path, again]).runs[0].records) == 2


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"a": 1}', '{"bench": "engine"}\n'])
def test_what_is_none_of_these_is_refused(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(text, encoding="utf-8", newline="\n")
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
