"""How much of an answer that was chosen in a comparison is still there later.

The place is followed through the edits of its document. The share is Cody's persistence: one minus
the edit distance from what was taken to what is there, over the longer of the two.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from dcomplete.votes.types import CHECKS_S
from dcomplete_lsp.documents import Replaced

_PATIENCE_S = 60.0  # from the vote until the answer is in the text
_MOST_LINES = 2_000  # of a replacement that is looked at line by line
_MOST_PAIRS = 100_000  # of characters that are compared to find out what an edit left alone
_MOST_EQUAL = 20_000  # pairs of equal pieces that are all tried as anchors, a quarter of a second
_MOST_CELLS = 1_000_000  # of the table of edit distances, about half a second

Keep = Callable[[str, int, float], Awaitable[None]]  # pair, seconds, share


@dataclass(slots=True)
class _Mark:
    """A chosen answer in a document; offsets are code points of its present text."""

    id: str
    text: str
    start: int
    end: int
    until: float  # when waiting for it to be inserted ends
    taken: bool = False


class Retention:
    """Follows chosen answers and has `keep` called after each of the delays."""

    def __init__(self, keep: Keep, delays: Sequence[int] = CHECKS_S) -> None:
        self._keep = keep
        self._delays = delays
        self._marks: dict[str, list[_Mark]] = {}
        self._texts: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, id: str, uri: str, document: str, start: int, text: str) -> None:
        """`text` was chosen, to be put at `start` of the document by the editor or by a key."""
        if not text.strip():
            return
        mark = _Mark(id, text, start, start, time.monotonic() + _PATIENCE_S)
        self._texts[uri] = document
        self._marks.setdefault(uri, []).append(mark)
        self._look(uri, mark)

    def changed(self, uri: str, edits: Sequence[Replaced]) -> None:
        """A document was edited."""
        if uri not in self._marks:
            return
        for whole in edits:
            for edit in pieces(self._texts[uri], whole):
                old = self._texts[uri]
                self._texts[uri] = old[: edit.start] + edit.text + old[edit.end :]
                for mark in self._marks[uri]:
                    _follow(mark, edit)
        now = time.monotonic()
        for mark in list(self._marks[uri]):
            if not mark.taken and now > mark.until:
                self._drop(uri, mark)
            elif not mark.taken:
                self._look(uri, mark)

    def closed(self, uri: str) -> None:
        """What becomes of a closed document is not known."""
        self._marks.pop(uri, None)
        self._texts.pop(uri, None)

    def close(self) -> None:
        """Stop waiting."""
        for task in self._tasks:
            task.cancel()

    def _look(self, uri: str, mark: _Mark) -> None:
        """Whether the answer has been inserted; editors write it with the document's line ends."""
        for text in (mark.text, mark.text.replace("\r\n", "\n").replace("\n", "\r\n")):
            if self._texts[uri].startswith(text, mark.start):
                mark.taken, mark.text, mark.end = True, text, mark.start + len(text)
                task = asyncio.create_task(self._check(uri, mark))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return

    async def _check(self, uri: str, mark: _Mark) -> None:
        begin = time.monotonic()
        for delay in self._delays:
            await asyncio.sleep(max(0.0, begin + delay - time.monotonic()))
            if mark not in self._marks.get(uri, ()):
                return
            there = self._texts[uri][mark.start : mark.end]
            share = await asyncio.to_thread(kept_share, mark.text, there)
            await self._keep(mark.id, delay, share)
        self._drop(uri, mark)

    def _drop(self, uri: str, mark: _Mark) -> None:
        left = [other for other in self._marks.get(uri, ()) if other is not mark]
        if left:
            self._marks[uri] = left
        else:
            self.closed(uri)


def kept_share(taken: str, there: str) -> float:
    """1 where nothing changed, 0 where nothing is left: 1 - Levenshtein / the longer length.

    Where both are very long and differ everywhere, the distance is taken to be the longer length.
    """
    longer = max(len(taken), len(there))
    head = _common(taken, there)
    a, b = taken[head:], there[head:]
    tail = _common(a[::-1], b[::-1])
    a, b = a[: len(a) - tail], b[: len(b) - tail]
    if not longer or a == b:
        return 1.0
    if len(a) * len(b) > _MOST_CELLS:
        return 1 - max(len(a), len(b)) / longer
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return 1 - row[-1] / longer


def _common(a: str, b: str) -> int:
    """How many characters both begin with. Compares slices: documents are long."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def pieces(text: str, edit: Replaced) -> list[Replaced]:
    """The same change as edits of only what differs, last first: formatters replace everything."""
    old = text[edit.start : edit.end].splitlines(keepends=True)
    new = edit.text.splitlines(keepends=True)
    if not old or not new or max(len(old), len(new)) > _MOST_LINES:
        return [_smallest(text, edit)]
    lines = [_smallest(text, one) for one in _different(edit.start, old, new)]
    return [small for line in lines for small in _in_characters(text, line)]


def _in_characters(text: str, edit: Replaced) -> list[Replaced]:
    old = text[edit.start : edit.end]
    if not old or not edit.text or len(old) * len(edit.text) > _MOST_PAIRS:
        return [edit]
    return _different(edit.start, list(old), list(edit.text))


def _different(start: int, old: list[str], new: list[str]) -> list[Replaced]:
    """What differs between two lists of pieces of text, last first; offsets count from `start`."""
    starts = list(accumulate(map(len, old), initial=start))
    counts = Counter(old)
    many = sum(counts[piece] for piece in new) > _MOST_EQUAL
    matcher = SequenceMatcher(None, old, new, autojunk=many)  # which leaves out the commonest
    found = [
        Replaced(starts[a], starts[b], "".join(new[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]
    return found[::-1]


def _smallest(text: str, edit: Replaced) -> Replaced:
    """The same edit without what it leaves as it is at its ends."""
    old = text[edit.start : edit.end]
    if not old or not edit.text:
        return edit
    head = _common(old, edit.text)
    tail = _common(old[head:][::-1], edit.text[head:][::-1])
    new = edit.text[head : len(edit.text) - tail]
    return Replaced(edit.start + head, edit.end - tail, new)


def _follow(mark: _Mark, edit: Replaced) -> None:
    """Move a mark as an edit moves the text. Typing at its borders is outside it."""
    shift = len(edit.text) - (edit.end - edit.start)
    if not mark.taken:  # only its start counts, and the answer itself is inserted there
        if edit.start < mark.start:
            mark.start = edit.start if edit.end > mark.start else mark.start + shift
        return
    if edit.end <= mark.start:
        mark.start, mark.end = mark.start + shift, mark.end + shift
    elif edit.start < mark.end:
        mark.start = min(mark.start, edit.start)
        mark.end = max(mark.end, edit.end) + shift
