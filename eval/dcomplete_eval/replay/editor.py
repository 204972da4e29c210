"""A client that behaves as an editor does: opens, types, asks, and cancels what is overtaken."""

import asyncio
import hashlib
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from dcomplete_eval.replay.trace import Keystroke

CANCELLED = -32800
_CHATTER = (
    "didChangeStatus",
    "window/logMessage",
    "window/showMessage",
    "window/workDoneProgress/create",
    "$/progress",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a request: suggested, refused, superseded, cancelled, or an error with its code."""

    outcome: str
    ms: float
    items: Sequence[lsp.InlineCompletionItem] = ()
    error: JsonRpcException | None = None


class Editor:
    """One document in one editor, connected to a language server of its own."""

    def __init__(self, uri: str, language: str) -> None:
        self.uri, self.language = uri, language
        self.text, self.version = "", 0
        self.status: Any = None  # what the server last said of itself
        self._client = LanguageClient("dcomplete-replay", "1")
        self._ids = itertools.count(1)
        self._drain: asyncio.Task[bytes] | None = None
        self._quiet()

    def _quiet(self) -> None:
        """Accept what the server says by itself."""
        for method in _CHATTER:
            self._client.feature(method)(lambda *_: None)
        self._client.feature("dcomplete/status")(lambda *said: self._note(said[-1]))

    def _note(self, said: Any) -> None:
        self.status = said

    async def start(
        self,
        env: Mapping[str, str],
        *arguments: str,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Start the server; `arguments` follow ``dcomplete lsp``."""
        command = [sys.executable, "-m", "dcomplete", "lsp", "--stdio", *arguments]
        await self._client.start_io(*command, env=dict(env))
        process = self._client._server
        assert process is not None and process.stderr is not None
        self._drain = asyncio.create_task(process.stderr.read())
        await self._client.initialize_async(
            lsp.InitializeParams(
                capabilities=lsp.ClientCapabilities(),
                process_id=None,
                initialization_options=dict(settings or {}),
            )
        )
        self._client.initialized(lsp.InitializedParams())

    @property
    def pid(self) -> int:
        assert self._client._server is not None
        return self._client._server.pid

    def open(self, text: str, uri: str = "") -> None:
        """Open the document, or another one at `uri`."""
        uri = uri or self.uri
        if uri == self.uri:
            self.text = text
        item = lsp.TextDocumentItem(uri, self.language, self.version, text)
        self._client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def type(self, stroke: Keystroke) -> int:
        """Apply a keystroke here and at the server; returns the cursor's offset behind it."""
        changes: list[lsp.TextDocumentContentChangeEvent] = []
        cursor = 0
        for patch in stroke:
            end = patch.at + patch.deleted
            spot = lsp.Range(place(self.text, patch.at), place(self.text, end))
            changes.append(lsp.TextDocumentContentChangePartial(spot, patch.text))
            self.text = self.text[: patch.at] + patch.text + self.text[end:]
            cursor = patch.at + len(patch.text)
        self.version += 1
        document = lsp.VersionedTextDocumentIdentifier(self.version, self.uri)
        self._client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))
        return cursor

    def ask(self, cursor: int, invoked: bool = False) -> tuple[int, "asyncio.Task[Said]"]:
        """Request a suggestion; returns the request's id, and a task of what comes of it."""
        number, kinds = next(self._ids), lsp.InlineCompletionTriggerKind
        params = lsp.InlineCompletionParams(
            lsp.InlineCompletionContext(kinds.Invoked if invoked else kinds.Automatic),
            lsp.TextDocumentIdentifier(self.uri),
            place(self.text, cursor),
        )
        return number, asyncio.create_task(self._answer(number, params))

    async def _answer(self, number: int, params: lsp.InlineCompletionParams) -> Said:
        began = time.perf_counter()
        method = lsp.TEXT_DOCUMENT_INLINE_COMPLETION
        try:
            result = await self._client.protocol.send_request_async(method, params, number)
        except JsonRpcException as error:
            outcome = "cancelled" if error.code == CANCELLED else f"error {error.code}"
            return Said(outcome, (time.perf_counter() - began) * 1000, error=error)
        items = result.items if isinstance(result, lsp.InlineCompletionList) else result
        outcome = "superseded" if items is None else "suggested" if items else "refused"
        return Said(outcome, (time.perf_counter() - began) * 1000, items or ())

    def cancel(self, number: int) -> None:
        self._client.cancel_request(lsp.CancelParams(number))

    async def same_text(self) -> bool:
        """Whether the server's document equals ours."""
        asked = {"textDocument": {"uri": self.uri}}
        said = await self._client.protocol.send_request_async("dcomplete/checksum", asked)
        return str(said.sha256) == hashlib.sha256(self.text.encode()).hexdigest()

    async def close(self) -> None:
        await self._client.shutdown_async(None)
        self._client.exit(None)
        await self._client.stop()  # type: ignore[no-untyped-call]
        if self._drain is not None:
            await self._drain


def place(text: str, at: int) -> lsp.Position:
    """A code point's place in UTF-16, the protocol's default encoding."""
    line = text.count("\n", 0, at)
    column = text[text.rfind("\n", 0, at) + 1 : at]
    return lsp.Position(line, len(column.encode("utf-16-le", "surrogatepass")) // 2)


def offset(text: str, position: lsp.Position) -> int:
    """The code point at a place in UTF-16."""
    start = 0
    for _ in range(position.line):
        start = text.index("\n", start) + 1
    units = 0
    for at in range(start, len(text) + 1):
        if units >= position.character or at == len(text):
            return at
        units += 2 if ord(text[at]) > 0xFFFF else 1
    return len(text)
