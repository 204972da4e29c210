"""What is shown of a task: its file, or what an editor shows with the file's workspace open."""

from dataclasses import replace
from pathlib import Path

import pytest

import dcomplete
from dcomplete.errors import UserError
from dcomplete.types import InfillRequest
from dcomplete_eval.benchmarks.holes import of_folder
from dcomplete_eval.contestants import check, contestant
from dcomplete_eval.contestants.sight import Shown, Sight
from dcomplete_eval.types import Task
from tests.eval.sources import source

HELPER = "def scaled_by(value: float, factor: float) -> float:\n    return value * factor\n"
MAIN = "from helper import scaled_by\n\n\ndef double(value):\n    return "


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A gap in a file that imports another one, with a third and a secret one beside it."""
    texts = {
        "main.py": MAIN + "scaled_by(value, 2)\n", "helper.py": HELPER,
        "third.py": "def double(value):\n    # the third way\n    return value + value\n" * 3,
        ".env.py": "def double(value):\n    return 'a secret'\n" * 3,
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")
    gold = "scaled_by(value, 2)"
    return Task("t", "b", "g", MAIN, "\n", gold, "python", folder=str(tmp_path), file="main.py")


def test_the_file_alone(task):
    assert Sight(1024).shown(task) == Shown(MAIN, "\n", "")
    shown = Sight(1024).shown(replace(task, extra={"retrieved": 5}))
    assert (shown.other, shown.prefix) == (MAIN[:5], MAIN[5:])


def test_the_workspace_with_what_is_imported_and_what_is_open(task):
    shown = Sight(1024, workspace=True).shown(task)
    assert (shown.prefix, shown.suffix) == (MAIN, "\n")
    assert "scaled_by(value: float, factor: float)" in shown.other
    assert "third way" not in shown.other
    opened = Sight(1024, workspace=True, opened=2).shown(task)
    assert "third way" in opened.other and "secret" not in opened.other
    assert opened == Sight(1024, workspace=True, opened=2).shown(task), "the same every time"
    assert Sight(1024, workspace=True, opened=2, snippets=False).shown(task).other == ""
    assert "scaled_by(value, 2)" not in opened.other, "the answer is in the file, and not shown"


def test_nothing_stays_open_for_the_next_task(task):
    sight = Sight(1024, workspace=True, opened=2)
    first = sight.shown(task)
    other = replace(task, prefix="def double(value):\n    return ", file="third.py")
    sight.shown(other)
    assert sight.shown(task) == first


def test_the_engine_is_given_what_is_shown(tiny_model, task):
    who = contestant("engine:model=tiny,sees=workspace,opened=2,max_tokens=6,dtype=float32")
    settings = who.settings()
    assert (settings["sees"], settings["opened"], settings["snippets"]) == ("workspace", 2, True)
    assert "opened=2" in who.name
    shown = Sight(1024, workspace=True, opened=2).shown(task)
    request = InfillRequest(
        shown.prefix, shown.suffix, preamble=shown.other, beside=shown.beside, max_tokens=6
    )
    same = dcomplete.open_engine("tiny", dtype="float32").infill(request)
    answer = who.answer(task)
    assert answer.text == same.best.texts[0] and answer.score == same.best.score


@pytest.mark.parametrize("kind", ["engine", "lsp"])
def test_mistakes(tiny_model, task, kind):
    with pytest.raises(UserError, match="opened goes with sees=workspace"):
        check(f"{kind}:model=tiny,opened=2")
    with pytest.raises(UserError, match="such as holes:FOLDER"):
        Sight(1024, workspace=True).shown(replace(task, folder=""))


def test_holes_say_where_they_come_from(tmp_path):
    inner = tmp_path / "code" / "inner"
    inner.mkdir(parents=True)
    (inner / "one.py").write_text(source("python"), "utf-8", newline="\n")
    for task in of_folder(f"{tmp_path / 'code'}?count=4").tasks(tmp_path):
        whole = Path(task.folder, task.file).read_text("utf-8")
        assert task.prefix + task.gold + task.suffix == whole
