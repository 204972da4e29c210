"""The store of votes: private, versioned, shared by processes, and without code unless asked."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.votes import schema
from dcomplete.votes.schema import MIGRATIONS, connect, migrate, store_path
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import CHOICES, Kind, Pair, Side

SECRET = "planted_secret_text"
WRITER = """
import itertools, sys, threading, time
from pathlib import Path
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Pair, Side

name, told = sys.argv[2], threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
with VoteStore(Path(sys.argv[1])) as store:
    for n in itertools.count():
        sides = Side(name, f"{n}", 1.0), Side("other", "x", 2.0)
        pair = Pair(*sides, session=name, source="test", id=f"{name}-{n}")
        store.add(pair)
        store.vote(pair.id, "first")
        print(n, flush=True)
        if told.is_set():
            break
        time.sleep(0.002)
"""


def pair(first: str = "a()", second: str = "b()", **changes: object) -> Pair:
    sides = {"first": Side("one", first, 12.5, {"steps": 8}), "second": Side("two", second, 40.0)}
    sides |= changes.pop("sides", {})  # type: ignore[arg-type]
    return Pair(**sides, session="s", source="test", **changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inside" / "votes.sqlite3"


@pytest.fixture
def store(path: Path):
    with VoteStore(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("first", "second", "changes", "kind"),
    [
        ("a", "b", {}, Kind.BATTLE),
        ("a\n  b", "a  \n  b\n", {}, Kind.IDENTICAL),
        ("a\n  b", "a\nb", {}, Kind.BATTLE),
        (" \n", "b", {}, Kind.ONE_EMPTY),
        ("", "\n", {}, Kind.BOTH_EMPTY),
        ("a", "", {"sides": {"second": Side("two", "", 1.0, failed=True)}}, Kind.FAILED),
        ("a", "b", {"sides": {"second": Side("one", "b", 1.0)}}, Kind.SELF),
    ],
)
def test_only_battles_count(store, first, second, changes, kind):
    shown = pair(first, second, **changes)
    assert shown.kind is kind
    store.add(shown)
    store.vote(shown.id, "first")
    assert store.kinds() == {kind: 1}
    assert len(store.ballots()) == (kind is Kind.BATTLE)
    store.vote(shown.id, "first", judge="tests")
    assert len(store.ballots("tests")) == (kind in (Kind.BATTLE, Kind.ONE_EMPTY))
    assert store.orders("one", "two") == ((1, 0) if kind is Kind.BATTLE else (0, 0))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_vote_comes_back_whole(store, choice):
    shown = pair(language="rust", benchmark="b", task="t", group="g", drawn="uniform")
    store.add(shown)
    store.vote(shown.id, choice, after_ms=2500.0)
    (ballot,) = store.ballots()
    assert (ballot.id, ballot.first, ballot.second) == (shown.id, "one", "two")
    assert (ballot.choice, ballot.judge, ballot.after_ms) == (choice, "person", 2500.0)
    assert (ballot.first_ms, ballot.second_ms) == (12.5, 40.0)
    assert (ballot.language, ballot.benchmark, ballot.task) == ("rust", "b", "t")
    assert ballot.cluster == "s"
    store.vote(shown.id, "second", judge="tests")
    assert store.ballots("tests")[0].cluster == "g"


def test_a_vote_counts_once_and_needs_its_pair(store):
    shown = pair()
    store.add(shown)
    store.vote(shown.id, "first")
    with pytest.raises(UserError, match="has been voted on"):
        store.vote(shown.id, "second")
    with pytest.raises(UserError, match="no pair"):
        store.vote("nobody", "first")
    with pytest.raises(UserError, match="first, second, tie, neither"):
        store.vote(shown.id, "both")
    assert [ballot.choice for ballot in store.ballots()] == ["first"]


def test_a_full_disk_is_named(store):
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(UserError, match="full"):
        for n in range(200):
            store.add(pair(f"{n}" * 100))


def test_what_a_judge_has_seen(store):
    told = {"benchmark": "b", "sides": {"second": Side("two", "", 1.0)}}
    for task, changes in (("t", told), ("u", told), ("v", {"benchmark": "b", "second": "a()"})):
        shown = pair(task=task, **changes)
        store.add(shown)
        if task == "t":
            store.vote(shown.id, "first", "tests")
    both = frozenset(("one", "two"))
    assert store.met("b", "test", "tests") == {("t", both), ("v", both)}
    assert store.met("b", "test", "exact") == {("v", both)}
    assert store.met("b", "auto", "tests") == set()


def test_orders_latencies_and_checks(store):
    for n in range(3):
        store.add(pair(f"{n}"))
    store.add(pair(sides={"first": Side("two", "x", 5.0), "second": Side("one", "y", 6.0)}))
    assert store.orders("one", "two") == (3, 1)
    assert store.orders("two", "one") == (1, 3)
    assert store.latencies(2) == {"one": [6.0, 12.5], "two": [5.0, 40.0]}
    shown = pair()
    store.add(shown)
    for share in (1.2, 0.4):
        store.keep(shown.id, 30, share)
    assert store.kept(30) == {shown.id: 0.4}
    assert store.kept(120) == {}


@pytest.mark.parametrize("keep_code", [False, True])
def test_code_is_kept_on_request_only(store, path, keep_code):
    texts = {"prefix": f"{SECRET} p", "suffix": f"{SECRET} s"}
    store.add(pair(f"{SECRET} a \udc80", f"{SECRET} b", **texts), keep_code)
    store.add(pair(f"{SECRET} a \udc80", f"{SECRET} c", **texts), keep_code)
    store.close()
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert (SECRET.encode() in everything) is keep_code
    with VoteStore(path) as again:
        one, two = again.rows()
        assert one["first"]["hash"] == two["first"]["hash"] != one["second"]["hash"]
        assert one["first"]["characters"] == len(SECRET) + 4
        assert one["first"]["settings"] == {"steps": 8}
        assert not {"text", "prefix", "suffix"} & {*one, *one["first"]}
        (coded, _) = again.rows(code=True)
        assert coded["prefix"] == (texts["prefix"] if keep_code else None)
        assert coded["first"]["text"] == (f"{SECRET} a ?" if keep_code else None)


def test_hashes_of_two_stores_cannot_be_compared(tmp_path):
    found = set()
    for name in ("a", "b"):
        with VoteStore(tmp_path / name) as store:
            store.add(pair())
            found.add(next(store.rows())["first"]["hash"])
    assert len(found) == 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_the_file_is_private(store, path):
    store.add(pair())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert len(modes) == 3  # the file, its log, and the log's index
    assert set(modes.values()) == {0o600}
    path.chmod(0o644)
    VoteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_store_lies_with_the_users_data_or_where_the_environment_says(data_home, monkeypatch):
    monkeypatch.delenv("DCOMPLETE_VOTES", raising=False)
    assert store_path() == data_home / "dcomplete" / "votes.sqlite3"
    monkeypatch.setenv("DCOMPLETE_VOTES", str(data_home / "elsewhere"))
    assert store_path() == data_home / "elsewhere"


def test_an_older_file_is_brought_up_and_a_newer_one_refused(store, path, monkeypatch):
    shown = pair()
    store.add(shown)
    store.vote(shown.id, "tie")
    store.close()
    newer = (*MIGRATIONS, ("ALTER TABLE vote ADD COLUMN remark TEXT NOT NULL DEFAULT ''",))
    with monkeypatch.context() as patch:
        patch.setattr(schema.migrate, "__defaults__", (newer,))
        with VoteStore(path) as again:
            assert [ballot.choice for ballot in again.ballots()] == ["tie"]
            assert [row["votes"][0]["remark"] for row in again.rows()] == [""]
    with pytest.raises(UserError, match="newer dcomplete"):
        VoteStore(path)


def test_a_migration_that_fails_changes_nothing(store, path):
    store.add(pair())
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    broken = (*MIGRATIONS, ("DROP TABLE vote", "no such statement"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, broken)
    connection.close()
    with VoteStore(path) as again:
        assert again.ballots() == []
        assert again.kinds() == {Kind.BATTLE: 1}


def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path):
    (tmp_path / "damaged").write_bytes(b"not a database at all " * 100)
    for name in ("damaged", "."):
        with pytest.raises(UserError, match="cannot be used"):
            connect(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be used"):
        connect(tmp_path / "file" / "votes")


def writer(path: Path, name: str) -> "subprocess.Popen[str]":
    """A process that votes until it is told to stop, and says which votes it has given."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def heard(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def rest(process: "subprocess.Popen[str]") -> list[str]:
    """What it says until it ends."""
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout as lines, process.stdin:
        found = list(lines)
    process.wait(30)
    return found


@pytest.mark.e2e
def test_two_processes_that_write_at_once_lose_nothing(path):
    """They also make the file at once: one of them creates its tables, both use them.

    None stops before both have written a hundred votes.
    """
    both = [writer(path, name) for name in ("left", "right")]
    said = [heard(process, 100) for process in both]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("stop\n")
        process.stdin.flush()
    expected = set()
    for process, lines in zip(both, said, strict=True):
        numbers = [int(line) for line in lines + rest(process)]
        assert process.returncode == 0
        assert numbers == list(range(len(numbers)))
        expected |= {f"{process.args[-1]}-{n}" for n in numbers}  # type: ignore[index]
    with VoteStore(path) as store:
        found = [ballot.id for ballot in store.ballots()]
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_process_that_is_killed_takes_nothing_with_it(path):
    process = writer(path, "dies")
    said = heard(process, 20)
    process.send_signal(signal.SIGKILL)
    said += rest(process)
    told = len([line for line in said if line.endswith("\n")])
    with VoteStore(path) as store:
        assert told <= len(store.ballots()) <= told + 1
        rows = list(store.rows())
        assert all({"first", "second"} <= row.keys() for row in rows), "half a pair"
