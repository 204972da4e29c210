"""`dcomplete eval arena`: the whole way from recorded answers to a ranking, through the command line."""

import csv
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from dcomplete.cli import run
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Pair, Side
from dcomplete_eval.benchmarks import BENCHMARKS

PROGRAM = [sys.executable, "-m", "dcomplete", "eval", "arena"]
SOURCE = "\n\n".join(
    f"def area{n}(width, height, depth):\n"
    f"    total = width * height + {n}\n"
    f"    other = compute(total, depth, {n})\n"
    f"    return max(total, other)\n"
    for n in range(12)
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with code, two files of answers to the holes in it, and a store of its own."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "areas.py").write_text(SOURCE, encoding="utf-8", newline="\n")
    monkeypatch.setenv("DCOMPLETE_VOTES", str(tmp_path / "votes.sqlite3"))
    tasks = BENCHMARKS.get(f"holes:{code}?count=12").tasks(tmp_path)
    for name, write in (("good", lambda t: t.gold), ("poor", lambda t: f"{t.gold[:2]} poor")):
        lines = [json.dumps({"task": t.id, "text": write(t), "ms": 20.0}) for t in tasks]
        (tmp_path / f"planted-{name}.jsonl").write_text(
            "\n".join(lines), encoding="utf-8", newline="\n"
        )
    return tmp_path


@pytest.fixture
def words(place: Path) -> list[str]:
    both = [f"recorded:{place / f'planted-{name}.jsonl'}" for name in ("good", "poor")]
    return [*both, "--benchmark", f"holes:{place / 'code'}?count=12"]


def ballots(place: Path, judge: str = "person"):
    with VoteStore(place / "votes.sqlite3") as store:
        return store.ballots(judge)


def test_the_truth_votes_and_the_ranking_follows(place, words, capsys):
    assert run(["eval", "arena", "auto", *words, "--judge", "exact", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["tasks"] == line["votes"]["exact"] == len(ballots(place, "exact")) >= 8
    assert run(["eval", "arena", "auto", *words, "--judge", "exact"]) == 0
    again = capsys.readouterr()
    assert json.loads(again.out)["votes"] == {}, "judged once"
    assert "Votes: none" in again.err
    assert run(["eval", "arena", "rank", "--judge", "exact", "--minimum", "2", "--json"]) == 0
    ranking = json.loads(capsys.readouterr().out)
    good, poor = ranking["standings"]
    assert good["name"].endswith("planted-good")
    assert (good["wins"], poor["wins"]) == (line["tasks"], 0)
    assert (good["rank"], ranking["judge"]) == (1, "exact")
    assert run(["eval", "arena", "rank", "--judge", "exact", "--check"]) == 0
    text = capsys.readouterr().out
    assert "A rank is shown from 50 votes on." in text
    assert "evalica" in text
    assert run(["eval", "arena", "rank", "--judge", "exact", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("| rank | contestant | Elo | 95 % |")
    assert run(["eval", "arena", "rank"]) == 0
    assert "There are no votes yet." in capsys.readouterr().out


@pytest.mark.parametrize("style", ["jsonl", "csv"])
@pytest.mark.parametrize("code", [False, True])
def test_everything_can_be_written_out_and_code_on_request_only(place, words, capsys, style, code):
    keep = ["--keep-code"] if code else []
    assert run(["eval", "arena", "auto", *words, "--judge", "exact", "--json", *keep]) == 0
    out = place / f"votes.{style}"
    asked = ["--code"] if code else []
    assert run(["eval", "arena", "export", "--out", str(out), *asked]) == 0
    text = out.read_text("utf-8")
    assert ("return max" in text) is code
    if style == "csv":
        rows = list(csv.DictReader(text.splitlines(keepends=True)))
        assert {row["vote_exact"] for row in rows} <= {"first", "second"}
        assert {row["first_name"].split(":")[-1] for row in rows} <= {
            "planted-good",
            "planted-poor",
        }
    else:
        rows = [json.loads(line) for line in text.splitlines()]
        assert rows[0]["votes"][0]["judge"] == "exact"
    assert len(rows) == len(ballots(place, "exact"))
    capsys.readouterr()


def test_votes_of_editors_are_ranked_and_filtered(place, capsys):
    with VoteStore(place / "votes.sqlite3") as store:
        for n in range(6):
            pair = Pair(Side("a", f"{n}", 1.0), Side("b", "x", 1.0), "s", "editor", language="rust")
            store.add(pair)
            store.vote(pair.id, "first")
            store.keep(pair.id, 120, n / 5)
    for words, votes, wins in (
        ([], 6, 6),
        (["--source", "web"], 0, 0),
        (["--language", "rust", "--no-position"], 6, 6),
        (["--judge", "kept"], 6, 3),
        (["--judge", "kept", "--share", "0.1"], 6, 5),
        (["--judge", "kept", "--after", "30"], 0, 0),
    ):
        assert run(["eval", "arena", "rank", "--json", *words]) == 0
        ranking = json.loads(capsys.readouterr().out)
        assert ranking["votes"] == votes
        assert sum(one["wins"] for one in ranking["standings"]) == wins


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (["auto", "gold"], "two contestants"),
        (["vote", "gold", "empty"], "needs a terminal"),
        (["vote", "gold", "empty", "--json", "-b", "holes:nowhere"], "nowhere is no folder"),
        (["vote", "gold", "gold", "--json", "-b", "holes:{code}"], "Two contestants are called"),
        (["auto", "gold", "nobody"], "Unknown contestant"),
        (["auto", "gold", "empty", "--pairs", "random", "-b", "holes:{code}"], "no pairing"),
        (["auto", "gold", "empty", "--judge", "taste", "-b", "holes:{code}"], "tests, exact"),
        (["serve", "gold", "empty", "-b", "no-such"], "Unknown benchmark"),
        (["rank", "--judge", "me"], "no judge 'me'"),
        (["rank", "--judge", "kept", "--after", "7"], "30, 120, 600"),
        (["export", "--format", "xml"], "jsonl or csv"),
        (["rank", "--store", "{code}"], "cannot be used"),
    ],
)
def test_mistakes_are_said_in_a_sentence(place, capsys, said, sentence):
    words = [word.format(code=place / "code") for word in said]
    assert run(["eval", "arena", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told


@pytest.mark.e2e
def test_a_program_votes_over_standard_streams(place, words):
    process = subprocess.Popen(
        [*PROGRAM, "vote", *words, "--json", "--votes", "3"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(3):
        line = process.stdout.readline()
        assert "planted" not in line
        pair = json.loads(line)["pair"]
        choice = "first" if not pair["first"].endswith("poor") else "second"
        process.stdin.write(json.dumps({"id": pair["id"], "choice": choice}) + "\n")
        process.stdin.flush()
        vote = json.loads(process.stdout.readline())["vote"]
        assert "planted-good" in vote[choice]["name"]
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 0
    assert len(ballots(place)) == 3
    assert {ballot.source for ballot in ballots(place)} == {"lines"}


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="pseudo terminals")
def test_a_person_votes_in_a_real_terminal(place, words):
    import pty

    person, terminal = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "vote", *words],
        stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, close_fds=True,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(terminal)

    def until(words: bytes, key: bytes = b"") -> bytes:
        """Read until `words`; the key is pressed again: what comes before it is waited for is lost."""
        seen, patience = b"", time.monotonic() + 120
        while words not in seen:
            assert time.monotonic() < patience, seen
            os.write(person, key)
            if select.select([person], [], [], 1.0)[0]:
                seen += os.read(person, 65536)
        return seen

    assert b"planted" not in until(b"quit")
    told = until(b" ms)", b"2")
    assert b"You chose the second." in told
    assert b"planted-" in told
    while process.poll() is None:
        os.write(person, b"q")
        if select.select([person], [], [], 0.2)[0]:
            with suppress(OSError):  # the other end is closed
                os.read(person, 65536)
    assert process.wait(30) == 0
    os.close(person)
    found = [(b.choice, b.source) for b in ballots(place)]
    assert found  # a key that was pressed once too often may have voted on the next pair
    assert set(found) == {("second", "terminal")}


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="SIGINT")
def test_ctrl_c_while_an_answer_takes_long_leaves_at_once(place, words):
    """The second one does; the first waits, as a thread that computes must not be torn down."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = f"http+llama:http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*PROGRAM, "vote", "empty", slow, *words[2:], "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        with silent.accept()[0]:  # it has been asked, and is never answered
            for _ in range(60):
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)
                if process.poll() is not None:
                    break
        process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)  # the latter where Python itself was ending


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="SIGINT")
def test_the_page_is_served_until_ctrl_c(place, words):
    process = subprocess.Popen(
        [*PROGRAM, "serve", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = httpx.URL(process.stdout.readline().strip())
    home = f"http://127.0.0.1:{url.port}"
    with httpx.Client(headers={"origin": home}, trust_env=False) as browser:
        page = browser.get(url, follow_redirects=True)
        assert (page.status_code, str(page.url)) == (200, f"{home}/")
        pair = browser.get(f"{home}/api/pair").json()
        vote = {"id": pair["id"], "choice": "tie"}
        assert browser.post(f"{home}/api/vote", json=vote).json()["votes"] == 1
        foreign = browser.get(f"{home}/api/pair", headers={"host": "evil.example"})
        assert foreign.status_code == 421
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "1 votes. `dcomplete eval arena rank` shows the ranking." in told
    assert "Traceback" not in told
    assert [ballot.source for ballot in ballots(place)] == ["web"]
