"""What the editor has open, kept between requests: texts, trees, recent places, ignore rules."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tree_sitter

from dcomplete.context.addresses import path_of
from dcomplete.context.definitions import DefinitionCache
from dcomplete.context.languages import Language, language_of
from dcomplete.context.privacy import Privacy, resolved
from dcomplete.context.recent import Ring
from dcomplete.context.trees import Edit, Parsed, difference, parse, reparse
from dcomplete.settings import ContextSettings
from dcomplete.types import Snippet

NEAR_LINES = 20  # the choice of other text is kept until the cursor has moved further
MOST_PENDING = 50  # edits that wait for somebody to need the tree


@dataclass(frozen=True, slots=True)
class Kept:
    """What was chosen for one place, so that typing there does not change the model's context."""

    place: int  # code point of the gap it was chosen for
    start: int  # code point where the prefix begins
    alone: int  # where the prefix starts without the preamble
    preamble: str
    snippets: tuple[Snippet, ...]  # those that the preamble shows
    found: tuple[Snippet, ...]  # all that the sources gave
    retries: int = 0  # how often the sources may still be asked again: one ran out of time


@dataclass(slots=True)
class OpenDocument:
    """One document of the editor. `parsed` lags behind `text` by the edits in `pending`."""

    uri: str
    language: Language
    text: str
    parsed: Parsed | None = None
    pending: list[Edit] = field(default_factory=list)
    stale: bool = True  # nothing of `parsed` can be used
    kept: Kept | None = None
    line: int = 0  # where the person was last
    touched: int = 0  # greater is later
    windows: object = None  # what a source remembers about `text`, with the text it is for

    def tree(self) -> Parsed | None:
        """The syntax of `text`, brought up to date now; None without one.

        A text that had none (too large, or hopeless to parse) is tried again after some edits.
        """
        if self.stale:
            self.parsed = parse(self.text, self.language)
        elif self.parsed is not None and self.pending:
            self.parsed = reparse(self.parsed, self.pending)
            if self.parsed is not None and self.parsed.text != self.text:
                self.parsed = parse(self.text, self.language)
        elif self.parsed is None:
            if len(self.pending) <= MOST_PENDING:
                return None
            self.parsed = parse(self.text, self.language)
        self.stale = False
        self.pending.clear()
        return self.parsed


class Workspace:
    """One per server. Not thread-safe: called from one thread.

    `clock` tells seconds and is what the sources' time budgets are measured with. `rules` make the
    privacy of folders and further ignore patterns.
    """

    def __init__(
        self,
        folders: Iterable[Path] = (),
        settings: ContextSettings | None = None,
        clock: Callable[[], float] = time.perf_counter,
        rules: Callable[[Iterable[Path], Sequence[str]], Privacy] = Privacy,
    ) -> None:
        self.documents: dict[str, OpenDocument] = {}
        self._files: dict[Path, str] = {}  # the addresses of open files, as the editor writes them
        self.recent = Ring()
        self.definitions = DefinitionCache()
        self.slow_sources: Counter[str] = Counter()
        self.clock = clock
        self._rules = rules
        self._settings = settings or ContextSettings()
        self._current = ""
        self._touches = 0
        self.set_folders(folders)

    @property
    def settings(self) -> ContextSettings:
        return self._settings

    def set_folders(self, folders: Iterable[Path]) -> None:
        """The folders that context may come from."""
        self._folders = tuple(folders)
        self._forget_choices()

    def set_settings(self, settings: ContextSettings) -> None:
        """Use other settings from now on."""
        self._settings = settings
        self._forget_choices()

    def opened(self, uri: str, language: str, text: str) -> None:
        """The editor opened a document."""
        self._touch(uri)
        self.documents[uri] = OpenDocument(uri, language_of(language, uri), text)
        self.documents[uri].touched = self._touches
        if (path := path_of(uri)) is not None:
            self._files |= dict.fromkeys((path, resolved(path) or path), uri)

    def changed(self, uri: str, text: str, edits: Sequence[Edit] = ()) -> None:
        """The document's text is `text` now; `edits` led there, one after another, if known."""
        document = self.documents.get(uri)
        if document is None:
            self.opened(uri, "", text)
            return
        self._touch(uri)
        if not edits:
            document.stale = document.stale or document.text != text
            document.kept = None if document.text != text else document.kept
        else:
            document.pending.extend(edits)
            for edit in edits:
                document.kept = _moved(document.kept, edit)
            line = text.count("\n", 0, edits[-1].start)
            self._visit(document, line)
        document.text = text
        if len(document.pending) > MOST_PENDING:
            document.tree()

    def closed(self, uri: str) -> None:
        """The editor closed the document; what was seen of it may stay in the recent places."""
        self.documents.pop(uri, None)
        self._files = {path: other for path, other in self._files.items() if other != uri}
        if self._current == uri:
            self._current = ""

    def focused(self, uri: str, line: int | None = None) -> None:
        """The person looks at the document, at `line` (from 0) if known."""
        self._touch(uri)
        document = self.documents.get(uri)
        if document is not None and line is not None:
            self._visit(document, line)

    def refresh(self, uri: str) -> None:
        """Choose the other text for the document anew at the next request, as after a pause."""
        document = self.documents.get(uri)
        if document is not None:
            document.kept = None

    def tree(self, uri: str) -> tree_sitter.Tree | None:
        """The up-to-date tree of an open document; None without a grammar."""
        document = self.documents.get(uri)
        parsed = None if document is None else document.tree()
        return None if parsed is None else parsed.tree

    def document(self, uri: str, text: str, language: str = "") -> OpenDocument:
        """The open document if its text is `text`, else one for this moment only.

        What the document might become next, the open one's tree and choices serve as well.
        """
        known = self.documents.get(uri)
        if known is None:
            return OpenDocument(uri, language_of(language, uri), text)
        if known.text == text:
            return known
        edit = difference(known.text, text)
        return OpenDocument(
            uri,
            known.language,
            text,
            known.parsed,
            [*known.pending, edit],
            known.stale,
            _moved(known.kept, edit),
        )

    def open_at(self, path: Path) -> OpenDocument | None:
        """The open document of a file, however the editor escapes its address or got there by links."""
        return self.documents.get(self._files.get(path, ""))

    def others(self, uri: str) -> list[OpenDocument]:
        """The other open documents, those used last first."""
        others = [d for d in self.documents.values() if d.uri != uri]
        return sorted(others, key=lambda d: -d.touched)

    def _visit(self, document: OpenDocument, line: int) -> None:
        previous = self.documents.get(self.recent.uri)
        self.recent.visit(document.uri, line, None if previous is None else previous.text)
        document.line = line

    def _touch(self, uri: str) -> None:
        if uri != self._current:
            self._current = uri
            self._touches += 1
            for document in self.documents.values():
                document.kept = None
        if uri in self.documents:
            self.documents[uri].touched = self._touches

    def _forget_choices(self) -> None:
        self.privacy = self._rules(self._folders, self._settings.ignore)
        for document in self.documents.values():
            document.kept = None


def _moved(kept: Kept | None, edit: Edit) -> Kept | None:
    """`kept` after an edit of the same document; None where the edit spoils it."""
    if kept is None or edit.start >= kept.start:
        return kept
    if edit.end > kept.start:
        return None
    if edit.start < kept.alone < edit.end:
        return None
    shift = len(edit.text) - (edit.end - edit.start)
    alone = kept.alone + (shift if edit.end <= kept.alone else 0)
    return replace(kept, place=kept.place + shift, start=kept.start + shift, alone=alone)
