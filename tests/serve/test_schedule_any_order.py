"""The scheduler under random orders, and with a thread that computes."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.errors import Reason, Refusal
from dcomplete.serve.limits import Limits
from tests.serve.conftest import make_bench

events = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ahead", "drop", "turn", "turn"]),
        st.integers(0, 6),
        st.sampled_from(["", "k", "l"]),
        st.sampled_from(["a", "a", "bug"]),
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(events)
def test_whatever_happens_every_request_ends_once_and_nothing_is_left(script):
    bench = make_bench(Limits(active=2, waiting=3))
    jobs = []
    for what, number, key, prefix in script:
        if what in ("ask", "ahead"):
            try:
                jobs.append(bench.order(prefix, number, key=key, background=what == "ahead"))
            except Refusal as refused:
                assert refused.reason is Reason.BUSY
        elif what == "drop" and jobs:
            bench.scheduler.drop(jobs[number % len(jobs)])
        else:
            bench.scheduler.turn()
        assert bench.scheduler.now().active <= 2
        assert bench.scheduler.now().waiting + bench.scheduler.now().waiting_background <= 3
    assert bench.turns() < 1000
    load = bench.scheduler.now()
    assert all(job.future.done() for job in jobs)
    assert (load.active, load.waiting, load.waiting_background) == (0, 0, 0)
    assert sum(load.counts.values()) == 2 * load.counts["requests"] == 2 * len(bench.records)


def test_many_threads_may_order_while_one_computes(bench):
    worker = threading.Thread(target=bench.scheduler.run)
    worker.start()
    jobs = []
    asking = [
        threading.Thread(target=lambda n=n: jobs.append(bench.order(f"{n}", steps=5)))
        for n in range(30)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert all(job.future.result(10) is not None for job in jobs) and len(jobs) == 30
    bench.scheduler.close()
    worker.join(10)
    assert not worker.is_alive()
