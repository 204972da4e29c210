"""Result files of JSON lines: found to be writable before a long job, and grown by each line at once."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError


def check(*paths: Path | None) -> None:
    """Raise UserError for a file that will not take lines, before hours were spent on them."""
    for path in filter(None, paths):
        fresh = not path.exists()
        _write(path, "")
        if fresh:
            path.unlink()  # a job that comes to nothing leaves nothing


def append(path: Path | None, *lines: Mapping[str, Any]) -> None:
    """Add lines to a file, if there is one; raises UserError where that is not possible."""
    if path is not None:
        _write(path, "".join(json.dumps(line) + "\n" for line in lines))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file, _alone(file):
            write_all(file, text.encode())
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}.") from None


def write_all(file: FileIO, data: bytes) -> None:
    """All of `data` or none: the next line must not begin behind a piece of this one."""
    done = 0
    try:
        while done < len(data):  # a disk that is nearly full takes a part
            done += file.write(data[done:])
    except BaseException:
        if done and file.tell() == os.fstat(file.fileno()).st_size:  # nobody wrote behind it
            file.truncate(file.tell() - done)
        raise


if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 40  # a byte that no result is written to: locked bytes cannot be read

    @contextmanager
    def _alone(file: FileIO) -> Iterator[None]:
        """Windows looks for the end of the file and writes there in two steps."""
        file.seek(_BEYOND)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.seek(_BEYOND)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    @contextmanager
    def _alone(file: FileIO) -> Iterator[None]:
        """Elsewhere one write is one step, but not where a disk is full."""
        with suppress(OSError):  # some disks of other machines know no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
