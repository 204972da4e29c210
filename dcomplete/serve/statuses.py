"""What the engine says about itself."""

import os
import time

from dcomplete import __version__
from dcomplete.serve.orders import PROTOCOL, Status
from dcomplete.serve.schedule import Scheduler


def status_of(scheduler: Scheduler, started: float, version: str = __version__) -> Status:
    """The status of this process and its scheduler; `started` is a `time.monotonic()` moment."""
    load = scheduler.now()
    return Status(
        pid=os.getpid(),
        version=version,
        protocol=PROTOCOL,
        uptime_s=time.monotonic() - started,
        idle_s=scheduler.idle_for(),
        state=load.state,
        ending=load.ending,
        models=load.models,
        active=load.active,
        waiting=load.waiting,
        waiting_background=load.waiting_background,
        counts=load.counts,
        tokens_computed=load.tokens_computed,
        memory_bytes=_resident_bytes(),
    )


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
