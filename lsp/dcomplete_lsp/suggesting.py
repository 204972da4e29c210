"""`textDocument/inlineCompletion` and `textDocument/completion`: from a request to items."""

import re
from typing import Any

from lsprotocol import types

from dcomplete.document import Snapshot
from dcomplete.errors import Cancelled, DcompleteError, Reason, Refusal
from dcomplete.types import Stopwatch, Suggestion, Watcher
from dcomplete_lsp.asking import read_ask, snapshot_at
from dcomplete_lsp.outcomes import Offer
from dcomplete_lsp.server import Server

ACCEPT = "dcomplete.didAccept"
_INVOKED_COUNT = 3
# For these the answer is null, which lets an editor keep what it shows; else an empty list hides it.
_KEEP = {Reason.SUPERSEDED, Reason.LOADING}
_WORD = re.compile(r"\w*\Z")
_LABEL = 60


def register(server: Server) -> None:
    """Offer inline completions. Plain ones are registered when the settings ask for them."""
    options = types.InlineCompletionOptions()
    server.on(types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_completion, options)


async def inline_completion(ls: Server, params: Any) -> list[types.InlineCompletionItem] | None:
    """One item where the editor asks by itself, up to three where the person does."""
    snapshot = read_ask(ls, params, types.TEXT_DOCUMENT_INLINE_COMPLETION)
    if snapshot is None:
        return None
    found = await suggest(ls, snapshot, 1 if snapshot.automatic else _INVOKED_COUNT)
    return None if found is None else [inline_item(ls, snapshot, s) for s in found]


async def completion(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
    """The suggestion as an item of the popup menu, for editors without inline completion."""
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return None
    snapshot = snapshot_at(ls, document, params.position)
    found = await suggest(ls, snapshot, 1, kind="popup") or []
    items = [_popup_item(ls, snapshot, suggestion) for suggestion in found]
    return types.CompletionList(is_incomplete=True, items=items)


async def suggest(
    server: Server, snapshot: Snapshot, count: int, watch: Watcher | None = None, kind: str = ""
) -> list[Suggestion] | None:
    """Suggestions for the editor; None if it should keep what it shows.

    The status says why there are none. A newer request of the same `kind` takes the place of this one.
    """
    watch_ms = Stopwatch()
    server.board.begin()
    try:
        work = server.backend.completer.complete(snapshot, count, watch)
        found = await server.overtaking.run(snapshot.uri, work, kind)
    except Cancelled:
        return None
    except Refusal as refusal:
        server.board.refused(refusal)
        return None if refusal.reason in _KEEP else []
    except DcompleteError as error:
        server.board.failed(str(error))
        return []
    finally:
        server.board.end()
    server.board.answered()
    for suggestion in found:
        offer = Offer(suggestion, snapshot.language, snapshot.automatic, watch_ms.total())
        server.outcomes.offered(offer)
    return found


def inline_item(
    server: Server, snapshot: Snapshot, suggestion: Suggestion
) -> types.InlineCompletionItem:
    """A suggestion as an editor takes it."""
    return types.InlineCompletionItem(
        insert_text=suggestion.text,
        filter_text=_filter_text(snapshot, suggestion),
        range=_range(server, snapshot.uri, suggestion.start, suggestion.end),
        command=_accept(suggestion),
    )


def _accept(suggestion: Suggestion) -> types.Command:
    return types.Command("Accept the suggestion", ACCEPT, arguments=[suggestion.id])


def _filter_text(snapshot: Snapshot, suggestion: Suggestion) -> str | None:
    """What VS Code compares with: the text that is replaced must be a prefix of it.

    That is the rule of `InlineCompletionItem.filterText` in VS Code's API; it is needed where the
    suggestion also replaces text behind the cursor, such as a bracket that the editor closed.
    """
    replaced = snapshot.text[suggestion.start : suggestion.end]
    if suggestion.text.startswith(replaced):
        return None
    typed = snapshot.text[suggestion.start : snapshot.gap.start]
    known = len(typed) if suggestion.text.startswith(typed) else 0
    return replaced + suggestion.text[known:]


def _popup_item(server: Server, snapshot: Snapshot, suggestion: Suggestion) -> types.CompletionItem:
    """An item that starts with the word before the cursor, which popup menus filter by.

    It comes after the items of other servers, whose names are short and exact.
    """
    cursor = snapshot.gap.start
    line_start = snapshot.text.rfind("\n", 0, suggestion.start) + 1
    word = _WORD.search(snapshot.text[line_start : suggestion.start])
    head = word[0] if word else ""
    text = head + suggestion.text
    typed = snapshot.text[suggestion.start - len(head) : cursor]
    first, *more = text.strip().split("\n", maxsplit=1)
    return types.CompletionItem(
        label=first.rstrip()[:_LABEL] + ("…" if more or len(first) > _LABEL else ""),
        kind=types.CompletionItemKind.Snippet,
        detail="dcomplete",
        documentation=text,
        sort_text="~dcomplete",
        filter_text=text if text.startswith(typed) else typed + text,
        text_edit=types.TextEdit(
            _range(server, snapshot.uri, suggestion.start - len(head), suggestion.end), text
        ),
        insert_text_format=types.InsertTextFormat.PlainText,
        command=_accept(suggestion),
    )


def _range(server: Server, uri: str, start: int, end: int) -> types.Range:
    document = server.documents.get(uri)
    assert document is not None  # work for a closed document is superseded
    places = (document.place(offset, server.documents.encoding) for offset in (start, end))
    first, last = (types.Position(place.line, place.column) for place in places)
    return types.Range(first, last)
