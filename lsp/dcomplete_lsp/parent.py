"""The editor's process: when it is gone, its server ends, though its pipes may still be open."""

import asyncio
import logging
from collections.abc import Callable

_EVERY_S = 0.5

log = logging.getLogger(__name__)


async def watch(process: int | None, stop: Callable[[], None]) -> None:
    """Call `stop` when `process` is gone.

    A number that nobody has here is of another machine or container, and is not watched.
    """
    if process is None or not alive(process):
        return
    while alive(process):
        await asyncio.sleep(_EVERY_S)
    log.info("The editor's process is gone.")
    stop()


def alive(process: int) -> bool:
    """Whether a process runs; one that ended and is not yet collected does not."""
    import psutil

    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False
