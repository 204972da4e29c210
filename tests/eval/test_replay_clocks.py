"""When the simulated author is asked for and shown something: pauses, late answers, both clocks."""

import math
import threading
import time
from concurrent.futures import Future

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.replay.clocks import RealClock, Reply, VirtualClock
from dcomplete_eval.replay.figures import summary
from dcomplete_eval.replay.simulate import Habits, Simulation
from dcomplete_eval.replay.trace import Patch, Trace
from dcomplete_eval.replay.usefulness import Timing, replay
from dcomplete_eval.types import Answer, Task
from tests.eval.rival import LINE, Rival, gold, made, nothing, played, typed


@pytest.mark.parametrize("latency", [True, False])
def test_answers_behind_the_next_keystroke_are_stale(latency):
    """Three seconds lie between the stamps; the last keystroke waits for ever."""
    rival = Rival(gold, ms=5000.0)
    timing = Timing(False, 5000.0 if latency else None, 0)
    line, _ = played(LINE, rival, timing)
    assert line["saved"] == 0 and line["outcomes"] == {"nothing": 1, "stale": 8}
    assert line["stale_share"] == round(100 * 8 / 9, 2)
    assert line["answer_ms"]["p50"] == 5075.0, "the debounce belongs to it"
    assert len(rival.asked) == (1 if latency else 9), "who is late anyway is not asked"
    assert line["late_but_right"] == (None if latency else 25.0)
    assert line["latency_ms"] == (5000.0 if latency else None)


def test_an_answer_on_the_dot_is_shown_and_one_behind_is_not():
    def ask(ms, patience):
        return VirtualClock(Rival(gold, ms=ms)).ask(_task("x"), 0.1, patience)

    assert not ask(100.0, 0.2).stale and ask(100.1, 0.2).stale
    assert ask(100.0, 0.2).ms == 200.0


def test_who_types_on_within_the_debounce_is_not_disturbed():
    line, events = played(LINE, Rival(nothing), debounce=3600.0)
    assert [e.stroke for e in events] == [8] and events[0].outcome == "nothing"
    assert line["debounce_ms"] == 3_600_000


def paused(strokes, seconds, start=""):
    history = made(strokes, start)
    trace = history.trace
    history.trace = Trace("x", start, trace.end, trace.keystrokes, seconds)
    return history


def test_pauses_only_asks_where_the_author_goes_on_after_a_pause():
    history = paused(typed(0, *"abcdef"), (0, 0, 0, 9, 9, 9))
    line, events = played(history, Rival(gold), pause=2.0)
    assert [(e.stroke, e.text) for e in events] == [(2, "def")], "nobody goes on behind the last"
    assert line["completed"] == 3 and line["saved"] == 2 and line["pause_s"] == 2.0
    assert line["typed"] == 6


def test_after_a_pause_it_is_asked_where_the_cursor_went():
    strokes = [*typed(3, *"xy"), *typed(0, *"abcd"), (Patch(0, 1, ""),), *typed(0, *"qrs")]
    history = paused(strokes, (0, 0, 9, 9, 9, 9, 20, 30, 30, 30), "...")
    rival = Rival(gold)
    line, events = played(history, rival, pause=2.0)
    assert [(t.prefix, t.suffix, t.gold) for t in rival.asked] == [
        ("", "...xy", "abcd"),
        ("", "bcd...xy", "qrs"),
    ], "who goes on by deleting does not ask"
    assert [e.stroke for e in events] == [1, 6] and line["completed"] == 7


def test_minutes_are_those_of_the_typing():
    line, _ = played(LINE, Rival(nothing))  # eight pauses, each cut to two seconds
    assert line["requests_per_minute"] == pytest.approx(9 / (8 * 2 / 60), abs=0.1)
    twice = Simulation(LINE, VirtualClock(Rival(gold)), Habits(speed=2.0), [3.0] * 8 + [math.inf])
    assert twice.minutes() == pytest.approx(8 * 1.5 / 60)
    assert summary(twice.run(), Habits(), 0.0)["requests_per_minute"] is None


def _task(prefix):
    return Task("id", "replay:x", "g", prefix, "", "gold")


def test_in_real_time_who_is_late_is_stale_and_who_waits_behind_is_dropped():
    """The first answer takes until the timer lets it go, a good while after the third request."""
    free = threading.Event()
    rival = Rival(lambda task: free.wait(60) and task.gold)
    clock = RealClock(lambda: rival)
    assert clock.contestant is rival
    clock.stroke(0.0)
    assert clock.ask(_task("a"), 0.0, 0.03) == Reply(None, None, True)
    clock.stroke(0.03)
    assert clock.ask(_task("b"), 0.0, 0.03).stale, "the first still runs"
    clock.stroke(0.03)
    timer = threading.Timer(0.5, free.set)
    timer.start()
    reply = clock.ask(_task("c"), 0.01, math.inf)
    clock.close()
    timer.join()
    assert [t.prefix for t in rival.asked] == ["a", "c"] and len(rival.threads) == 1
    assert threading.get_ident() not in rival.threads and rival.closed
    assert not reply.stale and reply.answer is not None and reply.answer.text == "gold"
    assert reply.ms is not None and reply.ms > 400, "it waited for the first"


class LiveRival(Rival):
    """Answers when it is told to; a request can be given up."""

    def typed(self, task):
        self.asked.append(task)
        self.futures.append(Future())
        return self.futures[-1]

    futures: list[Future[Answer]]


def test_in_real_time_a_live_contestant_hears_of_every_key():
    rival = LiveRival(gold)
    rival.futures = []
    clock = RealClock(lambda: rival)
    clock.strike()
    assert clock.ask(_task("a"), 0.0, 0.03) == Reply(None, None, True)
    assert not rival.futures[0].cancelled(), "the next key is not pressed yet"
    clock.stroke(0.03)
    assert rival.futures[0].cancelled()
    timer = threading.Timer(0.1, lambda: rival.futures[1].set_result(Answer("b", 1.0)))
    timer.start()
    reply = clock.ask(_task("b"), 0.0, math.inf)
    assert reply.answer == Answer("b", 1.0) and not reply.stale and reply.ms and reply.ms > 90
    clock.close()
    timer.join()
    assert not rival.threads and rival.closed


def test_keystrokes_that_do_not_count_take_no_time():
    class Listening(VirtualClock):
        heard: list[float | None]

        def stroke(self, after):
            self.heard.append(after)

        def strike(self):
            self.heard.append(None)

    clock = Listening(Rival(nothing))
    clock.heard = []
    between = [float(n) for n in range(299)] + [math.inf]
    Simulation(made(typed(0, *("x" * 300))), clock, Habits(every=2), between).run()
    assert clock.heard == [None, *between[:100], None, *between[200:299]]


def test_real_time_passes_and_an_acceptance_brings_the_rest_forward():
    rival = Rival(gold)
    began = time.perf_counter()
    timing = Timing(True, None, 0)
    line, events = played(LINE, rival, timing, debounce=0.001, speed=5.0, longest=3.0)
    assert time.perf_counter() - began > 2 * 2.0 / 5, "of eight pauses two are lived through"
    assert line["saved"] == 3 and line["clock"] == "real"
    assert [e.stroke for e in events] == [0, 1, 7, 8]


def test_a_contestant_that_cannot_be_made_says_so_in_real_time_too():
    def broken():
        raise UserError("There is no such model.")

    for real in (True, False):
        with pytest.raises(UserError, match="no such model"):
            replay(LINE, broken, Habits(), Timing(real, None, 0), bar=False)
