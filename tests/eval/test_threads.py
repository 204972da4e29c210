"""Threads that one contestant asks for are not the next one's."""

from collections.abc import Iterator

import pytest
import torch

from dcomplete.errors import UserError
from dcomplete_eval.contestants import contestant


@pytest.fixture
def threads() -> Iterator[int]:
    """A number that nobody else would choose."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


@pytest.mark.usefixtures("tiny_model")
def test_the_next_contestant_finds_the_threads_that_the_first_one_found(threads):
    first = contestant("engine:model=tiny,device=cpu,threads=2")
    assert first.settings()["threads"] == torch.get_num_threads() == 2
    first.close()
    second = contestant("engine:model=tiny,device=cpu")
    assert second.settings()["threads"] == torch.get_num_threads() == threads
    second.close()
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("tiny_model")
def test_so_it_does_after_one_that_cannot_be_made(threads, tmp_path):
    with pytest.raises(UserError):
        contestant("engine:model=tiny,device=nowhere,threads=2")
    assert torch.get_num_threads() == threads
    (tmp_path / "config.json").write_text("{}", encoding="utf-8", newline="\n")
    pytest.importorskip("transformers")
    with pytest.raises(UserError, match="transformers cannot load"):
        contestant(f"ar:{tmp_path},threads=2")
    assert torch.get_num_threads() == threads
