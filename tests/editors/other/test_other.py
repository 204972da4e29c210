"""Emacs (eglot, lsp-mode) and Helix with the real server: a suggestion is shown, and taken."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.editors.nvim.editor import wait_for
from tests.editors.other.conftest import configuration, program

pytestmark = [pytest.mark.e2e, pytest.mark.weights, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
# The weights are sure of what comes behind the slash: what comes by itself has to be likely.
MEAN = "def mean(values):\n    count = len(values)\n    total = sum(values)\n    return total\n"
LOADING = 120.0  # seconds for the engine's first start on a busy machine
LEAST = len("    return total /")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mean.py"
    path.write_text(MEAN)
    return path


def taken(source: Path) -> bool:
    """Whether something stands behind what was typed, and the rest is as it was."""
    try:
        *before, last = source.read_text().rstrip("\n").split("\n")
    except FileNotFoundError:  # an editor puts a new file in the place of the old one
        return False
    head = MEAN.rstrip("\n").split("\n")
    return before == head[:-1] and last.startswith(head[-1] + " /") and len(last) > LEAST + 1


@pytest.mark.parametrize(("client", "word"), [("eglot", "eglot-"), ("lsp-mode", "lsp-register")])
def test_emacs(client, word, source, environment):
    emacs = program("DCOMPLETE_EMACS", "emacs")
    start = source.with_name("configuration.el")
    start.write_text(configuration("elisp", word))
    scripts = [HERE / "waiting.el", start, HERE / f"{client}.el"]
    loaded = [part for script in scripts for part in ("-l", str(script))]
    found = subprocess.run(
        [emacs, "--batch", "-Q", *loaded, str(source)],
        env=environment,
        cwd=source.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if f"Cannot open load file, {client}" in found.stderr.replace(
        "No such file or directory, ", ""
    ):
        pytest.skip(f"this Emacs has no {client}")
    assert found.returncode == 0, found.stderr[-2000:]
    assert taken(source), source.read_text()
    assert "Unknown notification" not in found.stderr
    print([line for line in found.stderr.splitlines() if line.startswith("tried: ")])


def test_helix(source, environment, tmp_path):
    helix = program("DCOMPLETE_HELIX", "hx")
    tmux = [program("TMUX_PROGRAM", "tmux"), "-L", f"dcomplete-hx-{os.getpid()}", "-f", "/dev/null"]
    settings = Path(environment["XDG_CONFIG_HOME"]) / "helix" / "languages.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(configuration("toml", "language-servers"))
    variables = {**environment, "TERM": "xterm-256color"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*tmux, *arguments], env=variables, capture_output=True, text=True, check=True
        )
        return done.stdout

    def offered() -> bool:
        """Ask by key and look for an item: its kind is beside it."""
        run("send-keys", "C-x")
        time.sleep(1.0)  # Helix shows nothing while it waits
        return " snippet" in run("capture-pane", "-p").lower()

    run("new-session", "-d", "-x", "72", "-y", "14", helix, str(source))
    try:
        wait_for(lambda: "def mean" in run("capture-pane", "-p"), "the file on screen")
        run("send-keys", "g", "e", "A", " / ")
        wait_for(offered, "an item of the menu", LOADING)
        shown = run("capture-pane", "-p")
        (Path(os.environ.get("DCOMPLETE_ARTEFACTS") or tmp_path) / "helix.txt").write_text(shown)
        run("send-keys", "C-n", "Enter")
        wait_for(lambda: " snippet" not in run("capture-pane", "-p").lower(), "the menu to close")
        run("send-keys", "Escape")  # with a key right behind it, it would be Alt and that key
        wait_for(lambda: " NOR " in run("capture-pane", "-p"), "normal mode")
        run("send-keys", ":wq", "Enter")
        wait_for(lambda: taken(source), "the accepted text in the file")
    finally:
        subprocess.run([*tmux, "kill-server"], env=variables, check=False, capture_output=True)
