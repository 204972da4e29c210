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
