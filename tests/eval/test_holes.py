"""Holes from a folder: the same for a seed, exact to the character, of all kinds, of safe files only."""

import json
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.train.filters import LANGUAGES
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.benchmarks.holes import KINDS, Holes, of_folder

FILLER = "A file has to be long enough to be worth reading, so this goes on for a while. " * 4
BODY = {
    "bash": """size=3
twice() {
  local factor="$1"
  if [ "$factor" -gt 2 ]; then
    echo "big $factor"
  fi
  echo $((size * factor))
}
twice 4
""",
    "c": """int twice(int factor, int extra) {
    if (factor > 2) {
        printf("big %d", factor);
    }
    return 3 * factor + extra;
}
""",
    "csharp": """class Box {
    int size = 3;
    public int Twice(int factor, int extra) {
        if (factor > 2) {
            Console.WriteLine("big " + factor);
        }
        return size * factor + extra;
    }
}
""",
    "go": """package box

func Twice(factor int, extra int) int {
	if factor > 2 {
		fmt.Println("big", factor)
	}
	return size*factor + extra
}
""",
    "java": """class Box {
    int twice(int factor, int extra) {
        if (factor > 2) {
            System.out.println("big " + factor);
        }
        return size * factor + extra;
    }
}
""",
    "javascript": """function twice(factor, extra) {
  if (factor > 2) {
    console.log("big " + factor);
  }
  return size * factor + extra;
}
""",
    "kotlin": """fun twice(factor: Int, extra: Int): Int {
    if (factor > 2) {
        println("big " + factor)
    }
    return size * factor + extra
}
""",
    "lua": """local function twice(factor, extra)
  if factor > 2 then
    print("big " .. factor)
  end
  return size * factor + extra
end
return twice
""",
    "php": """<?php
function twice(int $factor, int $extra): int {
    if ($factor > 2) {
        echo "big " . $factor;
    }
    return max(3 * $factor, $extra);
}
""",
    "python": """def twice(factor, extra):
    if factor > 2:
        print("big", factor)
        print("really", factor)
    return size * factor + extra
""",
    "ruby": """def twice(factor, extra)
  if factor > 2
    puts("big #{factor}")
  end
  @size * factor + extra
end
""",
    "rust": """fn twice(factor: i32, extra: i32) -> i32 {
    if factor > 2 {
        show(factor);
    }
    max(SIZE * factor, extra)
}
""",
    "scala": """class Box(size: Int) {
  def twice(factor: Int, extra: Int): Int = {
    if (factor > 2) {
      println("big " + factor)
    }
    size * factor + extra
  }
}
""",
    "sql": """CREATE TABLE box (id INT PRIMARY KEY, size INT);
SELECT b.id, COUNT(*) AS many
FROM box b
WHERE b.size > 2 AND b.id < 10
GROUP BY b.id;
""",
    "swift": """func twice(factor: Int, extra: Int) -> Int {
    if factor > 2 {
        print("big", factor)
    }
    return size * factor + extra
}
""",
    "tsx": """function Box(props: { size: number }) {
  if (props.size > 2) {
    console.log("big");
  }
  return <div className="box">{twice(props.size)}</div>;
}
""",
}
BODY["cpp"] = BODY["c"]
BODY["typescript"] = BODY["javascript"]
COMMENT = {"bash": "# {}", "python": "# {}", "ruby": "# {}", "lua": "-- {}", "sql": "-- {}"}
SUFFIX = {language: suffix for suffix, language in reversed(LANGUAGES.items())}


def source(language: str) -> str:
    comment = COMMENT.get(language, "// {}").format(FILLER) + "\n"
    head = "<?php\n" if language == "php" else ""
    lines = [comment[i : i + 90] for i in range(0, len(comment.strip()), 90)]
    sign = comment.split()[0]
    wrapped = "".join(f"{sign} {line.removeprefix(sign).strip()}\n" for line in lines)
    return head + wrapped + BODY[language].removeprefix(head)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight Python files, three in subfolders."""
    for number in range(8):
        place = tmp_path / "code" / ("inner" if number < 3 else "")
        place.mkdir(parents=True, exist_ok=True)
        text = source("python").replace("twice", f"twice_{number}") * 3
        (place / f"part_{number}.py").write_text(text, "utf-8")
    return tmp_path / "code"


def test_the_same_seed_cuts_the_same_holes_and_another_seed_others(folder, tmp_path):
    first, second, other = (of_folder(f"{folder}?count=20&seed={s}").tasks(tmp_path) for s in "005")
    assert first == second
    assert {t.id for t in first} != {t.id for t in other}
    assert len({t.id for t in first}) == 20


def test_a_task_with_its_gold_is_the_file(folder, tmp_path):
    tasks = Holes("h", folder, count=40).tasks(tmp_path)
    assert len(tasks) == 40
    for task in tasks:
        assert task.prefix + task.gold + task.suffix == (folder / task.group).read_text("utf-8")
        assert task.gold.strip()


def test_kinds_are_balanced_and_files_take_turns(folder, tmp_path):
    tasks = Holes("h", folder, count=41).tasks(tmp_path)
    kinds = Counter(task.kind for task in tasks)
    assert sorted(kinds) == sorted(kind.name.lower() for kind in KINDS)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    files = Counter(task.group for task in tasks)
    assert len(files) == 8
    assert max(files.values()) - min(files.values()) <= 1


def test_a_small_folder_gives_what_it_has(tmp_path):
    (tmp_path / "one.py").write_text(source("python"), "utf-8")
    tasks = Holes("h", tmp_path, count=1000).tasks(tmp_path)
    assert 5 <= len(tasks) <= 20
    assert len({t.id for t in tasks}) == len(tasks)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_every_language_gives_holes_that_follow_its_syntax(language, tmp_path):
    (tmp_path / f"box{SUFFIX[language]}").write_text(source(language), "utf-8")
    holes = Holes("h", tmp_path, count=25)
    tasks = holes.tasks(tmp_path)
    assert {t.language for t in tasks} == {language}
    assert {"line", "expression"} <= {t.kind for t in tasks}
    for task in tasks:
        verdict = holes.judge(task, task.gold)
        assert verdict.exact
        assert verdict.similarity == 1.0
        assert verdict.parses is not False
        assert verdict.passed is None


def test_languages_take_turns(folder, tmp_path):
    (folder / "box.go").write_text(source("go"), "utf-8")
    tasks = Holes("h", folder, count=10).tasks(tmp_path)
    assert {t.language for t in tasks[:2]} == {"python", "go"}


def test_what_is_secret_generated_huge_or_broken_is_left_out(folder, tmp_path):
    good = source("python")
    (folder / "credentials.py").write_text(good, "utf-8")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.py").write_text(good, "utf-8")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "a.js").write_text(source("javascript"), "utf-8")
    (folder / "made.py").write_text("# Generated by a tool, do not edit.\n" + good, "utf-8")
    (folder / "things_pb2.py").write_text(good, "utf-8")
    (folder / "huge.py").write_text(good * 800, "utf-8")
    (folder / "binary.py").write_bytes(b"\0" + good.encode())
    (folder / "latin.py").write_bytes(b"# \xe9\n" + good.encode())
    (folder / "broken.py").write_text(good + "def (:\n", "utf-8")
    (folder / "away.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "outside.py").write_text(good, "utf-8")
    names = {Path(t.group).name for t in Holes("h", folder, count=200).tasks(tmp_path)}
    assert names == {f"part_{n}.py" for n in range(8)}


def test_what_git_ignores_is_left_out_unless_it_is_all(folder, tmp_path):
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / ".gitignore").write_text("inner/\n", "utf-8")
    groups = {t.group for t in Holes("h", folder, count=40).tasks(tmp_path)}
    assert groups == {f"part_{n}.py" for n in range(3, 8)}
    assert len(Holes("h", folder / "inner", count=10).tasks(tmp_path)) == 10


def test_line_ends_of_windows_become_plain(tmp_path):
    text = source("python")
    (tmp_path / "dos.py").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    for task in Holes("h", tmp_path, count=5).tasks(tmp_path):
        assert task.prefix + task.gold + task.suffix == text


def test_an_empty_answer_is_neither_exact_nor_similar(folder, tmp_path):
    holes = Holes("h", folder, count=20)
    for task in holes.tasks(tmp_path):
        verdict = holes.judge(task, "")
        assert (verdict.exact, verdict.similarity) == (False, 0.0)


def test_a_line_end_that_the_gold_has_may_be_missing(folder, tmp_path):
    holes = Holes("h", folder, count=60)
    ending = [t for t in holes.tasks(tmp_path) if t.gold.endswith("\n")]
    assert ending
    for task in ending:
        verdict = holes.judge(task, task.gold.rstrip("\n"))
        assert (verdict.exact, verdict.similarity, verdict.parses) == (True, 1.0, True)


def test_identifiers_are_compared_in_order(folder, tmp_path):
    holes = Holes("h", folder)
    task = replace(holes.tasks(tmp_path)[0], gold="sum(factor, extra)", language="python")
    assert holes.judge(task, "sum( factor,extra )").identifiers is True
    assert holes.judge(task, "sum(extra, factor)").identifiers is False


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("holes", "needs a place"),
        ("holes:", "needs a place"),
        ("holes:nowhere", "is no folder"),
        ("holes:.?kinds=line,word", "no kind of hole 'word'"),
        ("holes:.?count=none", "not count=none"),
        ("holes:.?count=0", "not count=0"),
        ("heldout:nowhere.jsonl", "There is no file"),
        ("hole:.", "Unknown benchmark 'hole:.'"),
    ],
)
def test_wrong_words_are_answered_with_one_sentence(name, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=says) as found:
        BENCHMARKS.get(name).tasks(tmp_path)
    assert "\n" not in str(found.value)


def test_a_folder_without_code_is_said_to_be_one(tmp_path):
    (tmp_path / "notes.txt").write_text("words", "utf-8")
    with pytest.raises(UserError, match="no source file"):
        Holes("h", tmp_path).tasks(tmp_path)


def test_only_the_kinds_asked_for(folder, tmp_path):
    tasks = of_folder(f"{folder}?count=6&kinds=body,line").tasks(tmp_path)
    assert Counter(t.kind for t in tasks) == {"body": 3, "line": 3}


def test_held_out_gaps_are_read(tmp_path):
    gap = {
        "prefix": "x = ", "suffix": "\n", "middle": "first + 1", "kind": "rest_of_line",
        "path": "a/b.py", "package": "a", "language": "python",
    }  # fmt: skip
    file = tmp_path / "heldout.jsonl"
    file.write_text(json.dumps(gap) + "\n" + json.dumps({**gap, "middle": "2"}) + "\n", "utf-8")
    held_out = BENCHMARKS.get(f"heldout:{file}")
    tasks = held_out.tasks(tmp_path)
    assert [(t.gold, t.group, t.kind, t.language) for t in tasks] == [
        ("first + 1", "a", "rest_of_line", "python"),
        ("2", "a", "rest_of_line", "python"),
    ]
    assert len({t.id for t in tasks}) == 2
    assert all(held_out.judge(t, t.gold).exact for t in tasks)
    assert not held_out.judge(tasks[0], "").exact


def test_a_file_of_something_else_is_no_held_out_set(tmp_path):
    file = tmp_path / "other.jsonl"
    file.write_text('{"prefix": "x"}\n', "utf-8")
    with pytest.raises(UserError, match="row 1 has no suffix"):
        BENCHMARKS.get(f"heldout:{file}").tasks(tmp_path)
