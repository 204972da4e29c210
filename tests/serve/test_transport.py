"""The client's connections: what asyncio may say about them."""

import asyncio
import logging

import pytest

from dcomplete.serve.places import Address
from dcomplete.serve.transport import open_async_client


def late(*_: object) -> None:
    raise asyncio.InvalidStateError("invalid state")


@pytest.mark.asyncio
async def test_a_result_that_comes_after_cancellation_is_not_reported(caplog, tmp_path):
    async with open_async_client(Address(socket=str(tmp_path / "engine.sock"))):
        loop = asyncio.get_running_loop()
        cancelled: asyncio.Future[None] = loop.create_future()
        cancelled.cancel()
        loop.call_soon(cancelled.set_result, None)
        await asyncio.sleep(0.01)
        assert caplog.records == []
        loop.call_soon(late)  # the same error from elsewhere is news
        await asyncio.sleep(0.01)
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
