"""What only some systems have, for tests that are about just that."""

import os

import pytest

WINDOWS = os.name == "nt"
MODES = pytest.mark.skipif(WINDOWS, reason="Windows has access lists in place of file modes")
UNIX_SOCKETS = pytest.mark.skipif(WINDOWS, reason="Python has no Unix sockets on Windows")
SCRIPTS = pytest.mark.skipif(WINDOWS, reason="Windows runs no shell scripts")
LINKS = pytest.mark.skipif(WINDOWS, reason="on Windows links need a privilege")
CTRL_C = pytest.mark.skipif(WINDOWS, reason="Windows sends Ctrl-C to whole consoles only")
