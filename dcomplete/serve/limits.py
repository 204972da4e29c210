"""How much a scheduler takes on, and when it lets go of memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`active` requests take turns, `waiting` more may queue; idle weights go after seconds."""

    active: int = 4
    waiting: int = 32
    unload_after: float = 300.0
    rest_after: float = 5.0  # seconds of a pause in which memory is given back

    def patience(self, rested: bool) -> float:
        """Seconds without orders until something is to be done."""
        return self.unload_after if rested else min(self.unload_after, self.rest_after)
