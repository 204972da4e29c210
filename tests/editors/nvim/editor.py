"""A real Neovim in a process of its own, driven from outside as a person's keys would drive it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import msgpack

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "editors" / "nvim"
STUB = Path(__file__).with_name("stub.py")
PATIENCE = 60.0  # seconds; the machine may be busy, and only a failure waits that long

GHOST = """
local marks = vim.api.nvim_buf_get_extmarks(
  0, require('dcomplete.ghost').namespace, 0, -1, { details = true })
local found = {}
for _, mark in ipairs(marks) do
  local one = { row = mark[2], col = mark[3], text = '', below = {}, pos = mark[4].virt_text_pos,
                highlight = mark[4].hl_group }
  for _, chunk in ipairs(mark[4].virt_text or {}) do one.text = one.text .. chunk[1] end
  for _, line in ipairs(mark[4].virt_lines or {}) do
    local text = ''
    for _, chunk in ipairs(line) do text = text .. chunk[1] end
    table.insert(one.below, text)
  end
  table.insert(found, one)
end
return vim.json.encode(found)
"""

# What the plug-in says goes through `vim.notify`, which is made to be replaced.
LISTEN = """
_G.notes, _G.problems = {}, {}
vim.notify = function(message, level)
  table.insert(level == vim.log.levels.ERROR and _G.problems or _G.notes, message)
end
"""


@cache
def version(binary: str) -> tuple[int, int]:
    """Major and minor number of a Neovim; (0, 0) if it does not run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0, 0
    major, minor = said.stdout.split("\n")[0].removeprefix("NVIM v").split(".")[:2]
    return int(major), int(minor)


def binaries() -> list[str]:
    """Neovims to try, from $DCOMPLETE_NVIM (separated by colons) or the PATH; 0.10 or newer."""
    named = os.environ.get("DCOMPLETE_NVIM") or shutil.which("nvim") or ""
    return [one for one in named.split(":") if one and version(one) >= (0, 10)]


def wait_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"Waited {patience:.0f} s in vain for {what}.")


def quiet_environment(folder: Path) -> dict[str, str]:
    """Environment variables that keep editor, server and engine inside `folder`."""
    names = ("CONFIG", "DATA", "STATE", "CACHE")
    places = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in names}
    own = {"DCOMPLETE_RUNTIME_DIR": str(folder / "run"), "DCOMPLETE_LOG_DIR": str(folder / "log")}
    kept = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    return {**kept, **places, **own, "HOME": str(folder), "OMP_NUM_THREADS": "1", "NVIM": ""}


def write_start(folder: Path, settings: dict[str, Any], before: str = "") -> Path:
    """A Lua file that puts the plug-in on the runtime path with these settings, after `before`."""
    start = folder / "start.lua"
    encoded = json.dumps(settings).replace("]==]", "")
    start.write_text(
        f"{before}\n"
        f"vim.g.dcomplete = vim.tbl_extend('force', vim.json.decode([==[{encoded}]==]), "
        "vim.g.dcomplete or {})\n"
        f"vim.opt.runtimepath:prepend({str(PLUGIN)!r})\n"
        "vim.cmd.runtime('plugin/dcomplete.lua')\n",
        encoding="utf-8",
    )
    return start


class Remote:
    """Neovim's remote procedure calls, one at a time (`:help api-rpc`)."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape")
        self._number = 0

    def __call__(self, method: str, *arguments: Any) -> Any:
        """Call an API function and return its result; raises RuntimeError with Neovim's message."""
        self._number += 1
        self._socket.sendall(msgpack.packb([0, self._number, method, arguments]))
        while True:
            for kind, number, error, result in self._unpacker:
                if kind == 1 and number == self._number:
                    if error:
                        raise RuntimeError(error[1])
                    return result
            received = self._socket.recv(1 << 16)
            if not received:
                raise EOFError("Neovim has ended.")
            self._unpacker.feed(received)

    def close(self) -> None:
        self._socket.close()


def connect(address: Path) -> Remote | None:
    """A connection to a Neovim; None if it does not listen yet."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        return None
    return Remote(connection)


class Editor:
    """One Neovim with the plug-in on its runtime path. `settings` becomes `vim.g.dcomplete`."""

    def __init__(
        self,
        binary: str,
        folder: Path,
        settings: dict[str, Any],
        before: str = "",
        home: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.version = folder, version(binary)
        self._sockets = TemporaryDirectory(prefix="nvim-")  # a socket's path must be short
        address = Path(self._sockets.name) / "socket"
        start = write_start(folder, settings, LISTEN + before)
        command = [binary, "--headless", "-u", "NONE", "-i", "NONE", "-n", "--listen", str(address)]
        self._process = subprocess.Popen(
            [*command, "--cmd", f"luafile {start}"],
            env=quiet_environment(home or folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.call = wait_for(lambda: connect(address), "Neovim's socket")
        except AssertionError:
            self._process.kill()
            self._process.wait()
            self._sockets.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with suppress(EOFError):
                self.call("nvim_command", "stopinsert | qall!")
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self.call.close()
            self._sockets.cleanup()

    def lua(self, code: str, *arguments: Any) -> Any:
        """Run Lua in the editor."""
        return self.call("nvim_exec_lua", code, arguments)

    def command(self, command: str) -> str:
        """Run an Ex command and return its output."""
        return str(self.call("nvim_exec2", command, {"output": True})["output"])

    def open(self, name: str, text: str = "", **options: Any) -> Path:
        """Open a file with this text, byte for byte."""
        path = self.folder / name
        path.write_bytes(text.encode("utf-8"))
        self.command(f"edit {path}")
        for option, value in options.items():
            self.command(f"lua vim.bo.{option} = vim.json.decode('{json.dumps(value)}')")
        return path

    def keys(self, keys: str) -> None:
        """Press keys, in Vim's notation."""
        self.call("nvim_input", keys)

    def idle(self) -> None:
        """Give the editor time for keys, timers and answers."""
        self.rest(0.1)

    def rest(self, seconds: float) -> None:
        """Let the editor run by itself; a wait inside it would hold up its keys."""
        time.sleep(seconds)
        self.lua("")

    @property
    def lines(self) -> list[str]:
        return list(self.call("nvim_buf_get_lines", 0, 0, -1, False))

    @property
    def marks(self) -> list[dict[str, Any]]:
        """The extmarks of ghost text."""
        return list(json.loads(self.lua(GHOST)))

    @property
    def ghost(self) -> str:
        """Ghost text in one piece, its lines separated by line breaks; "" if there is none."""
        inline = "".join(mark["text"] for mark in self.marks)
        return "\n".join([inline, *(line for mark in self.marks for line in mark["below"])])

    def wait_ghost(self, text: str) -> None:
        """Wait until exactly this is shown."""
        wait_for(lambda: self.ghost == text, f"ghost text {text!r}; there is {self.ghost!r}")

    @property
    def notes(self) -> list[str]:
        """What the plug-in said."""
        return list(self.lua("return _G.notes"))

    @property
    def problems(self) -> str:
        """Errors of any kind so far, "" if there were none."""
        told = self.lua("return table.concat(_G.problems, '\\n') .. vim.v.errmsg")
        return str(told)


class Stub:
    """The scripted server's side of a test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._script, self._log = folder / "script.json", folder / "received.jsonl"
        self.script()

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-S", str(STUB), str(self._script), str(self._log)]

    def script(self, **keys: Any) -> None:
        """What to answer from now on."""
        fresh = self._script.with_suffix(".new")
        fresh.write_text(json.dumps(keys), encoding="utf-8")
        fresh.replace(self._script)

    def received(self, method: str) -> list[Any]:
        """Parameters of all messages of a method so far."""
        if not self._log.exists():
            return []
        whole = self._log.read_text(encoding="utf-8").rpartition("\n")[0]
        messages = [json.loads(line) for line in whole.split("\n") if line]
        return [one.get("params") for one in messages if one.get("method") == method]

    def wait(self, method: str, count: int = 1) -> list[Any]:
        """Wait for `count` messages of a method."""
        return list(wait_for(lambda: self._enough(method, count), f"{count} {method}"))

    def _enough(self, method: str, count: int) -> list[Any]:
        found = self.received(method)
        return found if len(found) >= count else []
