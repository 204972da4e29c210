"""A simulated author types a trace again and takes what is right of what a contestant suggests."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dcomplete_eval.replay.accepting import taken
from dcomplete_eval.replay.clocks import Clock, Reply
from dcomplete_eval.replay.history import History, Letter
from dcomplete_eval.replay.survival import Identities
from dcomplete_eval.replay.trace import is_typing
from dcomplete_eval.types import Task

STRETCH = 100  # keystrokes: what is drawn when sampling, and what intervals resample
_REST_S = 2.0  # a longer pause is no typing


@dataclass(frozen=True, slots=True)
class Habits:
    """When the editor asks and what the author takes. Times in seconds.

    It asks behind every keystroke after which nothing is typed for `debounce`. With a `pause` it asks
    only where the author stopped for so long and then goes on writing, and there, as if a key was
    pressed: most who pause go on elsewhere, and the traces do not say when the cursor went.

    Of the stretches of `STRETCH` keystrokes every `every`-th is asked about and counted.
    """

    debounce: float = 0.075
    pause: float = 0.0
    rule: str = "line"
    least: int = 3
    every: int = 1
    keystrokes: int = 0  # from the start; 0: all
    speed: float = 1.0  # times as fast as it was typed
    longest: float = math.inf  # to which pauses are cut before that

    def paced(self, gap: float) -> float:
        """A recorded time between keystrokes as this author takes it."""
        return min(gap, self.longest) / self.speed


@dataclass(frozen=True, slots=True)
class Event:
    """One request. Characters count the suggestion's; `would` is what a late answer was worth."""

    stroke: int
    outcome: str  # shown, stale, nothing, error
    ms: float | None
    text: str = ""
    truth: str = ""
    taken: int = 0
    kept: int = 0  # of the taken ones, there at the trace's end
    strokes: int = 0  # keystrokes that the author was spared, the accepting one not counted
    would: int | None = None
    fits_end: bool | None = None  # whether it is what stands there at the trace's end
    forwards: int | None = None


@dataclass(slots=True)
class Stretch:
    """Sums over one stretch of keystrokes."""

    strokes: int = 0
    typed: int = 0
    completed: int = 0
    saved: int = 0
    kept: int = 0  # of the completed ones, there at the trace's end
    spared: int = 0  # strokes that were not typed, less the accepting ones


@dataclass(slots=True)
class Ledger:
    """What a replay found."""

    events: list[Event] = field(default_factory=list)
    stretches: dict[int, Stretch] = field(default_factory=dict)


class Simulation:
    """One trace, one contestant behind a clock."""

    def __init__(
        self, history: History, clock: Clock, habits: Habits, gaps: Sequence[float]
    ) -> None:
        self._history, self._clock, self._habits, self._gaps = history, clock, habits, gaps
        self._strokes = history.trace.keystrokes
        self.count = min(habits.keystrokes or len(self._strokes), len(self._strokes))
        self._now = Identities(history.trace.start)
        self.ledger = Ledger()
        for index, edit in enumerate(history.edits[: self.count]):
            if self._counted(index):
                stretch = self.ledger.stretches.setdefault(index // STRETCH, Stretch())
                stretch.strokes += 1
                stretch.typed += edit.typed if edit is not None else 0

    def run(self, told: Callable[[int], None] = lambda done: None) -> Ledger:
        """Type everything; `told` hears how many keystrokes are done."""
        index = 0
        while index < self.count:
            self._wait(index)
            self._now.apply(self._strokes[index])
            while (reached := self._asked(index)) is not None:
                for stroke in self._strokes[index + 1 : reached + 1]:
                    self._now.apply(stroke)
                index = reached
                self._clock.strike()
            index += 1
            told(min(index, self.count))
        return self.ledger

    def _wait(self, index: int) -> None:
        """For a keystroke. Those that do not count take no time."""
        if index and self._counted(index - 1):
            self._clock.stroke(self._habits.paced(self._gaps[index - 1]))
        elif self._counted(index):
            self._clock.strike()

    def minutes(self) -> float:
        """Of typing that was asked about, pauses cut to two seconds."""
        gaps = [self._habits.paced(g) for i, g in enumerate(self._gaps) if self._counted(i)]
        return sum(min(gap, _REST_S) for gap in gaps if math.isfinite(gap)) / 60

    def _counted(self, index: int) -> bool:
        return index < self.count and index // STRETCH % self._habits.every == 0

    def _asked(self, index: int) -> int | None:
        """Ask behind a keystroke where an editor would; the keystroke that an acceptance reaches."""
        spot = self._spot(index)
        if spot is None:
            return None
        ahead = self._history.written(spot, index + 1)
        gap = self._habits.paced(self._gaps[index])
        reply = self._clock.ask(self._task(index, spot, ahead), self._habits.debounce, gap)
        event = self._event(index, spot, ahead, reply)
        self.ledger.events.append(event)
        if not event.taken:
            return None
        return self._accept(index, ahead[: event.taken])

    def _accept(self, index: int, used: Sequence[Letter]) -> int:
        """Count what was taken, in stretches that count, and return the keystroke it reaches."""
        reached = max(letter.stroke for letter in used)
        for letter in used:
            if self._counted(letter.stroke):
                stretch = self.ledger.stretches[letter.stroke // STRETCH]
                stretch.completed += 1
                stretch.saved += 1
                stretch.kept += self._history.kept(letter)
        for stroke in filter(self._counted, range(index + 1, reached + 1)):
            self.ledger.stretches[stroke // STRETCH].spared += 1
        here = self.ledger.stretches[index // STRETCH]
        here.saved -= 1  # the accepting key
        here.spared -= 1
        return reached

    def _spot(self, index: int) -> int | None:
        """Where is asked behind a keystroke, if anywhere."""
        gap, here = self._gaps[index], self._history.edits[index]
        if not self._counted(index) or self._habits.paced(gap) < self._habits.debounce:
            return None
        if not self._habits.pause:
            return here.cursor if here is not None and is_typing(self._strokes[index]) else None
        if gap < self._habits.pause or index + 1 == len(self._strokes):
            return None
        after = self._history.edits[index + 1]
        return after.at if after is not None and after.typed and not after.deleted else None

    def _task(self, index: int, spot: int, ahead: Sequence[Letter]) -> Task:
        trace, text = self._history.trace, self._now.text
        return Task(
            id=f"{trace.name}:{index}",
            benchmark=f"replay:{trace.name}",
            group=f"{trace.name}:{index // STRETCH}",
            prefix=text[:spot],
            suffix=text[spot:],
            gold="".join(letter.text for letter in ahead),
            language=trace.language,
            kind="pause" if self._habits.pause else "keystroke",
        )

    def _event(self, index: int, spot: int, ahead: Sequence[Letter], reply: Reply) -> Event:
        answer, truth = reply.answer, "".join(letter.text for letter in ahead)
        if answer is None:
            return Event(index, "stale", reply.ms, truth=truth)
        found = answer.text
        worth = taken(self._habits.rule, self._habits.least, found, truth)
        if reply.stale or answer.error or not found.strip():
            outcome = "stale" if reply.stale else "error" if answer.error else "nothing"
            return Event(
                index, outcome, reply.ms, found, truth, would=worth, forwards=answer.forwards
            )
        used = ahead[:worth]
        spared = max((letter.stroke for letter in used), default=index) - index
        return Event(
            stroke=index,
            outcome="shown",
            ms=reply.ms,
            text=found,
            truth=truth,
            taken=worth,
            kept=sum(self._history.kept(letter) for letter in used),
            strokes=spared,
            fits_end=self._fits_end(spot, found),
            forwards=answer.forwards,
        )

    def _fits_end(self, cursor: int, text: str) -> bool | None:
        """Whether `text` is what the trace's end has between the neighbours that are left of it."""
        ids, place = self._now.ids, self._history.place
        left = place[ids[cursor - 1]] if cursor else -1
        if cursor and left < 0:
            return None
        right = next((p for i in range(cursor, len(ids)) if (p := place[ids[i]]) >= 0), None)
        there = self._history.end[left + 1 : right]
        return taken(self._habits.rule, self._habits.least, text, there) > 0
