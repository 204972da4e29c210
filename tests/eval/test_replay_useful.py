"""The simulated author: exact numbers on hand-made histories, both clocks, and the command."""

import json
import math
import threading
import time

import pytest
from typer.testing import CliRunner

from dcomplete.errors import UserError
from dcomplete_eval import readme
from dcomplete_eval.replay import commands
from dcomplete_eval.replay.clocks import RealClock, Reply, VirtualClock
from dcomplete_eval.replay.figures import summary
from dcomplete_eval.replay.history import History
from dcomplete_eval.replay.simulate import STRETCH, Habits, Simulation
from dcomplete_eval.replay.trace import Patch, Trace
from dcomplete_eval.replay.usefulness import Timing, replay
from dcomplete_eval.types import Answer, Task
from tests.eval.test_replay import SMALL, TRACES, written

FILE = "fn main() {\n    \n}\n"  # pasted; the author then writes a line into it


class Rival:
    """Says what `say` returns for a task, after `ms` that are only claimed."""

    name = "rival"

    def __init__(self, say, ms=0.0, **answer):
        self.say, self.ms, self.more = say, ms, answer
        self.asked, self.threads, self.closed = [], set(), False

    def settings(self):
        return {"say": "so"}

    def answer(self, task: Task) -> Answer:
        self.asked.append(task)
        self.threads.add(threading.get_ident())
        return Answer(self.say(task), self.ms, **self.more)

    def close(self):
        self.closed = True


def gold(task):
    return task.gold


def nothing(task):
    return ""


def typed(at, *texts):
    """One stroke for each text, "" for a backspace."""
    strokes = []
    for text in texts:
        strokes.append((Patch(at, 0, text),) if text else (Patch(at - 1, 1, ""),))
        at += len(text) or -1
    return strokes


def made(strokes, start=""):
    trace = Trace("rustcode", start, "", tuple(strokes), tuple(range(0, 3 * len(strokes), 3)))
    *_, end = start, *trace.texts()
    return History(Trace("rustcode", start, end, trace.keystrokes, trace.seconds))


# let x, corrected to let y, then a mark at the file's start
LINE = made([(Patch(0, 0, FILE),), *typed(16, *"let x", "", "y"), (Patch(0, 0, "#"),)])


def played(history, rival, timing=None, **habits):
    timing = timing or Timing(False, None, 0)
    line, events = replay(history, lambda: rival, Habits(**habits), timing, bar=False)
    assert rival.closed
    return line, events


def test_the_truth_saves_exactly_what_can_be_saved():
    """Seven characters typed; "et y" is known at the first of them, one key takes it."""
    rival = Rival(gold, forwards=3)
    line, events = played(LINE, rival)
    assert line["typed"] == 7 and line["keystrokes"] == 9
    assert line["completed"] == 4 and line["saved"] == 3
    assert line["saved_per_1000"] == {"value": 428.6, "low": None, "high": None}
    assert line["rocc"]["value"] == 0.5714
    assert line["keystrokes_spared"] == round(100 * 5 / 9, 2)  # six strokes for one key
    assert line["shown"] == line["accepted"] == 1 and line["acceptance"] == 100
    assert line["kept_share"] == 100 and line["fits_end_share"] == 100
    assert line["outcomes"] == {"nothing": 3, "shown": 1} and line["requests"] == 4
    assert line["forwards_per_request"] == 3
    assert [e.stroke for e in events] == [0, 1, 7, 8], "what was accepted is not typed"
    shown = rival.asked[1]
    assert (shown.prefix, shown.suffix, shown.gold) == (FILE[:16] + "l", FILE[16:], "et y")
    assert (shown.benchmark, shown.language) == ("replay:rustcode", "rust")


def test_silence_saves_nothing_and_is_asked_everywhere():
    line, events = played(LINE, Rival(nothing))
    assert line["saved"] == line["completed"] == line["shown"] == 0
    assert line["rocc"]["value"] == line["saved_per_1000"]["value"] == 0
    assert line["acceptance"] is None and line["shown_ms"] == {}
    assert line["outcomes"] == {"nothing": 9} and len(events) == 9


def test_what_is_wrong_is_not_taken():
    line, _ = played(LINE, Rival(lambda task: "wrong"))
    assert line["shown"] == 9 and line["accepted"] == 0 and line["saved"] == 0
    assert line["fits_end_share"] == 0


def test_a_first_line_is_taken_and_the_rest_is_asked_for():
    history = made(typed(0, *"ab(", "\n    ", *"cd"))
    rival = Rival(lambda t: {"a": "b(\n    wrong", "ab(": "\n    cd"}.get(t.prefix, ""))
    line, events = played(history, rival, least=2)
    assert [e.taken for e in events] == [2, 7, 0]
    assert line["typed"] == 10 and line["completed"] == 9 and line["saved"] == 7
    assert line["keystrokes_spared"] == round(100 * 3 / 6, 2)


def test_accepted_text_that_goes_later_is_not_kept():
    history = made([*typed(0, *"abcdef"), (Patch(0, 5, "x"),)])
    line, _ = played(history, Rival(gold))
    assert line["completed"] == 5 and line["kept_share"] == 20
    assert line["fits_end_share"] is None, "the spot's left neighbour is gone"


def test_a_suggestion_may_fit_the_end_though_the_author_wrote_something_else_first():
    history = made([*typed(0, *"abc"), (Patch(0, 0, "#"),), (Patch(2, 2, ""),), *typed(2, *"xyz")])
    say = {"a": "xyz"}
    line, events = played(history, Rival(lambda t: say.pop(t.prefix, "")))
    assert events[0].fits_end is True and events[0].taken == 0
    assert line["fits_end_share"] == 100 and line["accepted"] == 0


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


def test_errors_are_counted_and_change_nothing():
    line, _ = played(LINE, Rival(nothing, error="The model is gone."))
    assert line["outcomes"] == {"error": 9} and line["saved"] == 0


def test_every_nth_stretch_is_asked_and_counted():
    history = made(typed(0, *"abcde" * 100))
    whole, _ = played(history, Rival(gold))
    assert whole["completed"] == 499 and whole["typed"] == 500
    part, events = played(history, Rival(nothing), every=2)
    assert part["typed"] == part["keystrokes"] == 300 and part["every"] == 2
    assert {e.stroke // STRETCH for e in events} == {0, 2, 4}
    short = {"a": "bcde"}
    line, _ = played(history, Rival(lambda t: short.get(t.prefix[-1], "")), every=2)
    assert line["completed"] == 4 * 60 and line["saved"] == 3 * 60
    assert line["saved_per_1000"] == {"value": 600.0, "low": 600.0, "high": 600.0}


def test_characters_beyond_a_counted_stretch_are_not_counted():
    history = made(typed(0, *"abcde" * 60))
    line, events = played(history, Rival(gold), every=2)
    assert line["completed"] == 99 + 100 and events[0].taken == 299


def test_only_the_first_keystrokes_are_typed_and_the_truth_goes_on():
    line, events = played(LINE, Rival(gold), keystrokes=4)
    assert line["keystrokes"] == 4 and line["typed"] == 3
    assert line["completed"] == 2 and line["saved"] == 1 and events[1].taken == 4


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


@pytest.fixture
def rivals(monkeypatch):
    found = {"gold": gold, "empty": nothing}
    monkeypatch.setattr(commands, "maker", lambda spec: lambda: Rival(found[spec]))


def run(*arguments):
    return CliRunner().invoke(commands.app, ["useful", *map(str, arguments)])


def test_the_command_prints_a_line_for_each_trace_and_contestant(tmp_path, rivals):
    path, out, log = written(tmp_path, SMALL), tmp_path / "out.jsonl", tmp_path / "log.jsonl"
    done = run(path, "-c", "gold", "-c", "empty", "--out", out, "--log", log, "--json")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["trace"] for line in lines] == ["rustcode"] * 2
    assert {"commit", "device", "settings", "data", "seed", "clock", "accepts"} <= lines[0].keys()
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(line["requests"] for line in lines) == len(asked)


def test_the_command_shows_a_table_to_people(tmp_path, rivals):
    done = run(written(tmp_path, SMALL), "-c", "gold")
    assert done.exit_code == 0 and "RoCC" in done.stderr
    assert json.loads(done.stdout)["contestant"] == "rival"


def test_traces_are_found_by_name_in_the_data_folder(tmp_path, rivals):
    folder = tmp_path / "editing-traces"
    folder.mkdir()
    written(folder, SMALL)
    assert run("rustcode", "-c", "empty", "--data", tmp_path, "--json").exit_code == 0
    with pytest.raises(UserError, match=r"no trace 'other' .known: rustcode"):
        commands.trace_file("other", tmp_path)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--clock", "sun"], "virtual or real"), (["--accept", "all"], "line, whole")],
)
def test_wrong_words_are_refused_in_one_sentence(tmp_path, rivals, wrong, said):
    done = run(written(tmp_path, SMALL), "-c", "empty", *wrong)
    assert isinstance(done.exception, UserError) and said in str(done.exception)


def test_result_lines_become_a_table_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    assert readme.usefulness() == ""
    old, _ = played(LINE, Rival(nothing))
    new, _ = played(LINE, Rival(gold))
    lines = [json.dumps(line) for line in (old, new)]
    (tmp_path / "usefulness.jsonl").write_text("\n".join(lines) + "\n")
    rows = readme.usefulness().splitlines()
    assert rows[2] == "| rustcode | `rival` | 7 | 428.6 | 57.1 % | 0.0 % | - |"
    assert len(rows) == 5, "the newest counts"


@pytest.mark.parametrize("name", ["rustcode", "sveltecomponent"])
def test_real_traces_are_bounded_by_truth_and_silence(name):
    path = TRACES / f"{name}.json.gz"
    if not path.exists():
        pytest.skip("the recorded traces are not here")
    history = History(Trace.read(path))
    best, events = played(history, Rival(gold), keystrokes=3000)
    none, _ = played(history, Rival(nothing), keystrokes=3000)
    assert none["saved"] == 0 < best["saved"] < best["completed"] < best["typed"] == none["typed"]
    assert best["saved"] == best["completed"] - best["accepted"]
    assert 0.4 < best["rocc"]["low"] < best["rocc"]["value"] < best["rocc"]["high"] < 1
    assert all(e.text == e.truth for e in events)
