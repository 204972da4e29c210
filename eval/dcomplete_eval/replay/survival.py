"""Which characters live on: an identity for each, kept through formatting, undo, cut and paste."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from dcomplete_eval.replay.trace import Keystroke

PASTED = (
    40  # characters at once that nobody typed; shorter texts are not recognised when they return
)


def alike(a: str, b: str) -> int:
    """How many characters two texts share at their start."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def bare(at: int, old: str, new: str) -> tuple[int, int, str]:
    """The change from `old` to `new` at `at`, without what it leaves as it was at its start."""
    same = alike(old, new)
    return at + same, len(old) - same, new[same:]


class Identities:
    """A document of identities. A new character gets the next number; deleted text that comes back in
    one piece (undo, cut and paste) gets its old ones; a long replacement keeps its unchanged lines'.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.ids = list(range(len(text)))
        self.born = len(text)
        self._gone: dict[str, list[int]] = {}

    def apply(self, stroke: Keystroke) -> None:
        """Apply a stroke's patches one after another."""
        for patch in stroke:
            stop = patch.at + patch.deleted
            old, gone = self.text[patch.at : stop], self.ids[patch.at : stop]
            self.ids[patch.at : stop] = self._named(old, gone, patch.text)
            self.text = self.text[: patch.at] + patch.text + self.text[stop:]
            if len(old) > PASTED:
                self._gone[old] = gone

    def places(self) -> list[int]:
        """Where each character stands now; -1 where it is deleted."""
        found = [-1] * self.born
        for place, identity in enumerate(self.ids):
            found[identity] = place
        return found

    def _named(self, old: str, gone: Sequence[int], new: str) -> list[int]:
        if len(new) > PASTED and (back := self._gone.pop(new, None)) is not None:
            return back
        if len(old) > PASTED and len(new) > PASTED:
            return self._aligned(old, gone, new)
        same = alike(old, new)
        return [*gone[:same], *self._fresh(len(new) - same)]

    def _aligned(self, old: str, gone: Sequence[int], new: str) -> list[int]:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
        starts = [0]
        for line in before:
            starts.append(starts[-1] + len(line))
        named: list[int] = []
        blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        done = 0
        for block in blocks:
            named += self._fresh(sum(map(len, after[done : block.b])))
            named += gone[starts[block.a] : starts[block.a + block.size]]
            done = block.b + block.size
        return named

    def _fresh(self, count: int) -> range:
        self.born += count
        return range(self.born - count, self.born)
