"""A trace replayed with a contestant: what its suggestions would have been worth to the author."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dcomplete.provenance import commit, processor
from dcomplete_eval.replay.clocks import Clock, RealClock, VirtualClock
from dcomplete_eval.replay.figures import summary
from dcomplete_eval.replay.history import History
from dcomplete_eval.replay.simulate import Event, Habits, Ledger, Simulation
from dcomplete_eval.replay.tempo import gaps
from dcomplete_eval.types import Contestant


@dataclass(frozen=True, slots=True)
class Timing:
    """Which clock runs. `latency_ms` is for the virtual one; None: as measured."""

    real: bool
    latency_ms: float | None
    seed: int


def replay(
    history: History,
    make: Callable[[], Contestant],
    habits: Habits,
    timing: Timing,
    bar: bool = True,
) -> tuple[dict[str, Any], list[Event]]:
    """One trace with one contestant: the result line, and every request."""
    clock: Clock
    if timing.real:
        clock = RealClock(make)
        rival = clock.contestant
    else:
        rival = make()
        clock = VirtualClock(rival, timing.latency_ms)
    try:
        name, settings = rival.name, rival.settings()
        between = gaps(history.trace.seconds, timing.seed)
        simulation = Simulation(history, clock, habits, between)
        ledger = _typed(simulation, f"{history.trace.name}, {name}", bar)
    finally:
        clock.close()
    line = {
        "bench": "usefulness",
        "commit": commit(),
        "machine": processor(),
        "device": settings.get("device"),
        "dtype": settings.get("dtype"),
        "contestant": name,
        "settings": settings,
        "trace": history.trace.name,
        "language": history.trace.language,
        "clock": "real" if timing.real else "virtual",
        "latency_ms": timing.latency_ms,
        "speed": habits.speed,
        "seed": timing.seed,
    }
    return line | summary(ledger, habits, simulation.minutes()), ledger.events


def _typed(simulation: Simulation, title: str, bar: bool) -> Ledger:
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not bar) as progress:
        task = progress.add_task("", total=simulation.count)
        return simulation.run(lambda done: progress.update(task, completed=done))
