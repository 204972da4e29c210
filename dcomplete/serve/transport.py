"""HTTP to the engine process over its socket or port. httpx is imported when first needed."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from dcomplete.serve.places import Address

if TYPE_CHECKING:
    import httpx

CONNECT_S = 5.0


def _options(address: Address, read_s: float | None) -> dict[str, Any]:
    import httpx

    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    return {
        "base_url": f"http://127.0.0.1:{address.port}" if address.port else "http://localhost",
        "headers": headers,
        "timeout": httpx.Timeout(CONNECT_S, read=read_s, write=None, pool=None),
        "trust_env": False,  # a proxy of the environment must not see requests to this machine
    }


def _transport_options(address: Address) -> dict[str, Any]:
    import httpx

    # Each request has a connection of its own: closing it is how a client gives the request up.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return {"uds": address.socket or None, "verify": False, "trust_env": False, "limits": limits}


def open_client(address: Address, read_s: float | None = None) -> "httpx.Client":
    """A blocking client; `read_s` are the most seconds between two parts of an answer."""
    import httpx

    transport = httpx.HTTPTransport(**_transport_options(address))
    return httpx.Client(transport=transport, **_options(address, read_s))


def open_async_client(address: Address, read_s: float | None = None) -> "httpx.AsyncClient":
    """See `open_client`; for one event loop."""
    import httpx

    logging.getLogger("asyncio").addFilter(without_race)
    transport = httpx.AsyncHTTPTransport(**_transport_options(address))
    return httpx.AsyncClient(transport=transport, **_options(address, read_s))


def without_race(record: logging.LogRecord) -> bool:
    """Whether a record of asyncio's is news.

    A Unix socket that becomes readable in the very moment in which its reader is cancelled makes
    asyncio report that a future of anyio's has a result already (anyio issue 1267 is of that kind).
    """
    error = record.exc_info[1] if record.exc_info else None
    race = isinstance(error, asyncio.InvalidStateError) and "set_result" in record.getMessage()
    return not race
