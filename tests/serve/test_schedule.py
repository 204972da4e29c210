"""Who computes next, turn by turn: a fake engine, a clock that stands still, no thread."""

import pytest

from dcomplete.errors import Cancelled, Reason, Refusal, UserError
from dcomplete.serve.limits import Limits
from dcomplete.serve.orders import EngineFault, Order
from tests.serve.conftest import SECRET, make_bench


def refusal(job) -> Reason:
    error = job.future.exception(0)
    assert isinstance(error, Refusal)
    return error.reason


def test_a_request_is_answered(bench):
    job = bench.order()
    bench.turns()
    assert job.future.result(0).best.texts == ("a!",)


def test_requests_take_turns_step_by_step(bench):
    bench.order("a"), bench.order("b", steps=2), bench.order("c")
    bench.turns()
    assert bench.loader.trace == "abcabcac"


def test_a_late_comer_joins_the_round(bench):
    bench.order("a", steps=4)
    bench.scheduler.turn(), bench.scheduler.turn()
    bench.order("b", steps=2)
    bench.turns()
    assert bench.loader.trace == "aaabab"


def test_no_more_than_four_run_at_once_and_who_waits_longest_is_next(bench):
    jobs = [bench.order(name, steps=2) for name in "abcdef"]
    bench.scheduler.turn()
    assert bench.scheduler.now().active == 4 and bench.scheduler.now().waiting == 2
    bench.turns()
    assert bench.loader.trace == "abcdabcdefef"
    assert all(job.future.done() for job in jobs)


def test_a_newer_request_takes_the_place_of_a_waiting_one_at_once(bench):
    for name in "wxyz":
        bench.order(name)
    bench.scheduler.turn()
    old, new = bench.order("a", key="k"), bench.order("b", key="k")
    assert refusal(old) is Reason.SUPERSEDED
    bench.turns()
    assert new.future.result(0).best.texts == ("b!",) and "a" not in bench.loader.trace


def test_a_newer_request_ends_a_running_one_between_two_steps(bench):
    old = bench.order("a", steps=100, key="k")
    bench.scheduler.turn()
    bench.order("b", key="k")
    bench.turns()
    assert refusal(old) is Reason.SUPERSEDED
    assert bench.loader.trace == "abbb" and bench.loader.steppers["fake"].closed == ["a", "b"]


def test_requests_with_other_keys_or_none_do_not_supersede_each_other(bench):
    jobs = [bench.order(n, key=key) for n, key in zip("abcd", ["", "", "x", "y"], strict=True)]
    bench.turns()
    assert [job.future.result(0).best.texts[0] for job in jobs] == ["a!", "b!", "c!", "d!"]


def test_background_requests_compute_only_while_nobody_waits(bench):
    bench.order("b", steps=3, background=True)
    bench.scheduler.turn()
    bench.order("a", steps=3)
    bench.turns()
    assert bench.loader.trace == "baaabb"


def test_a_background_request_does_not_supersede_one_that_somebody_waits_for(bench):
    awaited = bench.order("a", key="k")
    bench.order("b", key="k", background=True)
    bench.turns()
    assert awaited.future.result(0).best.texts == ("a!",)


def test_one_that_somebody_waits_for_supersedes_what_was_computed_ahead(bench):
    ahead = bench.order("b", key="k", background=True)
    bench.order("a", key="k")
    assert refusal(ahead) is Reason.SUPERSEDED


def test_a_full_queue_refuses_and_says_so():
    bench = make_bench(Limits(waiting=2))
    bench.order("a"), bench.order("b")
    with pytest.raises(Refusal, match="too many requests") as error:
        bench.order("c")
    assert error.value.reason is Reason.BUSY
    bench.turns()
    assert bench.loader.trace == "ababab"
    assert bench.scheduler.now().counts["refused"] == 1


def test_background_requests_are_dropped_first_when_the_queue_is_full():
    bench = make_bench(Limits(waiting=2))
    ahead, _, new = bench.order("b", background=True), bench.order("a"), bench.order("c")
    assert refusal(ahead) is Reason.BUSY
    with pytest.raises(Refusal):
        bench.order("d", background=True)
    bench.turns()
    assert new.future.result(0) is not None


def test_a_superseded_request_makes_room_in_a_full_queue():
    bench = make_bench(Limits(waiting=1))
    bench.order("a", key="k")
    assert not bench.order("b", key="k").future.done()


def test_a_dropped_request_ends_between_two_steps_and_gives_its_cache_back(bench):
    job, other = bench.order("a", steps=100), bench.order("b")
    bench.scheduler.turn()
    bench.scheduler.drop(job)
    assert not job.future.done()
    bench.scheduler.turn()
    assert isinstance(job.future.exception(0), Cancelled)
    assert bench.loader.steppers["fake"].closed == ["a"]
    bench.turns()
    assert other.future.result(0) is not None and bench.loader.trace == "abbb"


def test_a_request_dropped_while_it_waits_never_begins(bench):
    job = bench.order("a")
    bench.scheduler.drop(job), bench.scheduler.drop(job)
    assert isinstance(job.future.exception(0), Cancelled)
    assert bench.turns() == 0 and bench.loader.loads == []
    assert bench.scheduler.now().counts["cancelled"] == 1


def test_a_request_dropped_while_its_model_is_loaded_never_begins(bench):
    job = bench.order("a")
    bench.loader.on_load = lambda: bench.scheduler.drop(job)
    bench.turns()
    assert isinstance(job.future.exception(0), Cancelled) and bench.loader.trace == ""


@pytest.mark.parametrize(
    ("prefix", "kind", "sentence"),
    [
        ("bug", EngineFault, "failed with TensorTrouble"),
        ("memory", UserError, "Not enough memory"),
        ("cuda-memory", UserError, "Not enough memory"),
        ("wrong", UserError, "Steps must be at least 1."),
    ],
)
def test_a_failure_is_its_own_requests_alone(bench, caplog, prefix, kind, sentence):
    failed, fine = bench.order(prefix), bench.order("a")
    bench.turns()
    error = failed.future.exception(0)
    assert isinstance(error, kind) and sentence in str(error)
    assert fine.future.result(0).best.texts == ("a!",)
    assert SECRET not in caplog.text + str(error)
    assert bench.scheduler.now().counts["failed"] == 1


def test_an_unexpected_failure_is_logged_with_its_type_and_place(bench, caplog):
    bench.order("bug", id="i1")
    bench.turns()
    assert "id=i1 TensorTrouble at conftest.py:" in caplog.text


def test_a_model_that_cannot_be_loaded_fails_its_request_alone(bench):
    failed, fine = bench.order("a", model="missing"), bench.order("b")
    bench.turns()
    assert "Unknown model" in str(failed.future.exception(0))
    assert fine.future.result(0) is not None


def test_a_model_is_loaded_once_and_the_least_recently_used_goes(bench):
    for model in ("", "fake", "b", "fake", "c"):
        bench.order(model=model)
        bench.turns()
    assert bench.loader.loads == ["fake", "b", "c"]
    assert [m.name for m in bench.scheduler.now().models] == ["fake", "c"]


def test_a_third_model_waits_until_a_place_is_free(bench):
    bench.order("a", model="m1", steps=3), bench.order("b", model="m2", steps=2)
    third, fourth = bench.order("c", model="m3"), bench.order("d", model="m1")
    bench.scheduler.turn(), bench.scheduler.turn()
    assert len(bench.scheduler.now().models) == 2 and not third.future.done()
    bench.turns()
    assert third.future.result(0) is not None and fourth.future.result(0) is not None
    assert bench.loader.loads[:3] == ["m1", "m2", "m3"]


def test_the_state_says_what_goes_on(bench):
    seen = []
    bench.loader.on_load = lambda: seen.append(bench.scheduler.now().state)
    assert bench.scheduler.now().state == "idle"
    bench.order()
    bench.scheduler.turn()
    assert seen == ["loading"] and bench.scheduler.now().state == "busy"
    bench.turns()
    assert bench.scheduler.now().state == "ready"


def test_weights_go_after_the_time_without_requests_and_come_back(bench):
    bench.order()
    bench.turns()
    bench.clock.now += 299
    bench.scheduler.tend()
    assert bench.scheduler.now().state == "ready"
    bench.clock.now += 2
    bench.scheduler.tend()
    assert bench.scheduler.now().state == "idle" and bench.scheduler.now().models == ()
    bench.order()
    bench.turns()
    assert bench.loader.loads == ["fake", "fake"]


def test_a_pause_gives_memory_back_once(bench, monkeypatch):
    released = []
    monkeypatch.setattr("dcomplete.serve.pool.release_memory", lambda: released.append(1))
    bench.order()
    bench.turns()
    released.clear()  # loading releases as well
    for seconds in (4, 2, 2):
        bench.clock.now += seconds
        bench.scheduler.tend()
    assert len(released) == 1, "after five seconds, and not again"
    bench.order()
    bench.turns()
    bench.clock.now += 6
    bench.scheduler.tend()
    assert len(released) == 2 and bench.scheduler.now().state == "ready"


def test_only_requests_count_as_use(bench):
    bench.clock.now += 10
    bench.scheduler.now()
    assert bench.scheduler.idle_for() == 10
    job = bench.order()
    assert bench.scheduler.idle_for() == 0
    bench.clock.now += 5
    bench.turns()
    assert job.future.done() and bench.scheduler.idle_for() == 0


def test_closing_ends_everything_as_cancelled_and_refuses_what_comes(bench):
    jobs = [bench.order(n, steps=50) for n in "abcdef"]
    bench.scheduler.turn()
    bench.scheduler.close()
    bench.turns()
    assert all(isinstance(job.future.exception(0), Cancelled) for job in jobs)
    with pytest.raises(Refusal) as error:
        bench.order("g")
    assert error.value.reason is Reason.NO_ENGINE and bench.scheduler.now().ending


def test_closing_gently_answers_what_was_asked(bench):
    jobs = [bench.order(n) for n in "abcdef"]
    bench.scheduler.close(finish=True)
    bench.scheduler.run()
    assert all(job.future.result(0) is not None for job in jobs)


def test_an_order_without_a_request_only_loads(bench):
    job = bench.scheduler.submit(Order(model="m"))
    bench.turns()
    assert job.future.result(0) is None and bench.loader.loads == ["m"]


def test_a_device_out_of_order_costs_the_request_alone(bench, monkeypatch):
    monkeypatch.setattr("dcomplete.serve.schedule.release_memory", lambda: 1 / 0)
    job, next_one = bench.order("cuda-memory"), bench.order("b")
    bench.turns()
    assert "Not enough memory" in str(job.future.exception())
    assert next_one.future.result().best.texts == ("b!",)


def test_where_a_turn_breaks_nobody_is_left_waiting(bench, monkeypatch, caplog):
    running = [bench.order(f"{n}", steps=9) for n in range(4)]
    bench.scheduler.turn()
    waiting = bench.order("w")
    monkeypatch.setattr(bench.scheduler, "_sweep", lambda: 1 / 0)
    bench.scheduler.run()
    for job in (*running, waiting):
        assert job.future.exception(0).reason is Reason.NO_ENGINE
    with pytest.raises(Refusal):
        bench.order("late")
    assert "ended by ZeroDivisionError" in caplog.text


def test_a_log_that_fails_costs_nobody_the_answer(bench, monkeypatch):
    monkeypatch.setattr(bench.scheduler, "_record", lambda record: 1 / 0)
    job = bench.order("a", steps=1)
    bench.scheduler.run()
    assert job.future.result(0).best.texts == ("a!",)
