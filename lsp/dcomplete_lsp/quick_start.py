"""Imports without the garbage collector.

The protocol's 570 generated classes make the collector run over and over while they are imported: it
is a fifth of the time from the start of the process to the answer to `initialize`.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect nothing inside the block; what it made is never looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
