"""Other editors, configured by the blocks of editors/other.md, so that the page stays true."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.nvim.editor import quiet_environment

PAGE = Path(__file__).parents[3] / "editors" / "other.md"
PROGRAM = Path(sys.executable).with_name("dcomplete")


def configuration(language: str, word: str) -> str:
    """The only block of code of that language on the page that holds that word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return str(found)


def program(variable: str, name: str) -> str:
    """The editor that an environment variable names or the PATH holds; skips where there is none."""
    found = os.environ.get(variable) or shutil.which(name)
    if not found or not Path(found).exists():
        pytest.skip(f"no {name} on the PATH or in ${variable}")
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A user's folders and one engine; `dcomplete` is on the PATH, other language servers are not."""
    if not PROGRAM.exists():
        pytest.skip("dcomplete is not installed beside this Python")
    folder = tmp_path_factory.mktemp("other")
    (folder / "bin").mkdir()
    (folder / "bin" / "dcomplete").symlink_to(PROGRAM)
    path = os.pathsep.join([str(folder / "bin"), "/usr/bin", "/bin"])
    variables = {**quiet_environment(folder), "PATH": path}
    yield variables
    stop = [str(PROGRAM), "serve", "--stop"]
    subprocess.run(stop, env=variables, capture_output=True, check=False)
