"""What an editor asks, read from raw parameters to a snapshot of the document."""

from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from dcomplete.document import Gap, Snapshot
from dcomplete_lsp.documents import OpenDocument, Place
from dcomplete_lsp.indentation import guess
from dcomplete_lsp.server import Server

_INVOKED = types.InlineCompletionTriggerKind.Invoked
_NAMES: dict[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


def read_ask(server: Server, raw: Any, method: str) -> Snapshot | None:
    """A snapshot of what is asked; None if the document is not open or has changed since.

    `formattingOptions` and `textDocument.version` are extensions of Copilot's language server.
    Raises JsonRpcInvalidParams.
    """
    params = server.protocol.params(raw, types.InlineCompletionParams, method)
    document = server.documents.get(params.text_document.uri)
    version = raw["textDocument"].get("version")
    if document is None or (isinstance(version, int) and version < document.version):
        return None
    formatting = raw.get("formattingOptions")
    if formatting is not None:
        formatting = server.protocol.params(formatting, types.FormattingOptions, method)
    info = params.context.selected_completion_info
    return snapshot_at(
        server,
        document,
        params.position,
        automatic=params.context.trigger_kind is not _INVOKED,
        formatting=formatting,
        selected=None if info is None else (*_span(server, document, info.range), info.text),
    )


def snapshot_at(
    server: Server,
    document: OpenDocument,
    position: types.Position,
    automatic: bool = True,
    formatting: types.FormattingOptions | None = None,
    selected: tuple[int, int, str] | None = None,
) -> Snapshot:
    """The document at this moment with an empty gap at `position`."""
    place = Place(position.line, position.character)
    offset = document.offset(place, server.documents.encoding)
    tab_size, insert_spaces = guess(document.text)
    if formatting is not None:
        tab_size = min(max(formatting.tab_size, 1), 16)
        insert_spaces = formatting.insert_spaces
    return Snapshot(
        uri=document.uri,
        language=document.language,
        version=document.version,
        text=document.text,
        gap=Gap(offset, offset),
        automatic=automatic,
        tab_size=tab_size,
        insert_spaces=insert_spaces,
        selected=selected,
    )


def _span(server: Server, document: OpenDocument, span: types.Range) -> tuple[int, int]:
    places = (Place(p.line, p.character) for p in (span.start, span.end))
    start, end = sorted(document.offset(place, server.documents.encoding) for place in places)
    return start, end


def field(raw: Any, name: str, kind: type, method: str) -> Any:
    """A field of raw parameters; raises JsonRpcInvalidParams if it is missing or of another type."""
    value = raw.get(name) if isinstance(raw, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise JsonRpcInvalidParams(
            f"The parameters of {method} do not fit: {name} must be {_NAMES[kind]}."
        )
    return value
