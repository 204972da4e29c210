"""Real Neovims, every one that is found, each test in a fresh one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.editors.nvim.editor import Editor, Stub, binaries, version

FOUND = binaries()
NONE = pytest.param(
    "",
    marks=pytest.mark.skip(reason="no Neovim 0.10 or newer on the PATH or in $DCOMPLETE_NVIM"),
    id="none",
)


@pytest.fixture(params=FOUND or [NONE], ids=lambda one: "nvim-{}.{}".format(*version(one)))
def binary(request: pytest.FixtureRequest) -> str:
    """A Neovim."""
    return str(request.param)


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """A server that answers what the test says."""
    return Stub(tmp_path / "stub")


@pytest.fixture
def launch(binary: str, tmp_path: Path, stub: Stub) -> Iterator[Callable[..., Editor]]:
    """Start Neovim with settings of the plug-in; the stub is its server."""
    with ExitStack() as running:

        def start(before: str = "", **settings: Any) -> Editor:
            all_settings = {"cmd": stub.command, "keymaps": True, **settings}
            return running.enter_context(Editor(binary, tmp_path / "home", all_settings, before))

        yield start


@pytest.fixture
def editor(launch: Callable[..., Editor]) -> Iterator[Editor]:
    """Neovim with the opt-in keys. No error may have happened by the end."""
    started = launch()
    yield started
    assert started.problems == ""
