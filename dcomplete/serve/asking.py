"""What both HTTP servers of ours need of a request: its whole body, and to know when its client goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from dcomplete.errors import UserError

MAX_BODY = 8_000_000  # bytes of a request


class TooLarge(UserError):
    """A body of more than `MAX_BODY`."""


async def body_of(request: Request) -> bytes:
    """The whole body; raises TooLarge as soon as it is."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise TooLarge(f"The request is larger than {MAX_BODY // 1_000_000} MB.")
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def until_gone(request: Request) -> "AsyncIterator[asyncio.Task[None]]":
    """Within, a task that ends when the client closes its connection."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    watching = asyncio.create_task(watch())
    try:
        yield watching
    finally:
        watching.cancel()
