"""The real server and the embedded model, in every Neovim found."""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from dcomplete.votes.store import VoteStore
from tests.editors.nvim.editor import Editor, quiet_environment, version, wait_for, write_start

pytestmark = [pytest.mark.e2e, pytest.mark.weights]

PROGRAM = Path(sys.executable).with_name("dcomplete")
SAMPLES = Path(__file__).with_name("samples")
MEAN = "def mean(values):\n    total = sum(values)\n    return total\n"
WHOLE = {"model": {"confidence": 0}}  # how sure the weights are is not what is tested here
LOADING = 120.0  # seconds for the engine's first start on a busy machine
PER_SECOND = 12.0  # keystrokes

# When each key changed the text, and how long until ghost text for it was on screen.
MEASURE = """
_G.keys = {}
local function now() return vim.uv.hrtime() / 1e6 end
local function visible()
  local key = _G.keys[#_G.keys]
  if key and not key.ghost then key.ghost = now() - key.at end
end
vim.api.nvim_create_autocmd('TextChangedI', { callback = function()
  table.insert(_G.keys, { at = now() })
  if require('dcomplete.screen').current() then visible() end
end })
vim.api.nvim_create_autocmd('User', { pattern = 'DcompleteShown', callback = visible })
"""


def artefacts(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("DCOMPLETE_ARTEFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's folders, with one engine for all tests here; nothing of it runs on afterwards."""
    if not PROGRAM.exists():
        pytest.skip("dcomplete is not installed beside this Python")
    folder = tmp_path_factory.mktemp("home")
    yield folder
    environment = quiet_environment(folder)
    subprocess.run([PROGRAM, "serve", "--stop"], env=environment, capture_output=True, check=False)
    run = str(folder / "run")
    wait_for(
        lambda: not [one for one in psutil.process_iter() if uses(one, run)], "the last process"
    )


def uses(process: psutil.Process, run: str) -> bool:
    with suppress(psutil.Error):
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get("DCOMPLETE_RUNTIME_DIR") == run
    return False


@pytest.fixture
def launch_real(binary: str, tmp_path: Path, home: Path) -> Iterator[Callable[..., Editor]]:
    started: list[Editor] = []

    def start(before: str = "") -> Editor:
        settings = {"log": {"outcomes": True}, **WHOLE}
        everything = {"cmd": [str(PROGRAM), "lsp"], "keymaps": True, "settings": settings}
        editor = Editor(binary, tmp_path, everything, before, home)
        started.append(editor.__enter__())
        editor.command("filetype on")
        return editor

    yield start
    for editor in started:
        editor.__exit__()


@pytest.fixture
def real(launch_real: Callable[..., Editor]) -> Iterator[Editor]:
    editor = launch_real()
    yield editor
    assert editor.problems == ""


def outcomes(home: Path) -> list[dict[str, object]]:
    path = home / "data" / "dcomplete" / "outcomes.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_real_suggestion_appears_while_typing_and_tab_inserts_it(real, home):
    real.open("mean.py", MEAN)
    real.keys("GA / ")
    wait_for(lambda: real.ghost, "ghost text", LOADING)
    suggested = real.ghost
    real.keys("<Tab>")
    wait_for(lambda: real.lines[2] == "    return total / " + suggested, "the text")
    real.keys("<Esc>u")
    wait_for(lambda: real.lines[2] == "    return total / ", "undo")
    wait_for(lambda: [o for o in outcomes(home) if o["event"] == "accepted"], "the outcome")


def test_health_is_green_and_the_status_line_speaks(real):
    real.open("mean.py", MEAN)
    real.keys("GA / ")
    wait_for(lambda: real.ghost, "ghost text", LOADING)
    assert real.lua("return require('dcomplete').statusline()").startswith("dcomplete")
    real.keys("<Esc>")
    real.command("checkhealth dcomplete")
    report = "\n".join(real.lines)
    assert "ERROR" not in report and "WARNING" not in report, report
    assert "The engine answers" in report


def test_the_denoising_is_seen(real):
    real.open("add.py", "def add(a, b):\n    return\n")
    real.keys("G$")
    real.command("Dcomplete watch")
    wait_for(lambda: "░" in real.ghost, "masks", LOADING)
    wait_for(lambda: real.ghost and "░" not in real.ghost, "the suggestion")


def test_a_vote_arrives_in_the_store(real, home):
    real.open("add.py", "def add(a, b):\n    return\n")
    real.keys("G$")
    real.command("Dcomplete compare")
    floating = "return vim.api.nvim_win_get_config(0).relative ~= ''"
    wait_for(lambda: real.notes or real.lua(floating), "the window", LOADING)
    assert real.notes == []
    real.keys("2")
    wait_for(lambda: real.notes, "the names")
    assert real.notes[0].startswith("dcomplete: you chose second. First was ")
    logged = [one for one in outcomes(home) if one["event"] == "vote"]
    assert logged[-1]["choice"] == "second"
    with VoteStore(home / "data" / "dcomplete" / "votes.sqlite3") as store:
        *_, kept = store.rows(code=True)  # the latest
    assert [vote["choice"] for vote in kept["votes"]] == ["second"]
    assert kept["source"] == "editor" and kept["language"] == "python"
    assert kept["prefix"] is None, "code is kept only where the person asks for it"
    shown = [kept[side]["name"].rpartition(":")[2] for side in ("first", "second")]
    assert shown == [logged[-1][side]["policy"] for side in ("first", "second")]


def test_typing_goes_on_when_the_engine_is_stopped_and_suggestions_come_back(real, home):
    real.open("mean.py", MEAN)
    real.keys("GA / ")
    wait_for(lambda: real.ghost, "ghost text", LOADING)
    environment = quiet_environment(home)
    subprocess.run([PROGRAM, "serve", "--stop"], env=environment, capture_output=True, check=True)
    real.keys("(")
    end = time.monotonic() + LOADING
    while not real.ghost and time.monotonic() < end:
        real.keys("<BS>(")  # a refused request is not sent again before something is typed
        time.sleep(2)
    assert real.ghost
    assert real.lines[2] == "    return total / ("


def pause_to_ghost(editor: Editor, name: str) -> float | None:
    """Milliseconds from a line's last key to ghost text when no other key comes; None if none does."""
    editor.keys("<Esc>")
    editor.open(f"{name}.py", MEAN.replace("values", name))
    editor.lua("_G.keys = {}")
    editor.keys("GA / ")
    code = "local key = _G.keys[#_G.keys]; return key and key.ghost or 0"
    with suppress(AssertionError):  # the model may have nothing to say
        return float(wait_for(lambda: editor.lua(code), "ghost text", 4.0))
    return None


def test_300_characters_at_12_per_second_arrive_in_order(launch_real):
    editor = launch_real(MEASURE)
    text = (SAMPLES / "typed.txt").read_text()[:300]
    editor.open("warm.py", MEAN)
    editor.keys("GA / ")
    wait_for(lambda: editor.ghost, "the loaded model", LOADING)
    editor.keys("<Esc>")
    editor.open("typed.py")
    editor.command("setlocal noautoindent indentexpr=")  # the keys hold the indentation
    editor.lua("_G.keys = {}")
    editor.keys("i")
    start = time.monotonic()
    for number, character in enumerate(text):
        time.sleep(max(0.0, start + number / PER_SECOND - time.monotonic()))
        editor.keys({"\n": "<CR>", "<": "<lt>"}.get(character, character))
    editor.rest(1)
    assert "\n".join(editor.lines) == text
    assert editor.problems == ""
    keys = json.loads(editor.lua("return vim.json.encode(_G.keys)"))
    waits = [pause_to_ghost(editor, name) for name in ("values", "numbers", "items", "rows")]
    pauses = [one for one in waits if one is not None]
    pairs = itertools.pairwise(keys)
    times = [
        one["ghost"] for one, after in pairs if one.get("ghost", 1e9) < after["at"] - one["at"]
    ]
    report = {
        "editor": "nvim {}.{}".format(*editor.version),
        "keystrokes": len(keys),
        "share_before_next_key": round(len(times) / max(len(keys), 1), 3),
        "p50_key_to_ghost_ms": round(statistics.median(times), 1) if times else None,
        "p50_ms_when_typing_stops": round(statistics.median(pauses), 1) if pauses else None,
    }
    print(json.dumps(report))
    assert len(keys) > 250


def test_ghost_text_on_a_real_screen(binary, tmp_path, home):
    if not shutil.which("tmux"):
        pytest.skip("no tmux: apt-get install tmux")
    source = tmp_path / "mean.py"
    source.write_text(MEAN)
    settings = {"cmd": [str(PROGRAM), "lsp"], "keymaps": True, "settings": WHOLE}
    start = write_start(tmp_path, settings, "vim.o.swapfile = false")
    tmux = ["tmux", "-L", f"dcomplete-{os.getpid()}", "-f", "/dev/null"]
    command = [binary, "-u", "NONE", "-i", "NONE", "--cmd", f"luafile {start}"]
    extra = ["-c", "filetype on | syntax on", str(source)]
    environment = {**quiet_environment(home), "TERM": "xterm-256color"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*tmux, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def typed_line() -> str:
        rows = run("capture-pane", "-p").splitlines()
        return next((row.rstrip() for row in rows if row.startswith("    return total /")), "")

    run("new-session", "-d", "-x", "72", "-y", "14", *command, *extra)
    try:
        wait_for(lambda: "def mean" in run("capture-pane", "-p"), "the file on screen")
        run("send-keys", "GA / ")
        wait_for(lambda: len(typed_line()) > len("    return total /"), "ghost text", LOADING)
        shown = typed_line()
        for kind, flag in (("txt", "-p"), ("ansi", "-pe")):
            name = "nvim-{}.{}-ghost.".format(*version(binary)) + kind
            (artefacts(tmp_path) / name).write_text(run("capture-pane", flag))
        run("send-keys", "Tab", "Escape", ":wq", "Enter")
        wait_for(lambda: shown in source.read_text().splitlines(), "the accepted text in the file")
    finally:
        with suppress(subprocess.CalledProcessError):
            run("kill-server")
