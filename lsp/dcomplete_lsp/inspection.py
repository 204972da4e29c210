"""Questions about the server itself: for tests that compare its documents with an editor's."""

import hashlib
from typing import Any

from dcomplete_lsp.asking import field
from dcomplete_lsp.server import Server

CHECKSUM = "dcomplete/checksum"


def register(server: Server) -> None:
    """Answer `dcomplete/checksum`."""
    server.on(CHECKSUM, checksum)


async def checksum(ls: Server, params: Any) -> dict[str, Any] | None:
    """Version, length in code points and SHA-256 of an open document; null if it is not open."""
    identifier = field(params, "textDocument", dict, CHECKSUM)
    document = ls.documents.get(field(identifier, "uri", str, CHECKSUM))
    if document is None:
        return None
    digest = hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"version": document.version, "length": len(document.text), "sha256": digest}
