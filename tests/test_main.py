"""What happens before the command line: the environment of the libraries that it will load."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from dcomplete.__main__ import main
sys.argv = ["dcomplete", "--version"]
try:
    main()
except SystemExit:
    import torch
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp comes with torch on Linux")
@pytest.mark.parametrize(
    ("said", "spins"),
    [({}, "2000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "passive"}, "0")],
)
def test_threads_without_work_sleep_soon_unless_the_environment_says_else(said, spins):
    """As the library tells it that runs torch's threads, once it is loaded."""
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    plain = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**plain, **said, "OMP_DISPLAY_ENV": "verbose"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"GOMP_SPINCOUNT = '{spins}'" in done.stderr
