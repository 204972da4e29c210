"""Programs vote: by tests, by the truth, by what stayed in the text."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Ballot, Kind, Pair, Side
from dcomplete_eval.arena.judging import Judging, verdict_choice
from dcomplete_eval.arena.kept import judged, kept_ballots
from dcomplete_eval.arena.pairing import Uniform
from dcomplete_eval.ranking import rank
from dcomplete_eval.types import Task, Verdict
from tests.eval.arena.scripted import dealing, maker, tasks


class Arithmetic:
    """A benchmark that runs what was written: does it give the number of the task?"""

    name = "scripted"

    def __init__(self) -> None:
        self.judged: Counter[tuple[str, str]] = Counter()

    def tasks(self, data: Path) -> Sequence[Task]:
        return tasks()

    def judge(self, task: Task, text: str) -> Verdict:
        self.judged[task.id, text] += 1
        passed = text.count("1") == int(task.id[1:])  # a test that different texts can pass
        return Verdict(passed, text == task.gold, 0.0)


def ones(task: Task) -> str:
    return " + ".join("1" * int(task.id[1:])) or "0"


def right(task: Task) -> str:
    return f"({ones(task)})"


def test_who_passes_wins(tmp_path):
    benchmark = Arithmetic()
    half = maker("half", lambda t: ones(t) if t.id in ("t0", "t2", "t4") else "no")
    with dealing(tmp_path, maker("right", right), half, maker("empty", "")) as dealer:
        judging = Judging(dealer, benchmark, ["tests", "exact"], jobs=3)
        ticks = []
        tally = judging.run(tasks(), lambda: ticks.append(1))
        assert len(ticks) == tally.tasks == 5
        assert set(benchmark.judged.values()) == {1}, "equal texts are judged once"
        ballots = dealer.store.ballots("tests")
        won = Counter()
        for ballot in ballots:
            if ballot.choice in ("first", "second"):
                won[getattr(ballot, ballot.choice)] += 1
        # right beats half on t1, t3, and empty on four; half beats empty on t2, t4 ("" passes t0)
        assert won == {"right": 6, "half": 2}
        assert Counter(b.choice for b in ballots)["tie"] == 5  # t0: three; t2, t4: right and half
        assert tally.votes == {"tests": 15, "exact": 15}
        assert dealer.store.ballots() == [], "no person has voted"
        assert {ballot.cluster for ballot in ballots} == {"g0", "g1", "g2"}
        assert rank(ballots).standings[0].name == "right"


def test_one_pair_a_task_where_a_policy_draws(tmp_path):
    makers = [maker(name, name) for name in "abc"]
    with dealing(tmp_path, *makers, pairing=Uniform()) as dealer:
        tally = Judging(dealer, Arithmetic(), ["exact"], everybody=False).run(tasks())
        assert tally.votes == {"exact": 5}
        assert tally.choices == {"neither": 5}


def test_equal_and_failed_answers_are_set_apart(tmp_path):
    texts = {"t0": "same", "t1": "error"}
    one = maker("one", lambda t: texts.get(t.id, "x"))
    other = maker("other", lambda t: texts.get(t.id, "y") if t.id == "t0" else "y")
    with dealing(tmp_path, one, other) as dealer:
        tally = Judging(dealer, Arithmetic(), ["tests"]).run(tasks())
        assert tally.apart == {Kind.IDENTICAL: 1, Kind.FAILED: 1}
        assert tally.votes == {"tests": 3}
        assert "1 identical" in tally.sentence()


def test_an_interrupted_round_goes_on_where_it_was(tmp_path):
    made = []
    makers = [maker("one", "x", made=made), maker("other", "y", made=made)]
    with dealing(tmp_path, *makers) as dealer:
        Judging(dealer, Arithmetic(), ["tests"]).run(tasks()[:3])
        again = Judging(dealer, Arithmetic(), ["tests"])
        again.run(tasks())
        assert again.tally.votes == {"tests": 2}
        assert [len(contestant.times) for contestant in made] == [5, 5]
        Judging(dealer, Arithmetic(), ["tests"], again=True).run(tasks())
        assert len(dealer.store.ballots("tests")) == 10


def test_a_second_judge_does_not_let_the_first_vote_again(tmp_path):
    with dealing(tmp_path, maker("one", "x"), maker("other", "y")) as dealer:
        Judging(dealer, Arithmetic(), ["tests"]).run(tasks()[:3])
        both = Judging(dealer, Arithmetic(), ["tests", "exact"])
        assert both.run(tasks()).votes == {"tests": 2, "exact": 5}
        assert [len(dealer.store.ballots(name)) for name in ("tests", "exact")] == [5, 5]


def test_unknown_judges_are_said(tmp_path):
    both = dealing(tmp_path, maker("one", "x"), maker("other", "y"))
    with both as dealer, pytest.raises(UserError, match="tests, exact"):
        Judging(dealer, Arithmetic(), ["taste"])


@pytest.mark.parametrize(
    ("first", "second", "choice"),
    [
        (True, False, "first"), (False, True, "second"), (True, True, "tie"),
        (False, False, "neither"), (None, True, None), (True, None, None),
    ],
)  # fmt: skip
def test_verdicts_become_choices(first, second, choice):
    verdicts = [Verdict(passed, False, 0.0) for passed in (first, second)]
    assert verdict_choice("tests", *verdicts) == choice
    assert verdict_choice("exact", *verdicts) == "neither"


def test_a_vote_stands_where_the_answer_stayed(tmp_path):
    with VoteStore(tmp_path / "votes") as store:
        for n, (choice, share) in enumerate(
            [("first", 1.0), ("first", 0.2), ("second", 0.5), ("tie", 1.0), ("second", None)]
        ):
            pair = Pair(Side("a", f"{n}", 1.0), Side("b", "x", 1.0), "s", "editor", id=str(n))
            store.add(pair)
            store.vote(pair.id, choice)
            if share is not None:
                store.keep(pair.id, 120, share)
        found = {ballot.id: ballot.choice for ballot in kept_ballots(store)}
        assert found == {"0": "first", "1": "neither", "2": "second"}
        assert kept_ballots(store, 30) == []
        with pytest.raises(UserError, match="30, 120, 600"):
            kept_ballots(store, 60)
    strict = judged([Ballot("2", "a", "b", "second")], {"2": 0.5}, 0.9)
    assert [ballot.choice for ballot in strict] == ["neither"]
