"""What the author wrote next: a trace as edits at a cursor, and the truth behind every spot.

Truth at a spot is the text that stands there when the cursor leaves it, corrections applied: the
author goes on at the cursor, deletes backwards no further than the spot, and steps over brackets that
the editor closed. An edit elsewhere, a paste or an edit at several places ends it. The traces record
edits only: a cursor that leaves and comes back without one has not left.
"""

from dataclasses import dataclass, replace

from dcomplete_eval.replay.survival import PASTED, Identities, bare
from dcomplete_eval.replay.trace import Keystroke, Trace

FAR = 1000  # strokes behind a spot that are looked at; a suggestion is much shorter
_PAIRS = {"()", "[]", "{}", "<>", '""', "''", "``"}  # the editor closes what the author opens


@dataclass(frozen=True, slots=True)
class Edit:
    """A stroke at one place, without the part of the old text that it leaves as it was.

    `first` is the identity of the first inserted character; the others' follow. `typed` is how many
    characters count as typed: 0 for a paste.
    """

    at: int
    deleted: int
    text: str
    cursor: int
    first: int
    typed: int

    @property
    def pasted(self) -> bool:
        return bool(self.text) and not self.typed


@dataclass(frozen=True, slots=True)
class Letter:
    """A character of the truth: the stroke since which it stands behind the others, and its identity."""

    text: str
    stroke: int
    id: int


class History:
    """A trace read once: its edits, and which of its characters are there at its end."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.edits: list[Edit | None] = []  # None: at several places
        document = Identities(trace.start)
        for stroke in trace.keystrokes:
            self.edits.append(_edit(stroke, document.text, document.born))
            document.apply(stroke)
        self.end = document.text
        self.place = document.places()

    def ahead(self, stroke: int) -> list[Letter]:
        """The truth at the cursor behind `stroke`."""
        here = self.edits[stroke]
        return [] if here is None else self.written(here.cursor, stroke + 1)

    def written(self, start: int, first: int) -> list[Letter]:
        """What is written at offset `start` from stroke `first` on; `FAR` strokes are looked at."""
        cursor = start
        done: list[Letter] = []
        closed: list[Letter] = []  # closed by the editor, not yet stepped over; nearest last
        for number in range(first, min(first + FAR, len(self.edits))):
            edit = self.edits[number]
            if edit is None or edit.pasted or edit.at < start:
                break
            over = edit.at + edit.deleted - cursor
            if not 0 <= over <= len(closed):
                break
            done.extend(closed.pop() for _ in range(over))
            split = len(done) - edit.deleted
            if done[split:]:  # what the editor closed moves up
                closed = [replace(letter, stroke=number) for letter in closed]
            del done[split:]
            new = [Letter(c, number, edit.first + i) for i, c in enumerate(edit.text)]
            inner = edit.cursor - edit.at
            done.extend(new[:inner])
            closed.extend(reversed(new[inner:]))
            cursor = edit.cursor
        return done + closed[::-1]

    def kept(self, letter: Letter) -> bool:
        """Whether the character is still there at the trace's end."""
        return self.place[letter.id] >= 0


def typed_into(text: str, stroke: Keystroke) -> str:
    """`text` after a stroke."""
    for patch in stroke:
        text = text[: patch.at] + patch.text + text[patch.at + patch.deleted :]
    return text


def _edit(stroke: Keystroke, text: str, first: int) -> Edit | None:
    if len(stroke) != 1:
        return None
    patch = stroke[0]
    at, deleted, new = bare(patch.at, text[patch.at : patch.at + patch.deleted], patch.text)
    pasted = max(len(new), len(patch.text)) > PASTED or "\n" in new[1:]
    cursor = at + (1 if new in _PAIRS and not deleted else len(new))
    return Edit(at, deleted, new, cursor, first, 0 if pasted else len(new))
