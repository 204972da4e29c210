"""Everything that dcomplete raises on purpose.

DcompleteError
├── UserError             the caller can mend it, in one sentence; exit status 2
│   ├── ModelError        a checkpoint is missing, damaged, unknown or too big
│   └── DocumentError     a file, position or marker does not fit
├── Refusal               nothing to suggest here, with a reason; command-line exit status 1
└── Cancelled             the caller no longer wants the answer
"""

import os
import sys
from enum import Enum

_FIRST_OF_SOCKETS = 10_000  # WSABASEERR


class DcompleteError(Exception):
    """Base of all errors raised on purpose."""


class UserError(DcompleteError):
    """The caller's input is wrong; the message says what to do about it."""


class ModelError(UserError):
    """A model cannot be found, read or run."""


class DocumentError(UserError):
    """A document, position or gap marker cannot be used."""


def system_words(number: int) -> str:
    """What the system calls an error number; Windows keeps its names for those of sockets elsewhere."""
    if sys.platform == "win32" and number >= _FIRST_OF_SOCKETS:
        import ctypes

        return ctypes.FormatError(number).strip(" .\r\n")
    return os.strerror(number)


def first_line(error: Exception, limit: int = 160) -> str:
    """What an error of others says, without its traceback and advice: for sentences of our own."""
    return (str(error).strip().splitlines() or [""])[0][:limit]


class Reason(Enum):
    """Why there is no suggestion: for status lines, logs and counts."""

    DISABLED = "disabled"  # by the user's settings, for this language or file
    PRIVATE = "private"  # a secret or ignored file
    TOO_LARGE = "too-large"
    WORD_FOLLOWS = "word-follows"  # the cursor stands before or inside a word
    TEXT_FOLLOWS = "text-follows"  # too much stands right of the cursor
    STATEMENT_ENDED = "statement-ended"  # nothing is missing here
    BLANK = "blank"  # an empty place in an empty surrounding
    POPUP = "popup"  # the selected popup item does not fit the text
    NOTHING = "nothing"  # the model says that nothing belongs here
    FILTERED = "filtered"  # what the model says would not help
    UNSURE = "unsure"  # the model is not sure enough
    SUPERSEDED = "superseded"  # a newer request took its place
    BUSY = "busy"  # the engine's queue is full
    LOADING = "loading"  # the model is being loaded
    NO_ENGINE = "no-engine"  # the engine process cannot be reached


class Refusal(DcompleteError):
    """There is nothing to suggest; the message is the reason, `reason` its kind."""

    def __init__(self, message: str, reason: Reason = Reason.NOTHING) -> None:
        super().__init__(message)
        self.reason = reason


class Cancelled(DcompleteError):
    """The caller cancelled between two denoise steps."""
