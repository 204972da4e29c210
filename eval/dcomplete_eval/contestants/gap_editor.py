"""An editor that fills gaps: each in a document of its own, or in one into which somebody types."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from dcomplete.context.trees import difference
from dcomplete_eval.replay.editor import Editor, Said, offset
from dcomplete_eval.replay.trace import Patch

_ENDINGS = {"python": "py", "javascript": "js", "typescript": "ts", "rust": "rs", "csharp": "cs"}
Sides = tuple[str, str]  # a document before and after the cursor


class GapEditor(Editor):
    """One server, one document at a time."""

    _running = _typed_into = False
    _folder = ""

    def __init__(self) -> None:
        super().__init__("file:///gap.py", "python")

    @property
    def trouble(self) -> str:
        """What the server last said, where that was an error."""
        said = self.status
        return str(said.message) if said is not None and said.kind == "error" else ""

    async def start(
        self,
        env: Mapping[str, str],
        *arguments: str,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        await super().start(env, *arguments, settings=settings)
        self._running = True

    async def stop(self) -> None:
        if self._running:
            await self.close()

    def enter(self, folder: str) -> None:
        """The workspace is `folder` from now on, and no other."""
        if folder == self._folder:
            return
        added, gone = ([_folder(name)] if name else [] for name in (folder, self._folder))
        event = lsp.WorkspaceFoldersChangeEvent(added, gone)
        self._client.workspace_did_change_workspace_folders(
            lsp.DidChangeWorkspaceFoldersParams(event)
        )
        self._folder = folder

    async def suggested(
        self,
        before: Sides,
        language: str,
        invoked: bool = False,
        uri: str = "",
        others: Mapping[str, str] | None = None,
    ) -> Sides | None:
        """The document with the first suggestion taken.

        Where nothing is suggested it is as it was; None where the server cannot tell yet. `others` are
        open beside it. Raises JsonRpcException.
        """
        self.version += 1
        self.language = language
        self.uri = uri or f"file:///gap/{self.version}.{_ending(language)}"
        documents = {**(others or {}), self.uri: "".join(before)}
        for opened, text in documents.items():
            self.open(text, opened)
        _, answer = self.ask(len(before[0]), invoked)
        try:
            said = await answer
        finally:
            for opened in documents:
                document = lsp.TextDocumentIdentifier(opened)
                self._client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))
        return self._taken(said, before)

    async def typed(self, before: Sides, language: str, invoked: bool = False) -> Sides | None:
        """The same for a document that stays open, and becomes this one by an edit.

        Who is cancelled gives the request up, as an editor does at the next key.
        """
        text = "".join(before)
        if not self._typed_into:
            self.language, self._typed_into = language, True
            self.uri = f"file:///typed/document.{_ending(language)}"
            self.open(text)
        elif text != self.text:
            self.type((change(self.text, text),))
        number, answer = self.ask(len(before[0]), invoked)
        try:
            said = await asyncio.shield(answer)
        except asyncio.CancelledError:
            self.cancel(number)
            raise
        return self._taken(said, before)

    def _taken(self, said: Said, before: Sides) -> Sides | None:
        if said.error is not None:
            raise said.error
        if not said.items:
            return before if said.outcome == "refused" else None
        (item, *_), text = said.items, "".join(before)
        start = end = len(before[0])
        if item.range is not None:
            start, end = offset(text, item.range.start), offset(text, item.range.end)
        new = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        return text[:start] + new, text[end:]


def change(old: str, new: str) -> Patch:
    """The shortest edit that makes `new` of `old`; of equally short ones, the last."""
    edit = difference(old, new)
    return Patch(edit.start, edit.end - edit.start, edit.text)


def _ending(language: str) -> str:
    return _ENDINGS.get(language, language or "txt")


def _folder(path: str) -> lsp.WorkspaceFolder:
    return lsp.WorkspaceFolder(Path(path).as_uri(), path)
