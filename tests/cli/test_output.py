"""The command line's output where it meets the world: pipes that close, encodings that lack letters."""

import os
import subprocess
import sys

import pytest

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
