"""A code-server with folders of its own: nothing of the person who runs the tests is touched."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[3] / "dcomplete" / "registry.py"
USER_SETTINGS = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.inlineSuggest.enabled": True,
    "chat.disableAIFeatures": True,
    "telemetry.telemetryLevel": "off",
    "workbench.editor.useModal": "off",
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    # Recorded text is typed as it is; pairs are checked in another language.
    "[python]": {
        "editor.autoClosingBrackets": "never",
        "editor.autoClosingQuotes": "never",
        "editor.autoIndent": "none",
        "editor.suggestOnTriggerCharacters": False,
        "editor.parameterHints.enabled": False,
    },
    # A small model is often unsure; here it is the editor that is tested.
    "dcomplete.model.confidence": 0,
    "dcomplete.log.outcomes": True,
}
KEYS = [
    {"key": "ctrl+alt+w", "command": "dcomplete.acceptWord"},
    {"key": "ctrl+alt+n", "command": "dcomplete.next"},
    {"key": "ctrl+alt+p", "command": "dcomplete.previous"},
]


@dataclass(frozen=True, slots=True)
class Session:
    """A code-server with folders of its own, and what the driver is told."""

    folder: Path
    kit: Path
    node: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.node.parent), "/usr/bin", "/bin"])
        return {
            **os.environ,
            "PATH": path,
            "HOME": str(self.folder / "home"),
            "SHELL": "/bin/sh",
            "XDG_DATA_HOME": str(self.folder / "data"),
            "DCOMPLETE_RUNTIME_DIR": str(self.folder / "run"),
            "DCOMPLETE_LOG_DIR": str(self.folder / "logs"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }

    @property
    def program(self) -> Path:
        """Where uv and pipx would put the server: the extension has to find it there."""
        return self.folder / "home" / ".local" / "bin" / "dcomplete"

    def prepare(self) -> None:
        """Folders, settings, keys, and the server among the user's programs."""
        for name in ("home", "data", "work", "user/User", "extensions", "home/.local/bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("run", "logs"):
            (self.folder / name).mkdir(mode=0o700)
        user = self.folder / "user" / "User"
        (user / "settings.json").write_text(json.dumps(USER_SETTINGS))
        (user / "keybindings.json").write_text(json.dumps(KEYS))
        self.program.symlink_to(Path(sys.executable).parent / "dcomplete")

    def code_server(self, *arguments: str) -> list[str]:
        entry = self.kit / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        folders = ("--extensions-dir", "extensions", "--user-data-dir", "user")
        places = [str(self.folder / p) if not p.startswith("--") else p for p in folders]
        config = ["--config", str(self.folder / "config.yaml")]
        return [str(self.node), str(entry), *config, *places, *arguments]

    def options(self, chromium: str, artefacts: Path) -> str:
        return json.dumps(
            {
                "url": f"http://127.0.0.1:{self.port}/",
                "executable": chromium,
                "workspace": str(self.folder / "work"),
                "settings": str(self.folder / "user" / "User" / "settings.json"),
                "artefacts": str(artefacts),
                "store": str(self.folder / "data" / "dcomplete" / "outcomes.jsonl"),
                "dcomplete": str(self.program),
                "recorded": str(RECORDED),
            }
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(session: Session) -> "subprocess.Popen[bytes]":
    """Start code-server and wait until it answers."""
    quiet = ("--auth", "none", "--disable-telemetry", "--disable-update-check")
    trust = ("--disable-workspace-trust", "--disable-getting-started-override")
    address = ("--bind-addr", f"127.0.0.1:{session.port}")
    command = session.code_server(*address, *quiet, *trust, str(session.folder / "work"))
    log = (session.folder / "code-server.log").open("wb")
    server = subprocess.Popen(
        command, env=session.environment, stdout=log, stderr=log, start_new_session=True
    )
    log.close()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{session.port}/healthz", timeout=5):
                return server
        except OSError:
            time.sleep(0.2)
    stop(server, session)
    raise AssertionError("code-server did not start within a minute")


def stop(server: "subprocess.Popen[bytes]", session: Session) -> None:
    """End code-server with all it started, and the engine."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)
    command = [str(session.program), "serve", "--stop"]
    subprocess.run(command, env=session.environment, check=False, capture_output=True, timeout=60)


def drive(session: Session, options: str) -> dict[str, Any]:
    """Run the driver; what it said by the name of each check."""
    run = subprocess.run(
        [str(session.node), str(Path(__file__).with_name("drive.mjs")), options],
        env=session.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, run.stderr
    sys.stderr.write(run.stdout)
    return {line["check"]: line for line in lines}
