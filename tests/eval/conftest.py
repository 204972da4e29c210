"""What tests of the evaluation share."""

import shutil

import pytest


@pytest.fixture
def sandbox() -> None:
    """For tests that run programs: they are skipped where there is no bubblewrap."""
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
