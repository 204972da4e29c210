"""What becomes of an answer: patches that apply, files that are changed as a whole or not at all."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from dcomplete.cli import infill, recording, run
from dcomplete.cli.answers import show
from dcomplete.cli.live import LiveView
from dcomplete.document import at_markers
from dcomplete.errors import DocumentError, UserError
from dcomplete.types import Answer, Cell, Finish, Infill, InfillRequest, Timings
from tests.systems import MODES, WINDOWS

MARKED = "a = 1\nb = <GAP>\n"


def infill_of(*texts: str) -> Infill:
    answers = (Answer(texts, 1, -0.5, Finish.DONE),)
    return Infill(answers, "fake", "cpu", "float32", "p", 1, 1, 1, 1, Timings())


def fill(file: Path, text: str, before: bytes) -> None:
    """As ``dcomplete infill --write`` does, which read `before`."""
    show(at_markers(before.decode(), "<GAP>"), infill_of(text), str(file), "", "", before)


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch(1)")
@pytest.mark.parametrize(
    "marked",
    [
        "a = 1\nb = <GAP>",
        "a = 1\nb = <GAP>\n",
        "b = <GAP>\nlast line",
        "<GAP>",
        "a\n\x0c\nclass A:\n    x = <GAP>\n",
        "s = '\u2028' + <GAP>\nt = '\x85\x1c'\n",
        "a = 1\r\nb = <GAP>\r\n",
        "a = 1\rb = <GAP>\n",
    ],
)
@pytest.mark.parametrize("text", ["2", "2\n", "f(\n  1,\n)\n\n", "\x0c"])
def test_a_diff_is_a_patch_that_applies(tmp_path, capfdbinary, marked, text):
    document = at_markers(marked, "<GAP>")
    show(document, infill_of(text), "x.py", "", "diff", None)
    sys.stdout.flush()
    file = tmp_path / "x.py"
    file.write_bytes(document.text.encode())
    patch = capfdbinary.readouterr().out
    command = ["patch", "--binary", "--fuzz=0", "-p1", "-s"]
    done = subprocess.run(command, input=patch, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert file.read_bytes() == document.filled((text,)).encode()


def test_what_was_saved_meanwhile_is_kept(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("something else\n")
    with pytest.raises(DocumentError, match="changed meanwhile"):
        fill(file, "2", MARKED.encode())
    assert file.read_text() == "something else\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_in_is_one_sentence(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "x.py"
    file.write_text(MARKED)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(DocumentError, match="cannot be written: Permission denied"):
        fill(file, "2", MARKED.encode())
    assert file.read_text() == MARKED


@pytest.mark.skipif(WINDOWS, reason="there a whole path may have 260 characters")
def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    file = tmp_path / ("x" * 250 + ".py")
    file.write_text(MARKED)
    fill(file, "2", MARKED.encode())
    assert file.read_text() == "a = 1\nb = 2\n"


@pytest.mark.skipif(not WINDOWS, reason="elsewhere such a file may be replaced")
def test_a_file_marked_against_writing_is_one_sentence_and_nothing_is_left(tmp_path):
    file = tmp_path / "x.py"
    file.write_text(MARKED)
    file.chmod(0o444)
    with pytest.raises(DocumentError, match="cannot be written"):
        fill(file, "2", file.read_bytes())
    assert [*tmp_path.iterdir()] == [file]


@MODES
def test_owner_mode_and_links_stay(tmp_path):
    file, link = tmp_path / "x.py", tmp_path / "sub" / "link.py"
    file.write_text(MARKED)
    file.chmod(0o640)
    if os.geteuid() == 0:  # as under sudo
        os.chown(file, 1234, 1235)
    link.parent.mkdir()
    link.symlink_to("../x.py")
    before = file.stat()
    fill(link, "2", MARKED.encode())
    after = file.stat()
    assert link.is_symlink() and file.read_text() == "a = 1\nb = 2\n"
    assert (before.st_uid, before.st_gid, before.st_mode) == (
        after.st_uid, after.st_gid, after.st_mode,
    )  # fmt: skip


def test_a_recording_that_cannot_be_written_does_not_cost_the_answer(tiny_model, tmp_path, capsys):
    file = tmp_path / "x.py"
    file.write_text(MARKED)
    small = ["--model", "tiny", "--max-tokens", "8", "--steps", "4", "--in-process"]
    status = run(["infill", str(file), *small, "--record", str(tmp_path / "no" / "x.svg")])
    said = capsys.readouterr()
    assert status == 2 and said.out and "cannot be written: No such file" in said.err


def test_who_watches_sees_other_answers_below_and_at_last_the_best():
    asked = InfillRequest("a = ", "\nc = 3\n", between=("\nb = ",))
    row = [Cell("1", False), Cell("\nb = ", True), Cell(None, False)]
    with LiveView(asked, quiet=True) as view:
        view.show(0, [row])
        view.show(1, [row, [Cell("7", False), Cell(None, False)]])
        view.end(replace(infill_of("1", "2"), steps=3))
    seen = [frame.plain for frame in view.frames]
    assert seen[0] == "step 0, 1 masked\na = 1\nb = ░\nc = 3\n"
    assert seen[1] == "step 1, 2 masked\na = 1\nb = ░\nc = 3\n\nor 7░"
    assert seen[2] == "step 3, done\na = 1\nb = 2\nc = 3\n"


def test_a_recording_of_no_step_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="nothing to record"):
        recording.write(tmp_path / "x.svg", [])


def test_the_command_looks_at_the_file_once_more(tiny_model, tmp_path, capsys, monkeypatch):
    file = tmp_path / "x.py"
    file.write_text(MARKED)

    class Slow:
        def infill(self, request, cancel=None, watch=None):
            file.write_text("saved meanwhile\n")
            return infill_of("2")

    monkeypatch.setattr(infill, "_engine", lambda *_: Slow())
    assert run(["infill", str(file), "--in-process", "--write"]) == 2
    assert "changed meanwhile" in capsys.readouterr().err
    assert file.read_text() == "saved meanwhile\n"
