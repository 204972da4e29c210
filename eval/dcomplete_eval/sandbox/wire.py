"""What the guard and the program say to each other inside the sandbox: plain data, as JSON, over pipes.

Standard library only, and little of it: importing is most of what a run costs. Each side builds values
itself from JSON, so no class of the program's, with an `==` of its own, ever reaches a test; and
nothing that is received is executed.
"""

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Set, ValuesView
from typing import Any

_LARGEST = 16 << 20  # bytes of one message


class Gone(BaseException):
    """The other side has ended, or says what makes no sense."""


class Link:
    """Two open files to the other side."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing

    def send(self, message: Any) -> None:
        """Send one message. Raises Gone."""
        data = json.dumps(message).encode()
        data = len(data).to_bytes(8, "big") + data
        try:
            while data:
                data = data[os.write(self.writing, data) :]
        except OSError as error:
            raise Gone from error

    def receive(self) -> Any:
        """Wait for one message. Raises Gone."""
        try:
            size = int.from_bytes(exactly(self.reading, 8), "big")
            if size > _LARGEST:
                raise Gone
            return json.loads(exactly(self.reading, size))
        except (OSError, ValueError, RecursionError) as error:
            raise Gone from error


def exactly(file: int, size: int) -> bytes:
    """So many bytes of an open file, not one more. Raises Gone where it ends before."""
    parts = []
    while size:
        part = os.read(file, min(size, 1 << 20))
        if not part:
            raise Gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def plain(value: Any) -> Any:
    """`value` as JSON, with a {kind: ...} object for what JSON has no word for.

    Subclasses become their base, iterators what is left in them. Raises TypeError for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    base: type
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {"dict": [[plain(k), plain(v)] for k, v in value.items()]}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    for base in (tuple, frozenset, set, deque, bytes, bytearray):
        if isinstance(value, base):
            return {base.__name__: [plain(v) for v in value]}
    if isinstance(value, Iterator | Set | ValuesView):
        return {"iter": [plain(v) for v in value]}
    for module, name in (("decimal", "Decimal"), ("fractions", "Fraction")):
        if module in sys.modules and isinstance(value, getattr(sys.modules[module], name)):
            return {name: str(value)}
    raise TypeError(f"a {type(value).__name__} is not plain data")


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _fraction(text: str) -> Any:
    from fractions import Fraction

    return Fraction(text)


_BUILD: dict[str, Callable[[Any], Any]] = {
    "dict": lambda pairs: {k: v for k, v in pairs},  # noqa: C416 - pairs are lists
    "complex": lambda parts: complex(*parts),
    "range": lambda parts: range(*parts),
    "bytes": bytes,
    "bytearray": bytearray,
    "Decimal": _decimal,
    "Fraction": _fraction,
    "tuple": tuple,
    "frozenset": frozenset,
    "set": set,
    "deque": deque,
    "iter": iter,
}


def built(data: Any) -> Any:
    """The value that `plain` wrote. Raises Gone where it did not."""
    if isinstance(data, list):
        return [built(v) for v in data]
    if not isinstance(data, dict):
        return data
    try:
        ((kind, inner),) = data.items()
        return _BUILD[kind](built(inner))
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise Gone from error
