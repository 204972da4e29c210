"""The arena's page in a real headless Chromium: votes by key and mouse, other sites, both schemes.

One browser runs all checks of `drive.mjs`; each test here looks at one of them. Screenshots go to
DCOMPLETE_ARTEFACTS.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dcomplete.votes.store import VoteStore

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXTENSION = ROOT / "editors" / "vscode"  # playwright is one of its development tools
CHECKS = (
    "open",
    "voteByKey",
    "voteByMouse",
    "tieNeitherSkip",
    "hostileText",
    "ranking",
    "darkAndLight",
    "narrow",
    "byRoles",
    "crossSite",
    "quiet",
)
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def tool(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


@pytest.fixture(scope="module")
def playwright() -> None:
    if (EXTENSION / "node_modules" / "playwright-core").is_dir():
        return
    install = [tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=EXTENSION, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm ci did not work: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def votes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arena") / "votes.sqlite3"


@pytest.fixture(scope="module")
def results(
    playwright: None, votes: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What the driver said about each check."""
    node, chromium = tool("node"), tool("chromium", "chromium-browser")
    artefacts = Path(os.environ.get("DCOMPLETE_ARTEFACTS") or tmp_path_factory.mktemp("artefacts"))
    artefacts.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(HERE / "serve.py"), str(votes)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        options = {"url": url, "executable": chromium, "artefacts": str(artefacts)}
        run = subprocess.run(
            [node, str(HERE / "drive.mjs"), json.dumps(options)],
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        assert lines, run.stderr
        sys.stderr.write(run.stdout)
        yield {line["check"]: line for line in lines}
    finally:
        server.send_signal(signal.SIGINT)
        with server:
            server.wait(20)


@pytest.mark.parametrize("check", CHECKS)
def test_in_a_real_browser(results: dict[str, Any], check: str) -> None:
    assert check in results, "the driver ended before this check"
    assert results[check]["ok"], json.dumps(results[check], indent=1)


def test_what_was_voted_in_the_browser_is_in_the_store(
    results: dict[str, Any], votes: Path
) -> None:
    with VoteStore(votes) as store:
        ballots = store.ballots()
    assert [b.choice for b in ballots] == ["first", "second", "tie", "neither", "first", "second"]
    assert {b.source for b in ballots} == {"web"}
    assert all(b.after_ms and b.after_ms > 0 for b in ballots)
    assert {b.first for b in ballots} <= {"engine:planted-a", "ar:planted-b"}
