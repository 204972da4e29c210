"""Where the cursor rests, which the protocol does not tell: an extension of ours.

A place that was never asked about costs a pass over all that is around it, a second or two on a small
processor. Between a click and the first key there is time for it. Who only reads is left in peace.
"""

import time
from typing import Any

from lsprotocol import types

from dcomplete_lsp.asking import field, snapshot_at
from dcomplete_lsp.server import Server

RESTED = "dcomplete/didRest"
WHILE_S = 300.0  # after a change of any document somebody is writing, not reading


def register(server: Server) -> None:
    """Listen to where the cursor rests."""
    server.on(RESTED, did_rest)


async def did_rest(ls: Server, params: Any) -> None:
    """`{textDocument: {uri, version?}, position}`: the cursor has been there for a moment."""
    identifier = field(params, "textDocument", dict, RESTED)
    document = ls.documents.get(field(identifier, "uri", str, RESTED))
    position = ls.protocol.params(params.get("position"), types.Position, RESTED)
    version = identifier.get("version")
    stale = document is None or (isinstance(version, int) and version < document.version)
    if document is None or stale or time.monotonic() - ls.edited > WHILE_S:
        return
    ls.backend.completer.read_ahead(snapshot_at(ls, document, position))
