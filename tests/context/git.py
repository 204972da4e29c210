"""Real git, asked what it ignores; without what this machine's own configuration says."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where git looks for what the person set."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    return tmp_path / "home"


def init(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)


def ignored(folder: Path, files: Iterable[Path]) -> set[Path]:
    """Those of `files` that the repository at `folder` ignores."""
    names = "\0".join(file.relative_to(folder).as_posix() for file in files)
    told = subprocess.run(
        ["git", "-C", folder, "check-ignore", "--no-index", "--stdin", "-z"],
        input=names.encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert told.returncode in (0, 1), told.stderr
    return {folder / name for name in told.stdout.decode().split("\0") if name}
