"""Tiny checkpoints of every published family, written and imported once."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

from dcomplete.models.importing import import_model
from tests.models.checkpoints import CHECKPOINTS


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of ours that a family's tiny checkpoint was imported to."""
    home = tmp_path_factory.mktemp("published")

    @cache
    def imported(name: str) -> Path:
        import_model(CHECKPOINTS[name].write(home / name / "source"), home / name / "ours")
        return home / name / "ours"

    return imported


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on several threads, most of all beside other programs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
