"""The log holds neither code nor paths unless it is asked for everything."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from dcomplete_lsp.logs import name_of
from tests.systems import WINDOWS

SCRIPT = """
import logging, sys
from pathlib import Path
from dcomplete_lsp import logs
logs.configure(sys.argv[1], Path(sys.argv[2]))
logging.getLogger("pygls.protocol").error("params: %s", "planted")
try:
    raise ValueError("planted")
except ValueError:
    logging.getLogger("dcomplete_lsp.x").exception("It failed.")
"""


@pytest.mark.parametrize("level", ["info", "debug"])
def test_texts_of_errors_are_logged_at_debug_level_only(level: str, tmp_path: Path):
    file = tmp_path / "new" / "server.log"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, level, str(file)], capture_output=True, text=True, check=True
    )
    text = file.read_text()
    assert "It failed." in text
    assert "ValueError" in text
    assert ("planted" in text) is (level == "debug")
    assert done.stderr == ""
    assert WINDOWS or file.stat().st_mode & 0o777 == 0o600


def test_a_document_has_a_name_that_does_not_say_which_it_is():
    assert name_of("file:///a") != name_of("file:///b")
    assert "a" * 20 not in name_of("file:///" + "a" * 20)
    assert name_of("\ud800")
    assert logging.getLogger("dcomplete_lsp").level == logging.NOTSET
