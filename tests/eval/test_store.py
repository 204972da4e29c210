"""The runs' files: nothing torn, nothing lost, nothing mixed."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.store import Store, find_runs, read_run, run_file
from dcomplete_eval.types import Answer, Record, Verdict

HEAD = {"benchmark": "b", "contestant": "c", "settings": {"steps": 4}, "data": "0", "sandbox": ""}


def record(task: str, text: str = "x", error: str = "") -> Record:
    verdict = Verdict(True, False, 0.5, None, True, "passed")
    return Record(task, "b", "g", "line", "python", Answer(text, 1.5, 3, error=error), verdict)


def test_what_is_written_is_read(tmp_path):
    store = Store(tmp_path / "deep" / "run.jsonl")
    assert store.begin(HEAD) == {}
    store.append(record("ä\n"))
    run = read_run(store.path)
    assert run.records == {"ä\n": record("ä\n")}
    assert (run.head, run.benchmark, run.contestant) == (HEAD, "b", "c")
    assert store.begin({**HEAD, "commit": "new"}) == run.records
    assert [head.get("commit") for head in read_run(store.path).heads] == [None, "new"]


@pytest.mark.parametrize("torn", [b'{"task": "t', b"{", b'{"run": {}}'])
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    store = Store(tmp_path / "run.jsonl")
    store.begin(HEAD)
    store.append(record("a"))
    with store.path.open("ab") as file:
        file.write(torn)
    assert set(read_run(store.path).records) == {"a"}
    store.append(record("b"))
    assert set(read_run(store.path).records) == {"a", "b"}
    assert all(json.loads(line) for line in store.path.read_text("utf-8").splitlines())


_FULL = """
import resource, sys
from pathlib import Path
from dcomplete.errors import UserError
from dcomplete_eval.store import Store
from tests.eval.test_store import HEAD, record
store = Store(Path(sys.argv[1]))
store.begin(HEAD)
store.append(record("a"))
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size + 40, most))
for task in "bc":
    try:
        store.append(record(task))
    except UserError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
store.append(record("d"))
"""


def test_a_disk_that_takes_a_part_of_a_line_is_told(tmp_path):
    path = tmp_path / "run.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", _FULL, path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"{path} cannot be written: File too large."] * 2
    assert set(read_run(path).records) == {"a", "d"}


def test_a_file_that_holds_nothing_but_a_torn_line_begins_anew(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'{"run": {"bench')
    Store(path).begin(HEAD)
    assert read_run(path).heads == (HEAD,)


def test_an_answer_replaces_trouble_and_nothing_replaces_an_answer(tmp_path):
    store = Store(tmp_path / "run.jsonl")
    store.begin(HEAD)
    for one in (record("a", "", "No."), record("a", "1"), record("a", "2"), record("a", "", "No.")):
        store.append(one)
    assert read_run(store.path).records == {"a": record("a", "1")}


@pytest.mark.parametrize(
    ("change", "named"),
    [({"data": "1"}, "data"), ({"settings": {"steps": 8}}, "steps"), ({"sandbox": "x"}, "sandbox")],
)
def test_other_settings_do_not_mix(tmp_path, change, named):
    store = Store(tmp_path / "run.jsonl")
    store.begin(HEAD)
    before = store.path.read_bytes()
    with pytest.raises(UserError, match=f"another {named} "):
        store.begin({**HEAD, **change})
    assert store.path.read_bytes() == before


def test_threads_lose_nothing(tmp_path):
    store = Store(tmp_path / "run.jsonl")
    store.begin(HEAD)

    def write(number: int) -> None:
        for i in range(20):
            store.append(record(f"{number}/{i}", "x" * 5000))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_run(store.path).records) == 80


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"task": "a"}\n', "[]\n"])
def test_what_is_no_run_is_said(tmp_path, text):
    path = tmp_path / "run.jsonl"
    path.write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match=r"run\.jsonl"):
        read_run(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_run(tmp_path / "missing")


def test_names_of_files(tmp_path):
    one = run_file(tmp_path, "b/c", "http+llama:127.0.0.1:8080")
    assert one.parent == tmp_path and one.name == "b-c__http+llama-127.0.0.1-8080.jsonl"
    Store(one).begin(HEAD)
    Store(run_file(tmp_path, "b/c", "engine")).begin(replace_head("engine"))
    runs = find_runs([tmp_path])
    assert [run.contestant for run in runs] == ["engine", "c"]
    assert [run.path for run in find_runs([one])] == [one]


def replace_head(name: str) -> dict[str, object]:
    return {**HEAD, "contestant": name}


@pytest.mark.parametrize(
    ("change", "named"),
    [({"machine": "new"}, "machine"), ({"judges": 0}, "number of judging threads")],
)
def test_times_of_another_machine_do_not_mix(tmp_path, change, named):
    store, old = Store(tmp_path / "run.jsonl"), {**HEAD, "machine": "old", "judges": 4}
    store.begin(old)
    store.append(record("a", "", "No."))
    store.begin({**old, **change})  # trouble is asked again: nothing of it is kept
    store.begin(old)
    store.append(record("b"))
    with pytest.raises(UserError, match=f"another {named} .* choose another --out"):
        store.begin({**old, **change})


def test_answers_stand_under_the_starts_that_gave_them(tmp_path):
    store = Store(tmp_path / "run.jsonl")
    for commit in "123":
        store.begin({**HEAD, "commit": commit, "started": f"at {commit}"})
        if commit != "3":
            store.append(record(commit))
    run = read_run(store.path)
    assert run.head["commit"] == "3" and run.about()["commit"] == "1; 2"
    assert (run.about(["2"])["commit"], run.about(["2"])["started"]) == ("2", "at 2")
    assert run.about([])["commit"] == "3"
