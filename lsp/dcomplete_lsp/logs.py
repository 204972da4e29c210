"""The server's log: standard error or a file. Above debug level it holds no code, path or URI."""

import hashlib
import logging
import os
import traceback
from pathlib import Path

from dcomplete.errors import UserError

LEVELS = ("debug", "info", "warning", "error")
_NAMES = ("dcomplete_lsp", "dcomplete", "asyncio")


class _Terse(logging.Formatter):
    """Exceptions as type and place: their texts may quote code."""

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return f"{type(error).__name__} at {place(error)}" if error is not None else ""


def configure(level: str = "warning", file: Path | None = None) -> None:
    """Send the log of the server and of the house to `file` (readable by its owner) or stderr.

    Raises UserError for a file that cannot be written.
    """
    handler = logging.StreamHandler() if file is None else _in_file(file)
    debug = level == "debug"
    kind = logging.Formatter if debug else _Terse
    handler.setFormatter(kind("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in (*_NAMES, *(["pygls"] if debug else [])):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level.upper())
        logger.propagate = False
    if not debug:  # pygls logs parameters, which hold code, with every failure
        silent = logging.getLogger("pygls")
        silent.addHandler(logging.NullHandler())
        silent.propagate = False


def _in_file(file: Path) -> logging.Handler:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        return logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"The log {file} cannot be written: {error.strerror}.") from None


def name_of(uri: str) -> str:
    """A short name for a document that does not say which it is."""
    return hashlib.blake2b(uri.encode(errors="replace"), digest_size=4).hexdigest()


def place(error: BaseException) -> str:
    """Where an exception was raised, as module and line: no text, no path."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    name = frames[-1].filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}:{frames[-1].lineno}"
