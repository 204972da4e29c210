"""Earlier suggestions that still fit: typing through them, deleting back, accepting word by word.

An entry says: in this document, with B before and A after, T was suggested (in place of what stood
between). It fits as long as the text before the gap is a prefix of B + T and the text after the gap
ends in A; inserting what remains then gives B + T + A, to the character.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

from dcomplete.document import CLOSERS, Snapshot
from dcomplete.types import Suggestion

NEAR = 512  # code points kept and compared as they are; what is farther away is a hash
BACK = 64  # code points that may be deleted before the place of a suggestion
RECENT = 8  # entries of a document that may be a draft; older ones cost time and are rarely right
AUTOMATIC = 8  # closers that an editor may have inserted by itself
_LONGEST = 75  # code points of a line of them, with its line break
_OWN_LINE = re.compile(r"\r?\n[ \t]{0,64}[)\]}]{1,8}$")  # of closers, made by Enter before them
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Text:
    """A long text that can be recognised: its length, the end that is near the gap, and a hash."""

    length: int
    near: str
    far: int

    @classmethod
    def before(cls, text: str) -> "Text":
        cut = max(0, len(text) - NEAR)
        return cls(len(text), text[cut:], hash(text[:cut]))

    @classmethod
    def after(cls, text: str) -> "Text":
        return cls(len(text), text[:NEAR], hash(text[NEAR:]))


@dataclass(frozen=True, slots=True)
class Remembered:
    """One suggestion and its place: what was before it, what it replaces, and what was after it.

    `back` code points may be deleted before it.
    """

    uri: str
    suggestion: Suggestion
    before: Text
    replaced: str  # of the suffix, right behind the gap
    after: Text
    back: int = BACK


class Suggestions:
    """The most recent suggestions, `limit` at most. Not thread-safe."""

    def __init__(self, limit: int = 64) -> None:
        self.limit = limit
        self._entries: OrderedDict[int, Remembered] = OrderedDict()
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._entries)

    def put(
        self, snapshot: Snapshot, suggestions: Sequence[Suggestion], ahead: bool = False
    ) -> None:
        """Remember what was suggested for a snapshot, best first; texts have the document's line ends.

        What was computed `ahead` fits from its place on only, until it is found there: before it
        another suggestion is on screen, which would grow while somebody types it.
        """
        for suggestion in reversed(suggestions):
            self._entries[next(self._numbers)] = Remembered(
                snapshot.uri,
                replace(suggestion, infill=None),
                Text.before(snapshot.text[: suggestion.start]),
                snapshot.text[snapshot.gap.end : suggestion.end],
                Text.after(snapshot.text[max(suggestion.end, snapshot.gap.end) :]),
                0 if ahead else BACK,
            )
        while len(self._entries) > self.limit:
            self._entries.popitem(last=False)

    def find(self, snapshot: Snapshot) -> list[Suggestion]:
        """What still fits, the latest first, each cut by what was typed; [] if nothing does.

        Who asks wants whole answers.
        """
        found: dict[tuple[int, int, str], Suggestion] = {}
        hits = self._fitting(snapshot)
        for _, one in hits:
            found.setdefault((one.start, one.end, one.text), one)
        for number, _ in reversed(hits):
            self._entries[number] = replace(self._entries[number], back=BACK)
            self._entries.move_to_end(number)
        return list(found.values())

    def knows(self, snapshot: Snapshot) -> bool:
        """Whether something fits, for whoever does not show it: `find` counts as having shown it."""
        return bool(self._fitting(snapshot))

    def _fitting(self, snapshot: Snapshot) -> list[tuple[int, Suggestion]]:
        found = []
        for number, entry in self._of(snapshot.uri):
            if entry.suggestion.unsure and not snapshot.automatic:
                continue
            if suggestion := _remaining(entry, snapshot):
                found.append((number, suggestion))
        return found

    def draft(self, snapshot: Snapshot) -> str | None:
        """What could still be wanted of a suggestion from which the typed text has diverged."""
        place = _Place.of(snapshot)
        for _, entry in islice(self._of(snapshot.uri), RECENT):
            typed = _typed(entry, place)
            if (
                typed is None
                or entry.suggestion.text.startswith(typed)
                or _between(entry, place) is None
            ):
                continue
            if draft := _after_divergence(entry.suggestion.text, typed):
                return draft.replace("\r\n", "\n")
        return None

    def forget(self, uri: str) -> None:
        """Drop everything about a document."""
        for number, _ in list(self._of(uri)):
            del self._entries[number]

    def get(self, id: str) -> Suggestion | None:
        """The suggestion as it was put, if it is still remembered."""
        entries = reversed(self._entries.values())
        return next((e.suggestion for e in entries if e.suggestion.id == id), None)

    def _of(self, uri: str) -> Iterator[tuple[int, Remembered]]:
        """The entries of a document, the latest first."""
        return iter([item for item in reversed(self._entries.items()) if item[1].uri == uri])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a suggestion would go now: the text it replaces ends at `end` at the least."""

    text: str
    start: int
    end: int
    typed: str  # what the suggestion must begin with: the item selected in the editor's popup

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Place":
        start, end, typed = snapshot.gap.start, snapshot.gap.end, ""
        if snapshot.selected:
            start, selected_end, typed = snapshot.selected
            end = max(end, selected_end)
        return cls(snapshot.text, start, end, typed)


def _remaining(entry: Remembered, snapshot: Snapshot) -> Suggestion | None:
    """The part of an entry's suggestion that is not typed yet, if it fits the document."""
    place = _Place.of(snapshot)
    far = entry.before.length - len(entry.before.near)
    if place.start < max(far, entry.before.length - entry.back):
        return None
    known = entry.before.near + entry.suggestion.text
    here = place.text[far : place.start]
    if not known.startswith(here) or hash(place.text[:far]) != entry.before.far:
        return None
    found = _between(entry, place)
    if found is None:
        return None
    between, below = found
    text = known[len(here) :].removesuffix(below)
    if not text.strip() or not text.startswith(place.typed):
        return None
    end = place.end + len(between)
    if not entry.replaced.endswith(between):
        closed = _typed_of(between, text)
        if closed < len(between) and not _opened(between[closed:], entry, here):
            return None  # an inserted closer that the text does not type
        end = place.end + closed
    if text == place.text[place.start : end]:
        return None
    return replace(entry.suggestion, text=text, start=place.start, end=end, source="cache")


def _typed_of(closers: str, text: str) -> int:
    """How many of the closers `text` types, from the first."""
    letters = iter(text)
    return next((n for n, closer in enumerate(closers) if closer not in letters), len(closers))


def _opened(closers: str, entry: Remembered, here: str) -> bool:
    """Whether these belong to openers that were typed as part of a beginning, which ends before they are
    closed: they stay."""
    typed = here[len(entry.before.near) :]
    enough = all(typed.count(CLOSERS[one]) >= closers.count(one) for one in set(closers))
    return entry.suggestion.unsure and enough


def _between(entry: Remembered, place: _Place) -> tuple[str, str] | None:
    """What stands between the gap and the entry's text after, on the line and below it; None where the
    text after has changed.

    On the line it is what the entry replaces or the end of it, behind closers that the editor inserted;
    below it a line of such closers with which the suggestion ends as well. The beginning of an answer ends
    above such a line.
    """
    start = len(place.text) - entry.after.length
    if not 0 <= start - place.end <= len(entry.replaced) + _LONGEST:
        return None
    near = len(entry.after.near)
    if place.text[start : start + near] != entry.after.near:
        return None
    if hash(place.text[start + near :]) != entry.after.far:
        return None
    between = place.text[place.end : start]
    own = _OWN_LINE.search(between)
    below = own[0] if own and entry.suggestion.text.endswith(own[0]) else ""
    above = own[0] if own and not below and entry.suggestion.unsure else ""
    line = between.removesuffix(below).removesuffix(above)
    closers = line.removesuffix(entry.replaced)
    fits = len(closers) <= AUTOMATIC and set(closers) <= CLOSERS.keys()
    return (line, below) if fits or entry.replaced.endswith(line) else None


def _typed(entry: Remembered, place: _Place) -> str | None:
    """What was typed since at the entry's place; None where the text before has changed."""
    far = entry.before.length - len(entry.before.near)
    here = place.text[far : place.start]
    if len(here) - len(entry.before.near) > NEAR or not here.startswith(entry.before.near):
        return None
    if hash(place.text[:far]) != entry.before.far:
        return None
    return here[len(entry.before.near) :]


def _after_divergence(text: str, typed: str) -> str | None:
    """The part of `text` that may follow `typed`, which went another way at some point.

    Another word takes the place of the suggested one; after more than a word, the text goes on behind
    the last typed word or sign that it holds too.
    """
    same = 0
    while same < min(len(text), len(typed)) and text[same] == typed[same]:
        same += 1
    start = same
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    own, theirs = _WORD.match(typed, start), _WORD.match(text, start)
    if own and own.end() == len(typed):
        rest = text[theirs.end() :] if theirs else text[start:]
        return rest if rest.strip() else None
    last = re.search(r"(?:\w+|[^\w\s])\s*$", typed[start:])
    found = text.find(last.group(), start) if last else -1
    rest = text[found + len(last.group()) :] if last and found >= 0 else ""
    return rest if rest.strip() else None


def distinct(suggestions: list[Suggestion]) -> list[Suggestion]:
    """Without repetitions of the same change; the first of each is kept."""
    found: dict[tuple[str, int, int], Suggestion] = {}
    for suggestion in suggestions:
        found.setdefault((suggestion.text, suggestion.start, suggestion.end), suggestion)
    return list(found.values())
