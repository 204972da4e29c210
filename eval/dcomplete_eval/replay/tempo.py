"""When each keystroke was made, though the traces keep whole seconds only."""

import math
from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise
from random import Random

_MEDIAN_S, _SIGMA = 0.2, 0.5  # of the times between keys while typing
_ROOM_S = 0.999


def moments(seconds: Sequence[int], seed: int) -> list[float]:
    """Seconds of every keystroke, never falling, each within its recorded second.

    The times between keys inside a second are drawn from a log-normal law, which fits free typing
    well (Gonzalez and others, Heliyon 2021), with the median of a typist of some 52 words a minute
    (Dhakal and others, CHI 2018); a second with more keys than that law allows is typed faster.
    """
    draw = Random(f"{seed}:tempo")
    found: list[float] = []
    for second, group in groupby(accumulate(seconds, max)):
        count = len(list(group))
        steps = [draw.lognormvariate(math.log(_MEDIAN_S), _SIGMA) for _ in range(count)]
        scale = min(1.0, _ROOM_S / sum(steps))  # the last step leads to the next second
        *offsets, whole = accumulate((step * scale for step in steps), initial=0.0)
        start = second + draw.uniform(0.0, max(0.0, _ROOM_S - whole))
        found += [start + offset for offset in offsets]
    return found


def gaps(seconds: Sequence[int], seed: int) -> list[float]:
    """Seconds from each keystroke to the next; the last is followed by none."""
    return [after - before for before, after in pairwise(moments(seconds, seed))] + [math.inf]
