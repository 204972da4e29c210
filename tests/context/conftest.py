"""What several tests of the context start from."""

from pathlib import Path

import pytest


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "sub" / "deep").mkdir(parents=True)
    return folder
