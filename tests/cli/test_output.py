"""The command line's output where it meets the world: pipes that close, encodings that lack letters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systems import SCRIPTS, WINDOWS

FULL = Path("/dev/full")
LATIN = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
FILL = ["infill", "-", "--model", "tiny", "--max-tokens", "4", "--steps", "2", "--in-process"]


def dcomplete(*arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess:
    """One run of the command, with UTF-8 on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "dcomplete", *arguments], input=said.encode(), capture_output=True,
        env={**os.environ, **environment}, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("form", ["--filled", "--diff"])
def test_code_is_utf_8_whatever_the_locale_says(tiny_model, form):
    done = dcomplete(*FILL, form, said="s = 'é → 😀' + <GAP>\n", **LATIN)
    assert done.returncode == 0, done.stderr
    assert "s = 'é → 😀' + " in done.stdout.decode("utf-8")


def test_a_reader_that_has_seen_enough_is_no_error(tiny_model):
    for arguments in (["models", "info", "tiny", "--json"], ["models", "list"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "dcomplete", *arguments],
            stdout=write, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
        os.close(write)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_go_through_a_pipe_as_they_are(tiny_model, end):
    done = dcomplete(*FILL, "--filled", said=f"a = 1{end}b = <GAP>{end}c = 2{end}")
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert said.startswith(f"a = 1{end}b = ") and said.endswith(f"{end}c = 2{end}")


def test_what_looks_like_a_pattern_is_taken_as_it_was_typed(tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[a].py").write_text("the_right_one = @a*@\n")
    (tmp_path / "a.py").write_text("another = @a*@\n")
    (tmp_path / "@a1@").write_text("")
    done = dcomplete("infill", "[a].py", *FILL[2:], "--gap", "@a*@", "--filled")
    assert done.stdout.startswith(b"the_right_one = "), done.stderr


@pytest.mark.skipif(WINDOWS or not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["models", "list"], ["models", "info", "tiny", "--json"]])
def test_an_output_that_is_full_is_told_in_one_sentence(tiny_model, arguments):
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dcomplete", *arguments],
            stdout=full, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
    said = b"dcomplete: The output cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (2, said)


@SCRIPTS
@pytest.mark.parametrize(
    ("closed", "status"), [("<&-", 2), (">&-", 0), ("2>&-", 0), ("2>/dev/full", 0)]
)
def test_a_standard_stream_that_is_closed_or_full_is_no_accident(tiny_model, closed, status):
    command = [sys.executable, "-m", "dcomplete", *FILL, "--filled"]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command],
        input=b"x = <GAP>", capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert b"Unexpected" not in done.stderr and b"Traceback" not in done.stderr


@SCRIPTS
def test_a_mistake_keeps_its_status_where_its_sentence_cannot_be_said():
    command = [sys.executable, "-m", "dcomplete", "infill", "no-such-file.py"]
    for closed in ("2>&-", "2>/dev/full", ">&- 2>&- <&-"):
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *command], check=False)
        assert done.returncode == 2
