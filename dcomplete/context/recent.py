"""Pieces of code that the person edited or looked at lately (llama.vim's ring of chunks)."""

from collections import Counter, deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from dcomplete.context.similarity import (
    Words,
    best,
    dice,
    identifiers,
    line_set,
    nearby,
    overlap,
    rarity,
)
from dcomplete.context.source import Deadline, Visited
from dcomplete.context.window import SUFFIX_SHARE, characters
from dcomplete.document import Snapshot
from dcomplete.types import Snippet

if TYPE_CHECKING:
    from dcomplete.context.workspace import Workspace

CHUNKS = 16
LINES = 64  # of a chunk
SAME = 0.9  # a chunk more similar than this to a new one makes room for it
SURROUNDING = 0.5  # a chunk more similar than this to the text around the gap tells nothing new
MOST = 2  # snippets for one request
LEAST = 0.05  # similarity of a snippet that is worth its tokens

_LOOKED_AT = 200_000  # characters of a document that is asked for its lines: some 5 ms
_AWAY = 32  # lines: a move further than this is another place


@dataclass(frozen=True, slots=True)
class Chunk:
    """At most 64 lines of a document as they were when the person left them."""

    uri: str
    text: str
    lines: frozenset[str]
    words: Words
    at: int = 0  # the line of `text` that was visited


class Ring:
    """The last places the person worked at."""

    def __init__(self) -> None:
        self.chunks: deque[Chunk] = deque(maxlen=CHUNKS)
        self.uri = ""
        self._line = 0

    def visit(self, uri: str, line: int, left: str | None) -> None:
        """The person is at `line` of `uri` now; `left` is the text of the document before that."""
        if uri == self.uri and abs(line - self._line) <= _AWAY:
            return
        if left is not None:
            self.add(self.uri, cut(left, self._line), self._line - _first(left, self._line))
        self.uri, self._line = uri, line

    def add(self, uri: str, text: str, at: int = 0) -> None:
        """Remember `text`, in which line `at` was visited; chunks much like it are forgotten."""
        lines = line_set(text)
        if len(lines) < 3:
            return
        kept = [c for c in self.chunks if dice(c.lines, lines) <= SAME]
        self.chunks = deque([*kept, Chunk(uri, text, lines, identifiers(text), at)], maxlen=CHUNKS)


def cut(text: str, line: int) -> str:
    """The lines of `text` around `line`, as many as make a chunk."""
    lines = text.split("\n")
    first = _first(text, line)
    return "\n".join(lines[first : first + LINES]).replace("\r", "")


def _first(text: str, line: int) -> int:
    return max(0, min(line - LINES // 2, text.count("\n") + 1 - LINES))


class Recent:
    """Chunks of the ring that share rare names with the text around the gap."""

    name = "recent"
    budget_ms = 5.0

    def snippets(
        self, snapshot: Snapshot, workspace: "Workspace", deadline: Deadline
    ) -> list[Snippet]:
        chunks = list(workspace.recent.chunks)
        around = nearby(snapshot)
        lines, wanted = line_set(around), identifiers(around)
        weights = rarity([c.words for c in chunks], wanted)
        texts, usable = _Texts(snapshot, workspace), cache(workspace.privacy.usable)
        left: dict[int, Chunk] = {}
        scored = []
        for index, chunk in enumerate(chunks):
            if deadline.over():
                break
            if not usable(chunk.uri) or texts.shows(chunk):
                continue
            left[index] = now = texts.what_is_left(chunk)
            if len(now.lines) > 2 and not _told(now, lines):
                scored.append((overlap(now.words, wanted, weights), index))
        return [
            Visited(
                workspace.privacy.relative(left[i].uri), left[i].text, self.name, score, left[i].at
            )
            for score, i in best(scored, MOST, LEAST)
        ]


class _Texts:
    """What the open documents say now."""

    def __init__(self, snapshot: Snapshot, workspace: "Workspace") -> None:
        self._snapshot, self._workspace = snapshot, workspace
        self._known: dict[str, Counter[str] | None] = {}
        self._window: frozenset[str] | None = None

    def _lines(self, uri: str) -> "Counter[str] | None":
        """How often each line stands in a document; None of one that is closed or too long to look."""
        if uri not in self._known:
            document = self._workspace.documents.get(uri)
            own = uri == self._snapshot.uri
            text = self._snapshot.text if own else document.text if document else None
            small = text is not None and len(text) <= _LOOKED_AT
            self._known[uri] = Counter(map(str.strip, text.split("\n"))) if text and small else None
        return self._known[uri]

    def shows(self, chunk: Chunk) -> bool:
        """Whether the chunk reaches into what the model sees of its own document anyhow."""
        if chunk.uri != self._snapshot.uri:
            return False
        known = self._lines(chunk.uri)
        if known is None:
            return True  # it cannot be told
        if self._window is None:
            self._window = line_set(window(self._snapshot, self._workspace.settings.tokens))
        only = {line for line in chunk.lines if known[line] == 1}
        return not only.isdisjoint(self._window) or (not only and _told(chunk, self._window))

    def what_is_left(self, chunk: Chunk) -> Chunk:
        """The chunk without lines that its document has no more: what was deleted stays away."""
        known = self._lines(chunk.uri)
        if known is None or all(line in known for line in chunk.lines):
            return chunk
        lines = chunk.text.split("\n")
        kept = [n for n, line in enumerate(lines) if not line.strip() or line.strip() in known]
        text = "\n".join(lines[n] for n in kept)
        at = sum(n < chunk.at for n in kept)
        return Chunk(chunk.uri, text, line_set(text), identifiers(text), at)


def window(snapshot: Snapshot, tokens: int) -> str:
    """The most that prefix and suffix may hold, and 64 lines on each side at least."""
    text, gap = snapshot.text, snapshot.gap
    suffix = characters(int(tokens * SUFFIX_SHARE))
    first, last = gap.start, gap.end
    for _ in range(LINES + 1):
        first = max(0, text.rfind("\n", 0, first))
        last = text.find("\n", last) + 1 or len(text)
    start = min(first, gap.start - characters(tokens) + suffix)
    return text[max(0, start) : max(last, gap.end + suffix)]


def _told(chunk: Chunk, lines: frozenset[str]) -> bool:
    """Whether most of the chunk is in `lines`, or most of `lines` in the chunk."""
    both = len(chunk.lines & lines)
    contained = both > SURROUNDING * min(len(chunk.lines), max(1, len(lines)))
    return contained or dice(chunk.lines, lines) > SURROUNDING
