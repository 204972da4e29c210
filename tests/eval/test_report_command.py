"""The report's command writes page, plots and table, and says in a sentence what went wrong."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dcomplete.errors import UserError
from dcomplete_eval.report.command import command
from dcomplete_eval.report.markdown import markdown, table
from dcomplete_eval.report.result import compute
from dcomplete_eval.run import digest
from dcomplete_eval.types import Task
from tests.eval.material import material
from tests.eval.results import REPLAY, run, saved


def test_the_markdown_table_has_the_same_figures():
    result = compute(material(), {})
    text = markdown(
        result.boards, result.pairs, result.material.replays, result.material.rankings, result.line
    )
    lines = text.splitlines()
    assert "| engine:small | 58.3 [" in text and "| rustcode | engine:small | 75.0 [" in text
    assert "| engine:oracle (length told) |" in text
    assert "commit abc1234" in lines[-1]
    for row in [line for line in lines if line.startswith("|")]:
        assert row.endswith("|")
    assert table(["a|b"], [["c\nd"]]) == "| a\\|b |\n|---|\n| c d |"


def invoked(*arguments):
    import typer

    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_command_writes_page_plots_and_table_and_ends_in_json(tmp_path):
    runs = tmp_path / "runs"
    for one in material().runs:
        saved(runs, one)
    (runs / "typing.jsonl").write_text(json.dumps(REPLAY) + "\n", encoding="utf-8", newline="\n")
    out = tmp_path / "out" / "report.html"
    done = invoked(runs, "--out", out, "--title", "Mine")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["html"] == str(out) and "<title>Mine</title>" in out.read_text("utf-8")
    assert Path(said["markdown"]).read_text("utf-8").startswith("| holes |")
    names = ("board", "differences", "cost", "latency", "lengths", "typing")
    assert [Path(p).stem for p in said["plots"]] == list(names)
    assert all(Path(p).is_file() for p in said["plots"])
    (first, *_) = said["boards"]["holes"]
    assert first["contestant"] == "engine:small" and first["passed"]["value"] == 58.33
    assert "engine:small" in done.stderr and "Wrote" in done.stderr
    quiet = invoked(runs, "--out", out, "--json")
    assert quiet.stderr == "" and len(quiet.stdout.splitlines()) == 1


def test_examples_show_their_surroundings_where_the_very_tasks_are_at_hand(tmp_path, monkeypatch):
    tasks = [
        Task(f"t{n}", "holes", "g", "before the gap\n", "\nbehind the gap\n", f"gold {n}")
        for n in range(4)
    ]

    class Bench:
        name = "holes"

        def tasks(self, data):
            return tasks

    class Table:
        def get(self, name):
            return Bench()

    monkeypatch.setattr("dcomplete_eval.benchmarks.BENCHMARKS", Table())
    for known, there in ((digest(tasks), True), ("another", False)):
        for name, goods in (("a", [1, 1, 0, 0]), ("b", [0, 0, 1, 1])):
            one = run(name, goods)
            one.about["data"] = known
            saved(tmp_path / known, one)
        done = invoked(tmp_path / known, "--out", tmp_path / "r.html", "--json")
        assert done.exit_code == 0, done.output
        assert ("before the gap" in (tmp_path / "r.html").read_text("utf-8")) is there


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    path = saved(tmp_path, run("a", [1, 0]))
    (tmp_path / "page.html").mkdir()
    done = invoked(path, "--out", tmp_path / "page.html")
    assert isinstance(done.exception, UserError) and "cannot be written" in str(done.exception)


@pytest.mark.parametrize("option", ["--out", "--plots"])
def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path, option):
    path = saved(tmp_path / "runs", run("a", [1, 0]))
    (tmp_path / "file").touch()
    places = {"--out": tmp_path / "page.html", "--plots": tmp_path / "plots"}
    places[option] = tmp_path / "file" / "deeper" / places[option].name
    done = invoked(path, *(word for pair in places.items() for word in pair))
    assert isinstance(done.exception, UserError)
    assert re.fullmatch(r"\S*file\S* cannot be written: \w.*\.", str(done.exception))


def test_a_name_with_dollars_is_no_formula(tmp_path):
    path = saved(tmp_path, run("a$x^${b}", [1, 0]))
    done = invoked(path, "--out", tmp_path / "page.html", "--json")
    assert done.exit_code == 0, done.exception
    assert "a$x^${b}" in (tmp_path / "page.html").read_text("utf-8")
