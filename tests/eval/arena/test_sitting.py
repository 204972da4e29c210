"""Both are asked at once, orders are balanced, equal pairs set apart, names told by the vote alone."""

import json
import threading
import time
from dataclasses import asdict

import pytest

from dcomplete.errors import Refusal, UserError
from dcomplete.votes.types import Kind
from dcomplete_eval.arena.lines import converse, pair_json
from dcomplete_eval.arena.pairing import LatencyAware
from dcomplete_eval.arena.sitting import Sitting
from tests.eval.arena.scripted import ONE, OTHER, dealing, maker, two


def test_both_are_asked_at_the_same_time_and_shown_when_the_slower_is_ready(tmp_path):
    made = []
    slow = maker("slow", "a", 0.3, made=made)
    fast = maker("fast", "b", 0.1, made=made)
    with dealing(tmp_path, slow, fast) as dealer:
        found = dealer.find()
        ready = time.monotonic()
        (one_began, one_ended), (other_began, other_ended) = (one.times[0] for one in made)
        assert max(one_began, other_began) < min(one_ended, other_ended), "one after the other"
        assert ready >= max(one_ended, other_ended)
        assert {found.one.contestant, found.other.contestant} == {"slow", "fast"}
        latencies = {side.contestant: side.latency_ms for side in (found.one, found.other)}
        assert latencies == {"slow": 301.0, "fast": 101.0}
    for contestant in made:
        assert contestant.closed
        assert len(contestant.threads) == 1, "made, asked and closed in one thread"
        assert threading.current_thread() not in contestant.threads


def test_pairs_that_are_no_battles_are_set_apart_and_kept(tmp_path):
    answers = {"t0": "same", "t1": "", "t2": "error", "t3": "other \n", "t4": "different"}
    one = maker("one", lambda task: answers[task.id])
    other = maker("other", lambda task: {"t0": "same", "t3": "other"}.get(task.id, "x"))
    with dealing(tmp_path, one, other) as dealer:
        sitting = Sitting(dealer)
        for _ in range(2):
            shown = sitting.show().result()
            assert shown.task.id == "t4"
            sitting.vote(shown.id, "first")
        sitting.close()
        kinds = dealer.store.kinds()
        assert kinds[Kind.BATTLE] == 2
        assert kinds[Kind.IDENTICAL] >= 2
        assert kinds[Kind.ONE_EMPTY] >= 1
        assert kinds[Kind.FAILED] >= 1
        assert len(dealer.store.ballots()) == 2
        assert "identical" in dealer.what_apart()


def test_contestants_that_never_differ_are_given_up(tmp_path):
    with dealing(tmp_path, maker("one", "same"), maker("other", "same")) as dealer:
        sitting = Sitting(dealer)
        for _ in range(2):  # asking again tries again
            with pytest.raises(Refusal, match="0 identical"):
                sitting.show().result()


def test_names_must_differ_and_there_must_be_two(tmp_path):
    twice = dealing(tmp_path, maker("one", "a"), maker("one", "b"))
    with pytest.raises(UserError, match="Two contestants are called one"), twice:
        pass
    with pytest.raises(UserError, match="needs two"), dealing(tmp_path, maker("one", "a")):
        pass


def test_a_contestant_that_cannot_be_made_is_said(tmp_path):
    def broken():
        raise UserError("There is no such model.")

    with (
        pytest.raises(UserError, match="no such model"),
        dealing(tmp_path, maker("one", "a"), broken),
    ):
        pass


def test_a_bug_in_a_contestant_is_a_failed_answer(tmp_path):
    def buggy(task):
        raise ZeroDivisionError

    both = dealing(tmp_path, maker("one", "a"), maker("buggy", buggy))
    with both as dealer, pytest.raises(Refusal, match="50 failed"):
        dealer.find()


def test_the_order_is_balanced_and_recorded(tmp_path):
    fixed = LatencyAware()  # draws the two in the same order always
    with two(tmp_path, pairing=fixed) as dealer:
        sitting = Sitting(dealer)
        first = []
        for _ in range(60):
            shown = sitting.show().result()
            revealed = sitting.vote(shown.id, "tie")
            first.append(revealed.first.contestant)
            assert revealed.first.text == shown.first
        sitting.close()
        counts = [first.count(name) for name in ("planted-one", "planted-other")]
        assert abs(counts[0] - counts[1]) <= 16
        assert dealer.store.orders("planted-one", "planted-other") == tuple(counts)
        assert [ballot.first for ballot in dealer.store.ballots()] == first


def test_a_pair_is_shown_until_it_is_voted_on_or_skipped(tmp_path):
    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        shown = sitting.show().result()
        assert sitting.show().result() == shown
        assert not sitting.between
        with pytest.raises(UserError, match="not shown any more"):
            sitting.vote("another", "first")
        sitting.vote(shown.id, "second")
        assert sitting.between
        for again in (lambda: sitting.vote(shown.id, "first"), lambda: sitting.skip(shown.id)):
            with pytest.raises(UserError, match="No pair is shown"):
                again()
        second = sitting.show().result()
        assert second.id != shown.id
        sitting.skip(second.id)
        assert sitting.show().result().id != second.id
        assert len(dealer.store.ballots()) == sitting.votes == 1
        sitting.close()


def test_two_threads_that_vote_at_once_count_once(tmp_path):
    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        shown = sitting.show().result()
        outcomes = []
        barrier = threading.Barrier(8)

        def vote():
            barrier.wait()
            try:
                sitting.vote(shown.id, "first")
                outcomes.append("kept")
            except UserError:
                outcomes.append("refused")

        threads = [threading.Thread(target=vote) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("kept") == sitting.votes == len(dealer.store.ballots()) == 1
        sitting.close()


def test_nothing_of_the_names_is_in_what_is_shown(tmp_path):
    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        shown = sitting.show().result()
        for told in (json.dumps(asdict(shown), default=str), json.dumps(pair_json(shown))):
            assert "planted" not in told
        sitting.close()


def test_the_next_pair_is_asked_for_while_one_is_looked_at(tmp_path):
    made = []
    with dealing(tmp_path, *(maker(*who, made=made) for who in (ONE, OTHER))) as dealer:
        sitting = Sitting(dealer)
        sitting.show().result()
        until = time.monotonic() + 20
        while any(len(contestant.times) < 2 for contestant in made):
            assert time.monotonic() < until, "nobody was asked while the person looked"
            time.sleep(0.01)
        assert sum(dealer.store.kinds().values()) == 1, "only what was shown is kept"
        sitting.close()


def test_who_is_still_answering_at_the_end_is_waited_for(tmp_path):
    """A program that ends while a network computes in a thread of it is aborted."""
    made = []
    slow = [maker(name, name, 0.3, made=made) for name in ("one", "other")]
    with dealing(tmp_path, *slow) as dealer:
        sitting = Sitting(dealer)
        sitting.show().result()
        while any(contestant.asked < 2 for contestant in made):
            time.sleep(0.001)
        sitting.close()
        assert all(len(contestant.times) == 1 for contestant in made), "the next pair is under way"
    assert all(contestant.closed and len(contestant.times) == 2 for contestant in made)
    assert not [thread for thread in threading.enumerate() if thread.name == "contestant"]


def test_a_conversation_in_lines_of_json(tmp_path):
    said = []
    with two(tmp_path) as dealer:

        def lines():
            yield "no json\n"
            yield "[" * 100_000
            yield '{"id": 7}\n'
            yield "\n"
            yield json.dumps({"id": said[0]["pair"]["id"], "choice": "both"})
            yield json.dumps({"id": said[0]["pair"]["id"], "choice": "first"})
            yield json.dumps({"id": said[-1]["pair"]["id"], "skip": True})
            assert "planted" not in json.dumps(said[-1])
            yield json.dumps({"id": said[-1]["pair"]["id"], "choice": "tie"})

        assert converse(Sitting(dealer), lines(), said.append, most=2) == 2
        assert len(dealer.store.ballots()) == 2
    kinds = [next(iter(line)) for line in said]
    assert kinds == ["pair", *["error"] * 4, "vote", "pair", "skipped", "pair", "vote"]
    names = {said[5]["vote"][side]["name"] for side in ("first", "second")}
    assert names == {"planted-one", "planted-other"}
