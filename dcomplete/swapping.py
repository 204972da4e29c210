"""Files that other programs look at: put in place, or taken away, as soon as nobody has them open.

Windows refuses both while another program reads the file, as clients and virus scanners do for a moment.
"""

import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE_S, _POLL_S = 0.5, 0.02


def replace(fresh: Path, target: Path) -> None:
    """Put `fresh` in the place of `target`; raises OSError where that stays refused."""
    _patiently(lambda: fresh.replace(target))


def remove(path: Path) -> None:
    """Delete a file, if there is one; raises OSError where that stays refused."""
    _patiently(lambda: path.unlink(missing_ok=True))


def _patiently(act: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            act()
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return
