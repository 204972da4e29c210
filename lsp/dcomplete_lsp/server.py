"""The state of one connection, and what the protocol's own messages do to it."""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from dcomplete import __version__
from dcomplete.settings import Settings
from dcomplete_lsp.backend import Backend, Connect
from dcomplete_lsp.documents import Change, DocumentStore, Place
from dcomplete_lsp.logs import name_of, place
from dcomplete_lsp.messages import make_converter
from dcomplete_lsp.outcomes import Outcomes
from dcomplete_lsp.overtaking import Overtaking
from dcomplete_lsp.protocol import Protocol
from dcomplete_lsp.retention import Retention
from dcomplete_lsp.status import StatusBoard
from dcomplete_lsp.transport import Inbox
from dcomplete_lsp.votes import Votes

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Any]]


class Server(LanguageServer):
    """A language server for one editor. Features are registered by `dcomplete_lsp.launch`."""

    protocol: Protocol

    def __init__(self, connect: Connect, base: Settings) -> None:
        super().__init__(
            "dcomplete", __version__, protocol_cls=Protocol, converter_factory=make_converter
        )
        self.base = base  # settings by the command line and the initialization options
        self.settings = base
        self.documents = DocumentStore()
        self.overtaking = Overtaking()
        self.outcomes = Outcomes(base.log)
        self.votes = Votes()
        self.retention = Retention(self.votes.keep)
        self.board = StatusBoard(self.protocol.notify)
        self.folders: dict[str, Path] = {}
        self.inbox: Inbox | None = None
        self.edited = -math.inf  # the last change of a document, by time.monotonic()
        self.exit_code = 0
        self._connect = connect
        self._backend: Backend | None = None

    def on(self, method: str, handler: Handler, options: Any = None) -> None:
        """Handle a method by an async function or bound method of the server and the parameters."""

        async def handle(ls: Any, params: Any) -> Any:
            return await handler(ls, params)

        self.feature(method, options)(handle)

    def on_command(self, name: str, handler: Handler) -> None:
        """Run a command by an async function or bound method of the server and the arguments."""

        async def run(ls: Any, *arguments: Any) -> Any:
            return await handler(ls, *arguments)

        self.command(name)(run)

    @property
    def backend(self) -> Backend:
        """The engine and what uses it, connected when first asked for."""
        if self._backend is None:
            self._backend = self._connect(self.settings, list(self.folders.values()))
        return self._backend

    @property
    def connected(self) -> bool:
        return self._backend is not None

    def apply(self, settings: Settings) -> None:
        """Use `settings` from now on."""
        self.settings = settings
        self.outcomes.settings = settings.log
        if self._backend is not None:
            self._backend.completer.settings = settings
            self._backend.workspace.set_settings(settings.context)
        if not settings.enabled:
            self.board.rest("off", "dcomplete is switched off.")
        elif self.board.current.kind == "off":
            self.board.rest("ready")

    def set_folders(self, folders: Sequence[types.WorkspaceFolder]) -> None:
        """Add folders of the editor; those that are no local folders are left out."""
        for folder in folders:
            if (path := _path(folder.uri)) is not None:
                self.folders[folder.uri] = path

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        """`textDocument/didOpen`."""
        item = params.text_document
        self.overtaking.end(item.uri)
        self.retention.closed(item.uri)
        document = self.documents.open(item.uri, str(item.language_id), item.version, item.text)
        self.backend.workspace.opened(item.uri, document.language, document.text)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """`textDocument/didChange`: what runs for the older text is of no use any more."""
        uri, version = params.text_document.uri, params.text_document.version
        before = self.documents.get(uri)
        if before is not None and version <= before.version:
            log.info(
                "Document %s went from version %d to %d.", name_of(uri), before.version, version
            )
        self.overtaking.end(uri)
        self.edited = time.monotonic()
        changes = [_change(event) for event in params.content_changes]
        replaced = self.documents.change(uri, version, changes)
        if before is None or replaced is None:
            log.warning("Ignored a change of document %s, which is not open.", name_of(uri))
            return
        self.retention.changed(uri, replaced)
        self.backend.workspace.changed(uri, before.text, replaced)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        """`textDocument/didClose`."""
        uri = params.text_document.uri
        self.overtaking.end(uri)
        self.retention.closed(uri)
        if self.documents.close(uri) is not None:
            self.backend.completer.forget(uri)
            self.backend.workspace.closed(uri)

    def folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """`workspace/didChangeWorkspaceFolders`."""
        for folder in params.event.removed:
            self.folders.pop(folder.uri, None)
        self.set_folders(params.event.added)
        self.backend.workspace.set_folders(list(self.folders.values()))

    def report_server_error(self, error: BaseException, source: Any = None) -> None:
        """Note an unexpected error in the log, as its type and place; the client sees no pop-up."""
        log.error("Unexpected %s at %s.", type(error).__name__, place(error))
        log.debug("In full:", exc_info=error)

    def stop(self, code: int = 0) -> None:
        """End the connection after the message that is being handled."""
        self.exit_code = code
        if self.inbox is not None:
            self.inbox.stop()

    async def close(self) -> None:
        """Let go of the engine and of the votes."""
        self.retention.close()
        await self.votes.close()
        if self._backend is not None:
            await self._backend.completer.close()
            await self._backend.engine.close()


def _change(event: types.TextDocumentContentChangeEvent) -> Change:
    if isinstance(event, types.TextDocumentContentChangePartial):
        start, end = event.range.start, event.range.end
        return Change(
            event.text, Place(start.line, start.character), Place(end.line, end.character)
        )
    return Change(event.text)


def _path(uri: str) -> Path | None:
    """The local folder that a `file:` URI names."""
    if not uri.startswith("file:"):
        return None
    try:
        path = to_fs_path(uri)
    except ValueError:
        return None
    return Path(path) if path else None
