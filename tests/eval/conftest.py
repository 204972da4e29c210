"""What tests of the evaluation share."""

import shutil

import pytest

from dcomplete_eval.sandbox import Sandbox, choose

needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


@pytest.fixture
def sandbox() -> None:
    """For tests that run programs: they are skipped where there is no bubblewrap."""
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")


@pytest.fixture(scope="module")
def box() -> Sandbox:
    """The sandbox of this machine; only for tests marked with `needs_sandbox`."""
    return choose()
