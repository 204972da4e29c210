"""What the person did with a suggestion: a command, and the notifications of Copilot's server."""

from typing import Any

from lsprotocol import types

from dcomplete_lsp.asking import field
from dcomplete_lsp.convert import code_points
from dcomplete_lsp.server import Server
from dcomplete_lsp.suggesting import ACCEPT

SHOWN = "textDocument/didShowCompletion"
PARTLY = "textDocument/didPartiallyAcceptCompletion"
FOCUSED = "textDocument/didFocus"
DISMISSED = "dcomplete/didDismiss"


def register(server: Server) -> None:
    """Listen to what becomes of suggestions."""
    server.on_command(ACCEPT, did_accept)
    server.on(SHOWN, did_show)
    server.on(PARTLY, did_partly_accept)
    server.on(DISMISSED, did_dismiss)
    server.on(FOCUSED, did_focus)


async def did_accept(ls: Server, *arguments: Any) -> None:
    """The editor runs this command after it inserted an item; the argument is the item's id."""
    id = arguments[0] if arguments else ""
    if isinstance(id, str) and ls.outcomes.get(id) is not None:
        ls.outcomes.record("accepted", id)
        ls.backend.completer.accepted(id)


async def did_show(ls: Server, params: Any) -> None:
    """`{item}`: the item is on screen."""
    ls.outcomes.record("shown", _item_id(params, SHOWN))


async def did_partly_accept(ls: Server, params: Any) -> None:
    """`{item, acceptedLength}`: UTF-16 units of the item's text that were taken so far."""
    id = _item_id(params, PARTLY)
    length = field(params, "acceptedLength", int, PARTLY)
    if (offer := ls.outcomes.get(id)) is not None:
        characters = code_points(offer.suggestion.text, length, "utf-16")
        ls.outcomes.record("partly-accepted", id, characters)
        ls.backend.completer.accepted(id, characters)


async def did_dismiss(ls: Server, params: Any) -> None:
    """`{id}`: the person does not want the suggestion."""
    id = field(params, "id", str, DISMISSED)
    if ls.outcomes.get(id) is not None:
        ls.outcomes.record("dismissed", id)
        ls.backend.completer.dismissed(id)


async def did_focus(ls: Server, params: Any) -> None:
    """`{textDocument: {uri}}`, or `{}` where no document has the focus."""
    if not (isinstance(params, dict) and "textDocument" in params):
        return
    document = ls.protocol.params(params["textDocument"], types.TextDocumentIdentifier, FOCUSED)
    if ls.documents.get(document.uri) is not None:
        ls.backend.workspace.focused(document.uri)


def _item_id(params: Any, method: str) -> str:
    """The id in an item's acceptance command: items have no other place for it."""
    command = field(params, "item", dict, method).get("command")
    arguments = field(command, "arguments", list, method)
    return arguments[0] if arguments and isinstance(arguments[0], str) else ""
