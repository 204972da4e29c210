"""What the engine gets of an order, and what is left of it in the log."""

from dcomplete.serve.orders import Order
from dcomplete.types import InfillRequest


def test_waiting_counts_towards_the_deadline_but_loading_does_not(bench):
    bench.loader.on_load = lambda: setattr(bench.clock, "now", bench.clock.now + 30)
    request = InfillRequest("a", steps=1, deadline_ms=4000)
    bench.scheduler.submit(Order(request=request))
    bench.clock.now += 1
    bench.turns()
    bench.scheduler.submit(Order(request=request))
    bench.clock.now += 60
    bench.turns()
    assert bench.loader.steppers["fake"].deadlines == [3000, 0]
    assert [round(r.queue_ms) for r in bench.records] == [1000, 60_000]
    assert [round(r.load_ms) for r in bench.records] == [30_000, 0]


def test_half_of_a_surrogate_pair_is_replaced_before_the_engine(bench):
    job = bench.order("a\ud83d", steps=1)
    bench.turns()
    assert job.future.result(0).best.texts == ("a\ufffd!",)


def test_every_order_leaves_one_record(bench):
    bench.order("a", id="1"), bench.order("bug", id="2"), bench.order("c", id="3", key="k")
    bench.order("d", id="4", key="k")
    bench.turns()
    outcomes = {r.id: r.outcome for r in bench.records}
    assert outcomes == {"1": "done", "2": "failed", "3": "superseded", "4": "done"}
    done = next(r for r in bench.records if r.id == "1")
    assert (done.model, done.steps, done.forwards, done.tokens_computed) == ("fake", 3, 4, 7)
