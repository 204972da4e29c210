"""Memory that is free goes back to the system.

A document's text is copied with every edit. The C library keeps the freed pieces for later, in holes that
no later text fits quite, so a server that leaks nothing grew by a tenth in 10,000 keystrokes.
"""

import ctypes
import sys
from contextlib import suppress

EVERY = 256  # messages; giving back takes about a millisecond
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # glibc's M_ARENA_MAX, M_MMAP_THRESHOLD
_LARGE = 16 * 1024  # bytes: a piece of this size is the system's own again once it is free


class Thrift:
    """Counts messages and gives free memory back now and then; does nothing without glibc."""

    def __init__(self, every: int = EVERY) -> None:
        self._every, self._count = every, 0
        self._library = ctypes.CDLL(None) if sys.platform == "linux" else None
        with suppress(AttributeError):
            if self._library is not None:
                self._library.mallopt(_ARENA_MAX, 1)  # threads here allocate little
                self._library.mallopt(_MMAP_THRESHOLD, _LARGE)

    def tick(self) -> bool:
        """Call once a message; whether memory was given back this time."""
        self._count += 1
        if self._library is None or self._count % self._every:
            return False
        with suppress(AttributeError):
            self._library.malloc_trim(0)
            return True
        return False
