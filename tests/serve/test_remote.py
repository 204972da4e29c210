"""The process as a plain engine."""

import threading

import pytest

from dcomplete.errors import Cancelled, UserError
from dcomplete.serve.remote import RemoteEngine
from dcomplete.serve.start import read_status
from dcomplete.types import CancelToken, Engine, InfillRequest
from tests.serve.conftest import until


@pytest.fixture
def engine():
    with RemoteEngine() as made:
        yield made


def test_it_fills_gaps_like_any_engine(serve, engine):
    serve()
    fits: Engine = engine
    assert fits.infill(InfillRequest("x")).best.texts == ("x!",)
    with pytest.raises(UserError, match="Steps must be at least 1"):
        fits.infill(InfillRequest("wrong"))


def test_its_steps_are_watched_in_the_callers_thread(serve, engine):
    serve()
    seen = []
    engine.infill(
        InfillRequest("x", steps=3),
        watch=lambda step, rows: seen.append((step, threading.current_thread())),
    )
    assert seen == [(step, threading.current_thread()) for step in range(3)]


def test_cancelling_gives_the_request_up_here_and_there(serve, engine):
    served = serve(pause=0.01)
    cancel = CancelToken()
    stopper = threading.Thread(
        target=lambda: (until(lambda: served.loader.steppers), cancel.cancel())
    )
    stopper.start()
    with pytest.raises(Cancelled):
        engine.infill(InfillRequest("long", steps=100_000), cancel)
    stopper.join()
    until(lambda: read_status().counts["cancelled"] == 1)


def test_a_watcher_that_fails_gives_the_request_up(serve, engine):
    serve(pause=0.01)

    def fail(step, rows):
        raise RuntimeError("the terminal is gone")

    with pytest.raises(RuntimeError, match="terminal"):
        engine.infill(InfillRequest("long", steps=100_000), watch=fail)
    until(lambda: read_status().counts["cancelled"] == 1)


def test_several_threads_may_ask(serve, engine):
    serve()
    texts = []
    threads = [
        threading.Thread(
            target=lambda n=n: texts.append(engine.infill(InfillRequest(f"{n}")).best.texts[0])
        )
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == sorted(f"{n}!" for n in range(10))


def test_warming_loads(serve, engine):
    served = serve()
    engine.warm()
    assert served.loader.loads == ["fake"]


def test_closing_twice_is_no_error(own_places):
    engine = RemoteEngine()
    engine.close(), engine.close()
