"""Lines that somebody is typing, and suggestions that are right as far as they go."""

from dataclasses import replace
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.benchmarks.typed import of_folder
from dcomplete_eval.metrics import begins, score
from dcomplete_eval.summary import summary
from dcomplete_eval.types import Answer, Record, Task
from tests.eval.sources import source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "code"
    place.mkdir()
    for number in range(6):
        text = source("python").replace("twice", f"twice_{number}") * 3
        (place / f"part_{number}.py").write_text(text, "utf-8", newline="\n")
    return place


def test_a_task_is_the_rest_of_a_line_of_a_file(folder, tmp_path):
    tasks = BENCHMARKS.get(f"typed:{folder}?count=11&seed=1").tasks(tmp_path)
    assert len(tasks) == len({task.id for task in tasks}) == 11
    for task in tasks:
        whole = (folder / task.group).read_text("utf-8")
        assert task.prefix + task.gold + task.suffix == whole
        assert task.suffix[:1] == "\n" and len(task.gold) >= 2 and "\n" not in task.gold
        line = task.prefix.rpartition("\n")[2] + task.gold
        assert not line.strip().startswith("#")
    assert max(sum(t.group == task.group for t in tasks) for task in tasks) == 2


def test_the_same_seed_cuts_the_same_places_and_another_seed_others(folder, tmp_path):
    first, second, other = (of_folder(f"{folder}?seed={seed}").tasks(tmp_path) for seed in "001")
    assert first == second and {t.id for t in first} != {t.id for t in other}
    assert len(first) == 12, "a small folder gives what it has"


@pytest.mark.parametrize("words", ["count=0", "count=-1", "seed=x", "kinds=line"])
def test_wrong_words_are_answered_with_one_sentence(words, folder):
    with pytest.raises(UserError, match=r"typed understands \?count=NUMBER&seed=NUMBER, not"):
        of_folder(f"{folder}?{words}")


@pytest.mark.parametrize(
    ("text", "truth", "right"),
    [
        ("", "a", None),
        (" \n", "a", None),
        ("val", "value = 1\n", True),
        ("value = 1\nx", "value = 1\r\nx = 2", True),
        ("value \n", "value = 1", True),
        ("value = 12", "value = 1\n", False),
        ("alue", "value", False),
    ],
)
def test_a_suggestion_is_right_as_far_as_it_goes(text, truth, right):
    assert begins(text, truth) is right


def test_a_run_says_how_much_was_suggested_and_how_much_of_it_was_right():
    task = Task("t", "b", "g", "x = ", "\ny = 2\n", "total / count")
    texts = ("total", "total / count\ny", "", "sum")
    tasks = [replace(task, id=str(number)) for number in range(4)]
    records = [
        Record(t.id, "b", "g", "rest", "python", Answer(text, 1.0), score(t, text))
        for t, text in zip(tasks, texts, strict=True)
    ]
    found = summary(records)
    assert found["answered"] == 75.0 and found["begins"]["value"] == pytest.approx(66.67)
    assert (found["right_characters"], found["wrong_characters"]) == (5.0, 0.75)
