"""One line per request, nothing in it that a client could have hidden there."""

import pytest

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
