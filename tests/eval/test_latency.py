"""Latency under load: from the intended arrival, with known delays; nothing is omitted."""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram

from dcomplete.cli import run as dcomplete
from dcomplete.errors import UserError
from dcomplete_eval import contestants
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.contestants.gold import Gold
from dcomplete_eval.contestants.spec import Kind
from dcomplete_eval.latency import Request, drive, poisson, typed
from dcomplete_eval.replay.trace import Patch, Trace
from dcomplete_eval.types import Answer, Task
from tests.eval.tiny_benchmark import Tiny

TASK = Task("t", "b", "g", "a = ", "\n", "b")


class Counted:
    """A clock that moves only when somebody waits or works."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait(self, until: float) -> None:
        self.time = max(self.time, until)


class Delayed(Gold):
    """Answers after known delays, one after the other; every `broken`-th answer is an error."""

    def __init__(self, clock: Counted, *delays: float, broken: int = 0) -> None:
        super().__init__("delayed")
        self.clock, self.delays, self.broken = clock, delays, broken
        self.asked: list[str] = []

    def answer(self, task: Task) -> Answer:
        self.asked.append(task.id)
        self.clock.time += self.delays[(len(self.asked) - 1) % len(self.delays)]
        failed = bool(self.broken) and len(self.asked) % self.broken == 0
        return Answer("", 0.0, error="No." if failed else "")


def requests(*moments: float) -> list[Request]:
    return [Request(at, Task(str(i), "b", "g", "", "", "")) for i, at in enumerate(moments)]


def test_waiting_behind_others_counts():
    clock = Counted()
    who = Delayed(clock, 0.5)
    found = drive(who, requests(*(0.1 * i for i in range(10))), clock=clock)
    said = found.as_json()
    # The k-th of ten arrives at 0.1 k and is answered at 0.5 (k + 1).
    expected = sorted(0.5 * (k + 1) - 0.1 * k for k in range(10))
    latency, service = said["latency_ms"], said["service_ms"]
    assert latency["p50"] == pytest.approx(1000 * expected[4], rel=2e-3)
    assert latency["p90"] == pytest.approx(1000 * expected[8], rel=2e-3)
    assert latency["max"] == latency["p99"] == pytest.approx(1000 * expected[9], rel=2e-3)
    assert latency["mean"] == pytest.approx(100 * sum(expected), rel=2e-3)
    assert service["p50"] == service["max"] == pytest.approx(500, rel=2e-3)
    assert (said["answered"], said["cancelled"], said["stale"]) == (10, 0, 9)
    assert said["busy"] == 1.0 and said["seconds"] == 5.0


def test_a_server_that_stands_still_once_is_seen_by_all_who_wait():
    """A closed loop would note one slow answer of a hundred; half of the users met it."""
    clock = Counted()
    who = Delayed(clock, *[0.001] * 50, 5.0, *[0.001] * 49)
    said = drive(who, requests(*(0.1 * i for i in range(100))), clock=clock).as_json()
    assert said["service_ms"]["p90"] < 2
    assert said["latency_ms"]["p90"] > 3500
    assert said["latency_ms"]["max"] == pytest.approx(5000, rel=2e-3)


def test_the_latest_of_those_that_wait_is_asked_and_the_others_are_cancelled():
    clock = Counted()
    who = Delayed(clock, 0.25)
    found = drive(who, requests(0, 0.1, 0.2, 0.3, 1.0, 1.05), latest=True, clock=clock)
    assert who.asked == ["0", "2", "3", "4", "5"]
    assert (found.answered, found.cancelled) == (5, 1)
    assert found.stale == 3  # 0 and 2 and 4: something newer had come by then
    assert found.as_json()["latency_ms"]["max"] == pytest.approx(
        450, rel=2e-3
    )  # 3: from 0.3 to 0.75


def test_an_idle_server_waits_for_arrivals():
    clock = Counted()
    seen: list[int] = []
    found = drive(Delayed(clock, 0.01), requests(1.0, 2.0, 3.0), clock=clock, told=seen.append)
    said = found.as_json()
    assert said["seconds"] == 3.01 and said["busy"] == pytest.approx(0.01, abs=1e-3)
    assert said["latency_ms"]["max"] == pytest.approx(10, rel=2e-3)
    assert said["stale"] == 0 and seen == [1, 2, 3]


def test_errors_are_counted_and_have_no_latency():
    clock = Counted()
    found = drive(Delayed(clock, 0.01, broken=3), requests(*range(9)), clock=clock)
    assert (found.answered, found.errors) == (6, 3)
    nothing = drive(Delayed(clock, 0.01, broken=1), requests(0.0), clock=clock).as_json()
    assert nothing["latency_ms"] is None


def test_the_histogram_can_be_read_back():
    clock = Counted()
    said = drive(Delayed(clock, 0.02, 0.08), requests(*range(20)), clock=clock).as_json()
    kept = HdrHistogram.decode(said["latency_ms"]["histogram"])
    assert kept.get_total_count() == 20
    assert kept.get_value_at_percentile(99) == pytest.approx(80_000, rel=2e-3)


def test_in_real_time():
    class Sleeping(Gold):
        def answer(self, task: Task) -> Answer:
            time.sleep(0.03)
            return Answer("", 30.0)

    said = drive(Sleeping(), requests(*(0.01 * i for i in range(20)))).as_json()
    assert said["service_ms"]["p50"] >= 29.9
    # The last one arrives after 0.19 s and cannot be answered before 0.6 s have passed.
    assert said["latency_ms"]["max"] >= 405 and said["seconds"] >= 0.6


def test_poisson_arrivals_have_their_rate_and_their_spread():
    tasks = [Task(str(i), "b", "g", "", "", "") for i in range(7)]
    found = poisson(tasks, 4.0, 4000, seed=1)
    gaps = [b.at - a.at for a, b in pairwise(found)]
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(0.25, rel=0.05)
    spread = (sum((g - mean) ** 2 for g in gaps) / len(gaps)) ** 0.5
    assert spread == pytest.approx(mean, rel=0.1)  # as of an exponential distribution
    assert found == poisson(tasks, 4.0, 4000, seed=1) != poisson(tasks, 4.0, 4000, seed=2)
    assert {r.task.id for r in found[:7]} == {t.id for t in tasks}
    assert [r.at for r in poisson(tasks, 8.0, 9, 1)] == pytest.approx([r.at / 2 for r in found[:9]])


TRACE = Trace(
    "rustcode", "fn f", "fn fg()\n",
    ((Patch(4, 0, "g"),), (Patch(5, 0, "("), Patch(6, 0, ")")), (Patch(7, 0, "\n"),)),
    (10, 11, 30),
)  # fmt: skip


def test_arrivals_from_typing():
    found = typed(TRACE, 2.0, 10, seed=3)
    assert [(r.task.prefix, r.task.suffix) for r in found] == [("fn fg", ""), ("fn fg()\n", "")]
    assert found[0].at == 0.0 and found[0].task.language == "rust"
    assert found[1].at <= (2.0 + 2.0) / 2  # the pause is cut, and everything twice as fast
    assert typed(TRACE, 2.0, 1) == typed(TRACE, 2.0, 10)[:1]


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    status = dcomplete([str(a) for a in ("eval", "latency", *arguments)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(BENCHMARKS._entries, "tiny", Tiny())
    out = tmp_path / "latency.jsonl"
    status, said, shown = call(
        capsys, "-c", "gold", "-c", "empty", "-b", "tiny", "--rate", 500, "--rate", 900,
        "--count", 20, "--out", out,
    )  # fmt: skip
    lines = [json.loads(line) for line in said.splitlines()]
    assert status == 0
    named = [(line["contestant"], line["rate"]) for line in lines]
    assert named == [("gold", 500), ("gold", 900), ("empty", 500), ("empty", 900)]
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == lines
    told = {"commit", "machine", "device", "dtype", "settings", "data", "seed", "queue", "started"}
    for line in lines:
        assert told <= set(line) and line["answered"] == 20
    assert "cancelled" in shown and "500/s" in shown


def test_what_was_measured_stays_where_the_next_contestant_fails(tmp_path, capsys, monkeypatch):
    class Gone(Gold):
        name = "gone"

        def answer(self, task):
            raise UserError("The server is gone.")

        def settings(self):
            return {}

        def close(self):
            pass

    monkeypatch.setitem(BENCHMARKS._entries, "tiny", Tiny())
    monkeypatch.setitem(contestants.CONTESTANTS._entries, "gone", Kind(lambda spec: Gone()))
    out = tmp_path / "new" / "latency.jsonl"
    asked = ["-c", "gold", "-c", "gone", "-b", "tiny", "--rate", 900, "--count", 5, "--json"]
    status, said, shown = call(capsys, *asked, "--out", out)
    assert status == 2 and "server is gone" in shown
    assert json.loads(said)["contestant"] == "gold" and out.read_text("utf-8") == said
    status, said, shown = call(capsys, *asked, "--out", out / "below")
    assert status == 2 and "Cannot write" in shown and not said


def test_the_command_with_a_trace(capsys, monkeypatch):
    data = Path(__file__).parents[2].parent / "shared" / "evaldata" / "editing-traces"
    if not (data / "rustcode.json.gz").is_file():
        pytest.skip("the evaluation data are not here")
    file = data / "rustcode.json.gz"
    status, said, _ = call(
        capsys, "-c", "gold", "--trace", file, "--count", 30, "--speed", 100, "--latest", "--json"
    )
    line = json.loads(said)
    assert status == 0 and line["requests"] == 30 and line["queue"] == "latest"
    assert line["answered"] + line["cancelled"] == 30


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-c", "gild"], "Did you mean 'gold'"),
        (["-c", "gold", "-b", "nope"], "Unknown benchmark"),
        (["-c", "gold", "--trace", "nope"], "no trace 'nope'"),
        (["-c", "gold", "--rate", "0"], "0"),
        (["-c", "gold", "--rate", "1", "--trace", "rustcode"], "Use --rate or --trace"),
    ],
)
def test_mistakes(capsys, arguments, word):
    status, out, shown = call(capsys, *arguments)
    assert status == 2 and word in shown and not out


def test_what_is_not_installed_is_said(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "hdrh.histogram", None)
    status, _, shown = call(capsys, "-c", "gold")
    assert status == 2 and "pip install 'dcomplete[eval]'" in shown


def test_a_contestant_is_closed_whatever_happens(capsys, monkeypatch):
    closed = []

    class Failing(Gold):
        def answer(self, task: Task) -> Answer:
            raise KeyboardInterrupt

        def close(self) -> None:
            closed.append(True)

    kind = Kind(lambda spec: Failing())
    monkeypatch.setitem(contestants.CONTESTANTS._entries, "failing", kind)
    monkeypatch.setitem(BENCHMARKS._entries, "tiny", Tiny())
    status, _, _ = call(capsys, "-c", "failing", "-b", "tiny")
    assert status == 130 and closed == [True]
