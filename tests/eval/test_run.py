"""Runs: judged beside answering, stopped and continued, by real processes too."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dcomplete.cli import run as dcomplete
from dcomplete.cli.eval_run import specs
from dcomplete.errors import UserError
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.contestants.gold import Gold
from dcomplete_eval.run import Judging, digest, record
from dcomplete_eval.store import read_run
from dcomplete_eval.types import Answer, Task, Verdict, only
from tests.eval.tiny_benchmark import Tiny

_INTERRUPTS = pytest.mark.skipif(os.name == "nt", reason="no process can send Ctrl-C to one other")
FILE = "tiny__gold.jsonl"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    benchmark = Tiny()
    monkeypatch.setitem(BENCHMARKS._entries, "tiny", benchmark)
    return benchmark


def call(capsys, *arguments: object) -> tuple[int, list[dict], str]:
    status = dcomplete([str(a) for a in ("eval", *arguments)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def test_gold_and_empty(tiny, tmp_path, capsys):
    status, lines, shown = call(
        capsys, "run", "tiny", "-c", "gold", "-c", "empty", "--out", tmp_path, "--jobs", 3
    )
    assert status == 0 and [line["contestant"] for line in lines] == ["gold", "empty"]
    assert lines[0]["pass"] == {"value": 100.0, "low": 72.25, "high": 100.0}
    assert lines[1]["pass"]["value"] == 50.0
    assert 0 < lines[1]["pass"]["low"] < 50 < lines[1]["pass"]["high"] < 100
    assert "pass@1" in shown and "tiny, 30 tasks" in shown
    told = {"commit", "machine", "device", "dtype", "settings", "data", "sandbox", "started", "of"}
    assert [line["judges"] for line in lines] == [3, 3]
    assert told <= set(lines[0])
    assert len(read_run(tmp_path / FILE).records) == 30


def test_a_sample_is_the_same_each_time_and_may_grow(tiny, tmp_path, capsys):
    def names(*more: object) -> set[str]:
        status, lines, _ = call(capsys, "run", "tiny", "-c", "gold", "--out", tmp_path, *more)
        assert status == 0 and lines[0]["tasks"] == (int(more[1]) if more else 30)
        return set(read_run(tmp_path / FILE).records)

    first = names("--limit", "7", "--seed", "3")
    assert len(first) == 7 and first == names("--limit", "7", "--seed", "3")
    assert first < names("--limit", "20", "--seed", "3") < names()


def test_json_alone(tiny, tmp_path, capsys):
    status, lines, shown = call(capsys, "run", "tiny", "-c", "gold", "--out", tmp_path, "--json")
    assert (status, len(lines), shown) == (0, 1, "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nope", "-c", "gold"], "Unknown benchmark"),
        (["tiny", "-c", "gold", "-c", "engin"], "Did you mean 'engine'"),
        (["tiny", "-c", "gold", "-c", "engine:stepps=3"], "Did you mean steps"),
        (["tiny", "-c", "gold:x"], "takes options only"),
        (["tiny", "-c", "recorded"], "needs a file"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_runs(tiny, tmp_path, capsys, arguments, word):
    status, lines, shown = call(capsys, "run", *arguments, "--out", tmp_path)
    assert status == 2 and not lines and word in shown and shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_other_data_do_not_mix(tiny, tmp_path, capsys):
    assert call(capsys, "run", "tiny", "-c", "gold", "--out", tmp_path)[0] == 0
    tiny.count = 29
    status, _, shown = call(capsys, "run", "tiny", "-c", "gold", "--out", tmp_path)
    assert status == 2 and "another data" in shown
    assert digest(tiny.tasks(tmp_path)) != digest(Tiny().tasks(tmp_path))


def test_old_answers_are_not_told_as_new_ones(tiny, tmp_path, capsys, monkeypatch):
    def again(commit: str, machine: str, *more: str) -> tuple[int, list[dict], str]:
        monkeypatch.setattr("dcomplete_eval.run.commit", lambda: commit)
        monkeypatch.setattr("dcomplete_eval.run.processor", lambda: machine)
        return call(capsys, "run", "tiny", "-c", "gold", "--out", tmp_path, "--json", *more)

    first = again("old", "box", "--jobs", "2", "--limit", "9")[1][0]
    _, [same], shown = again("new", "box", "--jobs", "2", "--limit", "9")
    assert "9 of 9 answers are there already, of commit old; to have them anew, remove" in shown
    assert (same["commit"], same["started"]) == ("old", first["started"])
    grown = again("newer", "box", "--jobs", "2")[1][0]
    assert (grown["commit"], grown["tasks"], grown["of"]) == ("old; newer", 30, 30)
    status, _, shown = again("newer", "box", "--in-turn")
    assert status == 2 and "judging threads (2, now 0)" in shown
    status, _, shown = again("newer", "faster box", "--jobs", "2")
    assert status == 2 and "another machine ('box', now 'faster box')" in shown


class Slow(Gold):
    """Notes when it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def answer(self, task: Task) -> Answer:
        time.sleep(0.02)
        self.times.append(time.monotonic())
        return super().answer(task)


def test_answering_overlaps_with_judging_in_several_threads():
    asked, judged = threading.Event(), threading.Barrier(2)

    class Late(Tiny):
        """Its first judgement waits until more was asked; the next two wait for each other."""

        def judge(self, task: Task, text: str) -> Verdict:
            if task.id == "tiny/0":
                assert asked.wait(60)
            elif task.id in ("tiny/1", "tiny/2"):
                judged.wait(60)
            return super().judge(task, text)

    class Asked(Gold):
        def answer(self, task: Task) -> Answer:
            if task.id == "tiny/3":
                asked.set()
            return super().answer(task)

    names: set[str] = set()
    keep = lambda _: names.add(threading.current_thread().name)  # noqa: E731
    benchmark = Late()
    Judging(benchmark, keep, jobs=2).run(Asked(), benchmark.tasks(Path()))
    assert {name.rpartition("_")[0] for name in names} == {"judge"} and len(names) == 2


def test_judging_in_turn_leaves_the_contestant_alone():
    events: list[str] = []

    class Watched(Tiny):
        def judge(self, task: Task, text: str) -> Verdict:
            events.append("judging")
            verdict = super().judge(task, text)
            events.append("judged")
            return verdict

    class Watching(Gold):
        def answer(self, task: Task) -> Answer:
            events.append("asked")
            return super().answer(task)

    benchmark = Watched(pause=0.01)
    Judging(benchmark, lambda _: None, jobs=0).run(Watching(), benchmark.tasks(Path())[:5])
    assert events == ["asked", "judging", "judged"] * 5


def test_with_oracle_engines_run_twice():
    assert specs(["engine", "gold", "engine:steps=4", "engine:length=8"], True) == [
        "engine", "engine:length=oracle", "gold", "engine:steps=4",
        "engine:steps=4,length=oracle", "engine:length=8",
    ]  # fmt: skip
    assert specs(["engine"], False) == ["engine"]


def test_answers_do_not_pile_up():
    slow, benchmark = Slow(), Tiny(pause=0.05)
    done = 0

    def keep(_: object) -> None:
        nonlocal done
        done += 1
        assert len(slow.times) - done <= 6

    Judging(benchmark, keep, jobs=1).run(slow, benchmark.tasks(Path()))
    assert done == 30


class Broken(Gold):
    def answer(self, task: Task) -> Answer:
        return Answer("", 0.0, error="It is broken.")


def test_an_error_passes_nothing_and_a_row_of_errors_ends_the_run():
    benchmark, kept = Tiny(), []
    with pytest.raises(UserError, match=r"20 answers in a row failed; the last: It is broken\."):
        Judging(benchmark, kept.append).run(Broken(), benchmark.tasks(Path()))
    assert len(kept) == 20
    assert not any(r.verdict.passed or r.verdict.exact for r in kept)
    empty = benchmark.tasks(Path())[0]
    assert benchmark.judge(empty, "").passed
    assert record(benchmark, empty, Answer("", 0.0)).verdict.passed


def test_a_judge_that_fails_ends_the_run():
    class Refusing(Tiny):
        def judge(self, task: Task, text: str) -> Verdict:
            raise UserError("There is no sandbox here.")

    with pytest.raises(UserError, match="no sandbox"):
        Judging(Refusing(), lambda _: None).run(Gold(), Tiny().tasks(Path()))


def test_samples_are_in_order():
    tasks = Tiny().tasks(Path())
    assert only(tasks, 0) == list(tasks) == only(tasks, 99)
    assert [t.id for t in only(tasks, 5)] == [t.id for t in tasks if t in only(tasks, 5)]


def process(pause: float, out: Path, *more: str) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("tiny_benchmark.py")
    command = ["eval", "run", "tiny", "-c", "gold", "--jobs", "2", "--json", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, str(script), str(pause), *command, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def figures(line: str) -> dict[str, object]:
    said = json.loads(line)
    return {name: said[name] for name in ("tasks", "errors", "pass", "exact", "similarity", "data")}


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["kill", pytest.param("interrupt", marks=_INTERRUPTS)])
def test_a_run_that_was_ended_goes_on_and_comes_to_the_same(tmp_path, how):
    whole = process(0.0, tmp_path / "whole")
    expected = figures(whole.communicate(timeout=60)[0])
    out = tmp_path / "broken"
    first = process(0.1, out)
    wait_for_lines(out / FILE, 6)
    first.kill() if how == "kill" else first.send_signal(signal.SIGINT)
    said = first.communicate(timeout=60)
    killed = 1 if os.name == "nt" else -9
    assert first.returncode == (killed if how == "kill" else 130)
    assert "Traceback" not in said[1]
    if how == "interrupt":
        assert "the same command goes on" in said[1]
    done = set(read_run(out / FILE).records)
    assert 5 <= len(done) < 30
    if how == "kill":  # as if it had died in the middle of a line
        with (out / FILE).open("ab") as file:
            file.write(b'{"task": "tiny/29", "ans')
    again = process(0.0, out)
    assert figures(again.communicate(timeout=60)[0]) == expected
    lines = [json.loads(line) for line in (out / FILE).read_text("utf-8").splitlines()]
    tasks = [line["task"] for line in lines if "task" in line]
    assert len(tasks) == len(set(tasks)) == 30  # nothing was asked twice
    assert sum("run" in line for line in lines) == 2


@pytest.mark.e2e
def test_two_runs_that_write_to_one_store_lose_nothing(tmp_path):
    two = [process(0.02, tmp_path), process(0.02, tmp_path)]
    said = [one.communicate(timeout=60)[0] for one in two]
    assert [one.returncode for one in two] == [0, 0]
    assert figures(said[0]) == figures(said[1])
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text("utf-8").splitlines()]
    tasks = [line["task"] for line in lines if "task" in line]
    assert len(set(tasks)) == 30 and 30 <= len(tasks) <= 60
    assert sum("run" in line for line in lines) == 2
