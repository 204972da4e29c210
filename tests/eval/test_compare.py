"""Comparisons: the interval equals a naive bootstrap, wins and losses are counted, runs must fit."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from dcomplete.cli import run as dcomplete
from dcomplete.errors import UserError
from dcomplete_eval.compare import compare, curve
from dcomplete_eval.intervals import outside
from dcomplete_eval.store import Run, Store, run_file
from dcomplete_eval.types import Answer, Record, Verdict

HEAD = {"benchmark": "b", "data": "0", "sandbox": "s", "commit": "1", "machine": "m"}


def record(
    task: int, passed: bool | None, ms: float = 10.0, steps: int | None = 4, error: str = ""
) -> Record:
    verdict = Verdict(passed, bool(passed), 1.0 if passed else 0.25)
    answer = Answer("x", ms, steps=steps, forwards=steps, error=error)
    return Record(str(task), "b", f"g{task // 4}", "line", "python", answer, verdict)


def make(name: str, records: list[Record], **head: object) -> Run:
    settings = {"kind": name}
    about = {**HEAD, "contestant": name, "settings": settings, **head}
    return Run(Path(f"{name}.jsonl"), (about,), {r.task: r for r in records})


def naive(a: list[Record], b: list[Record], resamples: int, seed: int) -> tuple[float, float]:
    """Whole problems drawn with replacement, one after the other, in plain Python."""
    other = {r.task: r for r in b}
    problems: dict[str, list[float]] = {}
    for one in a:
        gain = float(bool(one.verdict.passed)) - float(bool(other[one.task].verdict.passed))
        problems.setdefault(one.group, []).append(gain)
    draw, names, found = np.random.default_rng(seed), list(problems), []
    for _ in range(resamples):
        gains: list[float] = []
        for place in draw.integers(0, len(names), size=len(names)):
            gains += problems[names[place]]
        found.append(sum(gains) / len(gains))
    tail = outside(len(names))
    low, high = np.quantile(found, (tail, 1 - tail))
    return float(low), float(high)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_equals_a_naive_bootstrap(seed):
    chance = random.Random(seed)
    a = [record(i, chance.random() < 0.7) for i in range(90)]
    b = [record(i, chance.random() < 0.4) for i in range(90)]
    found = compare(make("a", a), make("b", b)).measures["pass"].difference
    assert found is not None and found.low is not None and found.high is not None
    low, high = naive(a, b, 2000, 0)
    assert (found.low, found.high) == pytest.approx((low, high))
    # With other draws it is the same but for the error of 2,000 resamples.
    low, high = naive(a, b, 2000, 1)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04)


def test_wins_losses_and_what_is_left_out():
    a = make("a", [record(i, i % 2 == 0, ms=20.0) for i in range(12)])
    b = make("b", [record(i, i < 6, ms=10.0) for i in range(2, 16)])
    found = compare(a, b)
    assert (found.tasks, found.left_out) == (10, 2 + 4)
    measure = found.measures["pass"]
    assert (measure.wins, measure.losses) == (3, 2)  # 6, 8, 10 and 3, 5
    assert (measure.a, measure.b) == (0.5, 0.4)
    assert measure.difference is not None and measure.difference.value == pytest.approx(0.1)
    assert found.slower is not None and found.slower.value == pytest.approx(2.0)
    assert found.conclusion == "too few groups to tell"
    assert "parses" not in found.measures
    turned = compare(b, a).measures["pass"]
    assert (turned.wins, turned.losses) == (2, 3)


@pytest.mark.parametrize(("first", "second", "said"), [(1, 0, "better"), (0, 1, "worse")])
def test_the_conclusion(first, second, said):
    a = make("a", [record(i, bool(first)) for i in range(40)])
    b = make("b", [record(i, bool(second)) for i in range(40)])
    assert compare(a, b).conclusion == said


def test_nothing_is_claimed_of_a_few_groups():
    def said(groups: int, second: float) -> str:
        tasks = range(4 * groups)
        a, b = [record(i, True) for i in tasks], [record(i, i % 4 < second) for i in tasks]
        return compare(make("a", a), make("b", b)).conclusion

    assert said(7, 0) == "too few groups to tell" and said(8, 0) == "better"
    assert said(8, 4) == "no difference shown"


def test_exact_match_decides_where_nothing_is_run():
    a = make("a", [record(i, None) for i in range(8)])
    assert compare(a, a).decides == "exact"
    assert compare(make("a", [record(0, True)]), make("b", [record(0, False)])).conclusion == (
        "too few groups to tell"
    )


def test_errors_have_no_time():
    a = make("a", [record(i, True, ms=1000.0, error="No." if i else "") for i in range(8)])
    b = make("b", [record(i, True, ms=500.0) for i in range(8)])
    found = compare(a, b).slower
    assert found is not None and found.value == 2.0


def test_runs_that_do_not_fit_are_refused():
    run = make("a", [record(0, True)])
    with pytest.raises(UserError, match="different data"):
        compare(run, make("b", [record(0, True)], data="1"))
    with pytest.raises(UserError, match="different benchmark"):
        compare(run, make("b", [record(0, True)], benchmark="c"))
    with pytest.raises(UserError, match="no task in common"):
        compare(run, make("b", [record(9, True)]))


def test_a_curve_is_over_the_tasks_that_all_did_and_by_cost():
    runs = [
        make("many", [record(i, True, ms=80.0, steps=16) for i in range(10)]),
        make("few", [record(i, i >= 10, ms=20.0, steps=4) for i in range(20)]),
        make("some", [record(i, i % 2 == 0, ms=40.0, steps=8) for i in range(10)]),
    ]
    points = curve(runs)
    assert [p.run.contestant for p in points] == ["few", "some", "many"]
    assert [p.score and p.score.value for p in points] == [0.0, 0.5, 1.0]
    assert [(p.steps, p.p50_ms) for p in points] == [(4.0, 20.0), (8.0, 40.0), (16.0, 80.0)]
    assert curve([]) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, share in (("engine", 1), ("slow", 2), ("empty", 9)):
        store = Store(run_file(tmp_path, "b", name))
        store.begin({**HEAD, "contestant": name, "settings": {"kind": name}})
        for i in range(40):
            store.append(record(i, i % share == 0, ms=10.0 * share))
    return tmp_path


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    status = dcomplete([str(a) for a in ("eval", "compare", *arguments)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_the_command(folder, capsys):
    status, out, shown = call(capsys, folder, "--base", "slow")
    said = json.loads(out)
    assert status == 0 and [c["b"] for c in said["comparisons"]] == ["empty", "engine"]
    assert [c["conclusion"] for c in said["comparisons"]] == ["better", "worse"]
    one = said["comparisons"][1]
    assert one["pass"] == {**one["pass"], "a": 50.0, "b": 100.0, "wins": 0, "losses": 20}
    assert one["time_ratio"]["value"] == 2.0
    assert one["commits"] == ["1", "1"] and one["settings"] == [
        {"kind": "slow"},
        {"kind": "engine"},
    ]
    assert [p["contestant"] for p in said["curves"]["b"]] == ["engine", "slow", "empty"]
    assert "A is worse" in shown and "quality and cost" in shown


def test_the_command_alone_with_json(folder, capsys):
    files = [run_file(folder, "b", name) for name in ("engine", "empty")]
    status, out, shown = call(capsys, *files, "--json")
    assert status == 0 and shown == ""
    assert [(c["a"], c["b"]) for c in json.loads(out)["comparisons"]] == [("engine", "empty")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--base", "nobody"], "There is no run of 'nobody'; there are: empty, engine, slow."),
        (["missing.jsonl"], "cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(folder, capsys, arguments, sentence):
    status, out, shown = call(capsys, folder, *arguments)
    assert status == 2 and sentence in shown and not out and shown.count("\n") == 1


def test_one_run_is_too_few(folder, capsys):
    status, _, shown = call(capsys, run_file(folder, "b", "engine"))
    assert status == 2 and "no two runs" in shown
