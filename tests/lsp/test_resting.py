"""Where the cursor rests is read ahead, for people who write."""

import math
from typing import Any

import pytest

from tests.lsp.wire import local

URI, RESTED = "file:///a.py", "dcomplete/didRest"
HERE = {"textDocument": {"uri": URI, "version": 2}, "position": {"line": 1, "character": 2}}


async def after(client: Any, params: object) -> list[str]:
    """What the completer was told, once the server has seen `params`."""
    await client.notify(RESTED, params)
    await client.request("workspace/executeCommand", {"command": "dcomplete.status"})
    calls = client.server.backend.completer.calls
    return [call for call in calls if call.startswith("read")]


async def open_and_edit(client: Any) -> None:
    await client.initialize()
    await client.open(URI, "a = 1\n")
    change = {"textDocument": {"uri": URI, "version": 2}}
    await client.notify(
        "textDocument/didChange", change | {"contentChanges": [{"text": "a = 1\nbcd\n"}]}
    )


@pytest.mark.asyncio
async def test_a_place_where_the_cursor_rests_is_read_ahead():
    async with local() as client:
        await open_and_edit(client)
        assert await after(client, HERE) == [f"read {URI} at 8"]


@pytest.mark.asyncio
async def test_nothing_is_read_for_who_only_reads():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "a = 1\nbcd\n")
        assert await after(client, HERE) == []
        client.server.edited = -math.inf
        assert await after(client, HERE) == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "params",
    [
        HERE | {"textDocument": {"uri": "file:///other.py"}},
        HERE | {"textDocument": {"uri": URI, "version": 1}},
        HERE | {"position": {"line": "x"}},
        {"textDocument": {"uri": URI}},
        {"textDocument": 5},
        None,
        [],
    ],
)
async def test_a_place_that_is_none_is_ignored(params):
    async with local() as client:
        await open_and_edit(client)
        assert await after(client, params) == []
