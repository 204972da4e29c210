"""What a request's failure is called, and where it happened, without any text of the request."""

import traceback
from pathlib import PurePath

from dcomplete.errors import DcompleteError, Reason, Refusal, UserError
from dcomplete.serve.orders import EngineFault


def newer() -> Refusal:
    """To an order whose document has a newer one."""
    return Refusal("A newer request took its place.", Reason.SUPERSEDED)


def full() -> Refusal:
    """To an order that found too many before it."""
    return Refusal("The engine has too many requests waiting; try again.", Reason.BUSY)


def broken() -> Refusal:
    """To those that waited for a thread that is no more; a client asks the next engine."""
    return Refusal("The engine broke; its log says where.", Reason.NO_ENGINE)


def is_out_of_memory(error: BaseException) -> bool:
    """True for Python's error and for torch's, which this room does not import."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def as_answer(error: BaseException) -> DcompleteError:
    """The error that the caller gets. Messages of unexpected errors may hold code: not passed on."""
    if isinstance(error, DcompleteError):
        return error.with_traceback(None)  # its frames would keep tensors alive
    if is_out_of_memory(error):
        return UserError(
            "Not enough memory for this request; use a smaller model or a shorter context."
        )
    return EngineFault(f"The engine failed with {type(error).__name__}; its log says where.")


def place_of(error: BaseException) -> str:
    """The innermost function that failed, as ``file:line function``; no folder, no message."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    last = frames[-1]
    return f"{PurePath(last.filename).name}:{last.lineno} {last.name}"
