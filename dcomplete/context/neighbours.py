"""Similar places in other open documents of the same language (Copilot's neighbouring tabs)."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Windows:
    """Overlapping pieces of one text, with their words."""

    text: str
    pieces: tuple[tuple[str, Words], ...]


class Neighbours:
    """The best window of each of the two best documents."""

    name = "neighbours"
    budget_ms = 10.0

    def snippets(
        self, snapshot: Snapshot, workspace: "Workspace", deadline: Deadline
    ) -> list[Snippet]:
        language = workspace.document(snapshot.uri, snapshot.text, snapshot.language).language
        pieces: list[tuple[str, str, Words]] = []
        for document in workspace.others(snapshot.uri)[:DOCUMENTS]:
            if deadline.over():
                break
            if document.language.name != language.name or not _may(document, workspace):
                continue
            pieces.extend((document.uri, *piece) for piece in _windows(document, deadline))
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


def _windows(document: "OpenDocument", deadline: Deadline) -> tuple[tuple[str, Words], ...]:
    known = document.windows
    if isinstance(known, Windows) and known.text == document.text:
        return known.pieces
    lines = document.text.replace("\r", "").split("\n")
    pieces: list[tuple[str, Words]] = []
    for first in range(0, max(1, len(lines) - LINES + STRIDE), STRIDE):
        if deadline.over():
            return tuple(pieces)
        text = "\n".join(lines[first : first + LINES]).strip("\n")
        if text.count("\n") >= LEAST_LINES:
            pieces.append((text, identifiers(text)))
    document.windows = Windows(document.text, tuple(pieces))
    return tuple(pieces)
