"""Symbolic links, where the system lets a person make them: Windows asks for a right to."""

from pathlib import Path

import pytest


def link(place: Path, target: Path, is_folder: bool = False) -> Path:
    """A link at `place` to `target`; skips the test where there can be none."""
    try:
        place.symlink_to(target, target_is_directory=is_folder)
    except OSError as error:
        pytest.skip(f"no symbolic links here ({error.strerror})")
    if not place.is_symlink():
        pytest.skip("no symbolic links here")
    return place
