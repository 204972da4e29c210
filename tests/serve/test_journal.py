"""One line per request, nothing in it that a client could have hidden there."""

import re

import pytest

from dcomplete.serve import journal as journal_module
from dcomplete.serve.jobs import Record
from dcomplete.serve.journal import Journal, line

RECORD = Record("ab-1", "smol-135m", True, "done", 3, 4, 50, 0.25, 0.0, 10.0, 20.0, 31.0)


def test_a_line_has_all_that_is_promised():
    assert line(RECORD) == (
        "id=ab-1 model=smol-135m background=1 outcome=done steps=3 forwards=4 tokens_computed=50 "
        "queue_ms=0.2 load_ms=0.0 prefill_ms=10.0 denoise_ms=20.0 total_ms=31.0"
    )


@pytest.mark.parametrize(
    "hidden", ["/home/me/models/x", "def f(): pass", "a\nb", "x" * 100, "C:\\models\\x", "naïve"]
)
def test_paths_and_texts_are_not_written(hidden):
    record = Record(hidden, hidden, False, "failed", 0, 0, 0, 0, 0, 0, 0, 0)
    assert line(record).startswith("id=(other) model=(other) background=0")


def test_the_log_is_written_to_its_own_folder(tmp_path, capfd):
    journal = Journal(tmp_path / "log" / "engine.log")
    journal.write(RECORD)
    journal.say("started")
    journal.close()
    written = (tmp_path / "log" / "engine.log").read_text().splitlines()
    assert [row.split("Z ")[1] for row in written] == [line(RECORD), "started"]
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capfd):
    (tmp_path / "log").write_text("no folder")
    journal = Journal(tmp_path / "log" / "engine.log")
    journal.write(RECORD)
    journal.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("refused", [False, True])
def test_a_log_that_somebody_reads_loses_no_line(tmp_path, monkeypatch, refused):
    """Windows refuses to rename a file that is open elsewhere."""
    monkeypatch.setattr(journal_module, "_SIZE", 150)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "The file is in use by another process")

    path = tmp_path / "engine.log"
    journal = Journal(path)
    journal.say("line 0")
    with path.open("rb"):
        if refused:
            monkeypatch.setattr("os.rename", refuse)
        for number in range(1, 8):
            journal.say(f"line {number}")
    journal.close()
    written = "".join(one.read_text() for one in sorted(tmp_path.glob("engine.log*"))[::-1])
    assert re.findall(r"line \d", written) == [f"line {number}" for number in range(8)]
