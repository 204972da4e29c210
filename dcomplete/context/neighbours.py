"""Similar places in other open documents of the same language (Copilot's neighbouring tabs)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dcomplete.context.similarity import Words, best, identifiers, nearby, overlap, rarity
from dcomplete.context.source import Deadline
from dcomplete.document import Snapshot
from dcomplete.types import Snippet

if TYPE_CHECKING:
    from dcomplete.context.workspace import OpenDocument, Workspace

LINES = 20  # of a window
STRIDE = 10
LEAST_LINES = 2  # line ends in a window that tells something
DOCUMENTS = 8  # those used last
MOST = 2  # snippets for one request, from different documents
LEAST = 0.15  # similarity of a snippet that is worth its tokens


SLICE = 16  # windows of one document at a time, so that a long one does not silence the others
LONGEST = 100_000  # characters of a document that are read


@dataclass(slots=True)
class Windows:
    """Overlapping pieces of one text, with their words; `at` is how far it is read."""

    text: str
    pieces: list[tuple[str, Words]] = field(default_factory=list)
    at: int = 0

    @property
    def complete(self) -> bool:
        return self.at >= min(len(self.text), LONGEST)

    def read_on(self) -> None:
        """Read the next few windows."""
        for _ in range(SLICE):
            if self.complete:
                return
            following = _after(self.text, self.at, STRIDE)
            end = _after(self.text, following, LINES - STRIDE)
            piece = self.text[self.at : end].replace("\r", "").strip("\n")
            if piece.count("\n") >= LEAST_LINES:
                self.pieces.append((piece, identifiers(piece)))
            self.at = len(self.text) if end >= len(self.text) else following


class Neighbours:
    """The best window of each of the two best documents."""

    name = "neighbours"
    budget_ms = 10.0

    def snippets(
        self, snapshot: Snapshot, workspace: "Workspace", deadline: Deadline
    ) -> list[Snippet]:
        language = workspace.document(snapshot.uri, snapshot.text, snapshot.language).language
        documents = [
            d
            for d in workspace.others(snapshot.uri)[:DOCUMENTS]
            if d.language.name == language.name and _may(d, workspace)
        ]
        read = _read(documents, deadline)
        pieces = [
            (d.uri, *piece) for d, w in zip(documents, read, strict=True) for piece in w.pieces
        ]
        wanted = identifiers(nearby(snapshot))
        weights = rarity([words for *_, words in pieces], wanted)
        scored = (
            (overlap(words, wanted, weights), index) for index, (*_, words) in enumerate(pieces)
        )
        chosen: dict[str, Snippet] = {}
        for score, index in best(scored, len(pieces), LEAST):
            uri, text, _ = pieces[index]
            if uri not in chosen and len(chosen) < MOST:
                chosen[uri] = Snippet(workspace.privacy.relative(uri), text, self.name, score)
        return list(chosen.values())


def _may(document: "OpenDocument", workspace: "Workspace") -> bool:
    return len(document.text) <= workspace.settings.max_file_bytes and workspace.privacy.usable(
        document.uri
    )


def _read(documents: Sequence["OpenDocument"], deadline: Deadline) -> list[Windows]:
    """The windows of the documents, a few of each in turn; the next request goes on from there."""
    found = []
    for document in documents:
        known = document.windows
        if not isinstance(known, Windows) or known.text != document.text:
            known = document.windows = Windows(document.text)
        found.append(known)
    while (pending := [w for w in found if not w.complete]) and not deadline.over():
        for windows in pending:
            if deadline.over():
                break
            windows.read_on()
    return found


def _after(text: str, at: int, lines: int) -> int:
    """Where the line begins that is `lines` lines below the one at `at`."""
    for _ in range(lines):
        at = text.find("\n", at) + 1 or len(text)
    return at
