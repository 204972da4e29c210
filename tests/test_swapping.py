"""Files that other programs have open for a moment: Windows makes us wait, others do not."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dcomplete import swapping


def files(folder: Path) -> tuple[Path, Path]:
    fresh, target = folder / "fresh", folder / "target"
    fresh.write_text("new")
    target.write_text("old")
    return fresh, target


def refusing(times: int, act: Callable[..., object]) -> Callable[..., object]:
    """`act`, refused as Windows does while somebody reads the file."""
    left = [times]

    def refused(*arguments: object, **named: object) -> object:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "Access is denied")
        return act(*arguments, **named)

    return refused


def read_for_a_moment(path: Path) -> threading.Thread:
    opened = threading.Event()

    def read() -> None:
        with path.open("rb"):
            opened.set()
            time.sleep(0.1)

    reader = threading.Thread(target=read)
    reader.start()
    opened.wait()
    return reader


def test_a_reader_is_waited_for(tmp_path):
    fresh, target = files(tmp_path)
    reader = read_for_a_moment(target)
    swapping.replace(fresh, target)
    reader.join()
    assert target.read_text() == "new" and not fresh.exists()
    reader = read_for_a_moment(target)
    swapping.remove(target)
    reader.join()
    assert not target.exists()


def test_what_is_refused_at_first_is_tried_again(tmp_path, monkeypatch):
    fresh, target = files(tmp_path)
    monkeypatch.setattr(Path, "replace", refusing(3, Path.replace))
    monkeypatch.setattr(Path, "unlink", refusing(3, Path.unlink))
    swapping.replace(fresh, target)
    assert target.read_text() == "new"
    swapping.remove(target)
    swapping.remove(target)  # it is gone: that is what was wanted
    assert not target.exists()


def test_what_stays_refused_is_an_error(tmp_path, monkeypatch):
    fresh, target = files(tmp_path)
    monkeypatch.setattr(Path, "replace", refusing(10**6, Path.replace))
    with pytest.raises(PermissionError):
        swapping.replace(fresh, target)
    assert target.read_text() == "old"
