"""Everything that dcomplete raises on purpose.

DcompleteError
├── UserError             the caller can mend it, in one sentence; exit status 2
│   ├── ModelError        a checkpoint is missing, damaged, unknown or too big
│   └── DocumentError     a file, position or marker does not fit
├── Refusal               nothing to suggest here, with a reason; command-line exit status 1
└── Cancelled             the caller no longer wants the answer
"""


class DcompleteError(Exception):
    """Base of all errors raised on purpose."""


class UserError(DcompleteError):
    """The caller's input is wrong; the message says what to do about it."""


class ModelError(UserError):
    """A model cannot be found, read or run."""


class DocumentError(UserError):
    """A document, position or gap marker cannot be used."""


class Refusal(DcompleteError):
    """There is nothing to suggest; the message is the reason."""


class Cancelled(DcompleteError):
    """The caller cancelled between two denoise steps."""
