"""A time limit that a busy or halted machine does not use up.

Wall time is for programs that sleep. Where the whole machine stands still (swapping, a paused virtual
machine) the harness does too, and counts little of it; where other programs keep a processor busy the
kernel says how long this one had to queue for it.
"""

import contextlib
import subprocess
import time
from pathlib import Path

_SLICE = 0.25  # seconds between looks
_ALONE = 3  # processes: bubblewrap, the guard, the program
_MOST = 10  # times the limit, whatever the reason


def ends(process: subprocess.Popen[bytes], data: bytes, limit: float) -> bool:
    """Feed `data` to a process; whether it ends within `limit` seconds that it could have used."""
    given: bytes | None = data
    start, counted = time.monotonic(), 0.0
    while True:
        before = time.monotonic()
        try:
            process.communicate(given, timeout=_SLICE)
        except subprocess.TimeoutExpired:
            given = None  # it goes on with what is left
        else:
            return True
        now = time.monotonic()
        counted += min(now - before, 2 * _SLICE)
        if counted >= limit and (
            now - start >= _MOST * limit or counted >= limit + queued(process.pid)
        ):
            return False


def queued(pid: int) -> float:
    """Seconds that a process, or one that it started, was ready but had no processor; the longest.

    0.0 where they are more than a sandbox has with one program in it, for then they stand in each
    other's way, and where the kernel does not say: see Documentation/scheduler/sched-stats.rst.
    """
    longest, found, at = 0.0, [pid], 0
    while at < len(found):
        place = Path(f"/proc/{found[at]}")
        at += 1
        with contextlib.suppress(OSError, ValueError, IndexError):  # it may just have ended
            longest = max(longest, int((place / "schedstat").read_text().split()[1]) / 1e9)
            children = (place / "task" / place.name / "children").read_text()
            found += map(int, children.split())
    return longest if len(found) <= _ALONE else 0.0
