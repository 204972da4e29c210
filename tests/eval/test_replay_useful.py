"""The simulated author: exact numbers on hand-made histories, bounds on real ones, and the command."""

import json

import pytest
from typer.testing import CliRunner

from dcomplete.errors import UserError
from dcomplete_eval.replay import commands
from dcomplete_eval.replay.history import History
from dcomplete_eval.replay.simulate import STRETCH
from dcomplete_eval.replay.trace import Patch, Trace
from dcomplete_eval.tables import usefulness
from tests.eval.rival import FILE, LINE, Rival, gold, made, nothing, played, typed
from tests.eval.test_replay import SMALL, TRACES, written


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
    assert line["saved_per_1000"] == {"value": 600.0, "low": None, "high": None}


def test_characters_beyond_a_counted_stretch_are_not_counted():
    history = made(typed(0, *"abcde" * 60))
    line, events = played(history, Rival(gold), every=2)
    assert line["completed"] == 99 + 100 and events[0].taken == 299
    assert line["keystrokes_spared"] == 100 * (99 + 100 - 1) / 200


def test_what_is_kept_is_counted_where_the_rest_is():
    gone = (Patch(100, 100, ""),)  # the second stretch, which is not counted
    line, _ = played(made([*typed(0, *"abcde" * 60), gone]), Rival(gold), every=2)
    assert line["completed"] == 99 + 100 and line["kept_share"] == 100


def test_only_the_first_keystrokes_are_typed_and_the_truth_goes_on():
    line, events = played(LINE, Rival(gold), keystrokes=4)
    assert line["keystrokes"] == 4 and line["typed"] == 3
    assert line["completed"] == 2 and line["saved"] == 1 and events[1].taken == 4


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
    assert lines == [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["trace"] for line in lines] == ["rustcode"] * 2
    assert {"commit", "device", "settings", "data", "seed", "clock", "accepts"} <= lines[0].keys()
    asked = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert sum(line["requests"] for line in lines) == len(asked)


def test_a_file_that_takes_no_lines_is_said_before_anything_is_typed(tmp_path, rivals):
    path, out = written(tmp_path, SMALL), tmp_path / "out.jsonl"
    done = run(path, "-c", "gold", "--out", out, "--log", path / "below", "--json")
    assert isinstance(done.exception, UserError) and "Cannot write" in str(done.exception)
    assert not done.stdout and not out.exists()


@pytest.mark.parametrize("option", ["--keystrokes", "--speed"])
def test_nothing_is_typed_into_a_server_without_keystrokes_or_time(tmp_path, option):
    path = written(tmp_path, SMALL)
    done = CliRunner().invoke(commands.app, ["server", str(path), option, "0"])
    assert done.exit_code == 2 and option in done.stderr


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


def test_result_lines_become_a_table():
    assert usefulness([]) == ""
    old, _ = played(LINE, Rival(nothing))
    new, _ = played(LINE, Rival(gold))
    rows = usefulness([json.loads(json.dumps(line)) for line in (old, new)]).splitlines()
    assert rows[2] == "| rustcode | `rival` | virtual | 7 | 428.6 | 57.1 % | 0.0 % | 75, 75 |"
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
