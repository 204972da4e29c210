"""Pieces of code that the person edited or looked at lately (llama.vim's ring of chunks)."""

from collections import deque
from dataclasses import dataclass
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
from dcomplete.context.source import Deadline
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

_AWAY = 32  # lines: a move further than this is another place


@dataclass(frozen=True, slots=True)
class Chunk:
    """At most 64 lines of a document as they were when the person left them."""

    uri: str
    text: str
    lines: frozenset[str]
    words: Words


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
            self.add(self.uri, cut(left, self._line))
        self.uri, self._line = uri, line

    def add(self, uri: str, text: str) -> None:
        """Remember `text`; chunks much like it are forgotten."""
        lines = line_set(text)
        if len(lines) < 3:
            return
        kept = [c for c in self.chunks if dice(c.lines, lines) <= SAME]
        self.chunks = deque([*kept, Chunk(uri, text, lines, identifiers(text))], maxlen=CHUNKS)


def cut(text: str, line: int) -> str:
    """The lines of `text` around `line`, as many as make a chunk."""
    lines = text.split("\n")
    first = max(0, min(line - LINES // 2, len(lines) - LINES))
    return "\n".join(lines[first : first + LINES]).replace("\r", "")


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
        scored = []
        for index, chunk in enumerate(chunks):
            if deadline.over():
                break
            told = dice(chunk.lines, lines) > SURROUNDING or _contained(chunk, lines)
            if not told and workspace.privacy.usable(chunk.uri):
                scored.append((overlap(chunk.words, wanted, weights), index))
        return [
            Snippet(workspace.privacy.relative(chunks[i].uri), chunks[i].text, self.name, score)
            for score, i in best(scored, MOST, LEAST)
        ]


def _contained(chunk: Chunk, lines: frozenset[str]) -> bool:
    return len(chunk.lines & lines) > SURROUNDING * min(len(chunk.lines), max(1, len(lines)))
