"""The process's log: one line per request, no code, no path, no key; rotates."""

import logging
import logging.handlers
import os
import re
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from dcomplete.serve.jobs import Record
from dcomplete.serve.places import private

_PLAIN = re.compile(r"[\w.@-]{1,64}", re.ASCII)
_SIZE, _OLD = 1_000_000, 2  # bytes of a file, and how many older ones are kept


def line(record: Record) -> str:
    """A record as ``name=value`` pairs."""
    times = " ".join(
        f"{name}={getattr(record, name):.1f}"
        for name in ("queue_ms", "load_ms", "prefill_ms", "denoise_ms", "total_ms")
    )
    return (
        f"id={plain(record.id)} model={plain(record.model)} background={int(record.background)} "
        f"outcome={record.outcome} steps={record.steps} forwards={record.forwards} "
        f"tokens_computed={record.tokens_computed} {times}"
    )


def plain(name: str) -> str:
    """A name as it is, but no path and no text that a client could hide in one."""
    if not name:
        return "-"
    return name if _PLAIN.fullmatch(name) else "(other)"


class _Rotating(logging.handlers.RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        os.close(private(self.baseFilename, os.O_WRONLY | os.O_CREAT))
        return super()._open()

    def doRollover(self) -> None:
        """Where a file cannot be renamed, as on Windows while somebody reads it, the log grows on."""
        with suppress(OSError):
            super().doRollover()


class Journal:
    """Writes to `path`. A full disk or a folder without permission stops the log, not the engine."""

    def __init__(self, path: Path) -> None:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logger = logging.getLogger("dcomplete.serve")
        self._handler = _Rotating(
            path, maxBytes=_SIZE, backupCount=_OLD, encoding="utf-8", delay=True
        )
        self._handler.handleError = lambda record: None  # type: ignore[method-assign]
        form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
        self._handler.setFormatter(form)
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.INFO)
        self._before, self._logger.propagate = self._logger.propagate, False

    def write(self, record: Record) -> None:
        """One line about a request that ended."""
        self._logger.info("%s", line(record))

    def say(self, sentence: str) -> None:
        """One line about the process."""
        self._logger.info("%s", sentence)

    def close(self) -> None:
        """Close the file."""
        self._logger.removeHandler(self._handler)
        self._logger.propagate = self._before
        with suppress(OSError):
            self._handler.close()
