"""Latest wins, and nobody waits for work that is slow to stop."""

import asyncio

import pytest

from dcomplete.errors import Reason, Refusal
from dcomplete_lsp.overtaking import Overtaking

pytestmark = pytest.mark.asyncio


async def stubborn(log: list[str]) -> int:
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        log.append("told to stop")
        await asyncio.sleep(0.05)
        raise ValueError("too late") from None
    return 1


async def quick() -> int:
    return 2


async def test_the_overtaken_waiter_is_told_at_once_and_its_work_is_stopped():
    overtaking, log = Overtaking(), []
    older = asyncio.ensure_future(overtaking.run("a", stubborn(log)))
    await asyncio.sleep(0)
    assert await overtaking.run("a", quick()) == 2
    with pytest.raises(Refusal) as refusal:
        await older
    assert refusal.value.reason is Reason.SUPERSEDED
    await asyncio.sleep(0.1)
    assert log == ["told to stop"]
    assert len(overtaking) == 0


async def test_a_cancelled_waiter_is_cancelled_and_stops_its_work():
    overtaking, log = Overtaking(), []
    waiter = asyncio.ensure_future(overtaking.run("a", stubborn(log)))
    await asyncio.sleep(0.01)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await asyncio.sleep(0.1)
    assert log == ["told to stop"]
    assert len(overtaking) == 0


async def test_errors_of_the_work_are_its_waiters():
    async def fails() -> None:
        raise Refusal("no")

    with pytest.raises(Refusal, match="no"):
        await Overtaking().run("a", fails())


async def test_other_documents_are_not_overtaken():
    overtaking = Overtaking()
    assert await asyncio.gather(overtaking.run("a", quick()), overtaking.run("b", quick())) == [
        2,
        2,
    ]
    overtaking.end("nothing runs here")


async def test_work_of_another_kind_is_not_overtaken_and_ends_with_its_document():
    """An editor may ask for ghost text and for its menu at one keystroke."""
    overtaking, log = Overtaking(), []
    ghost = asyncio.ensure_future(overtaking.run("a", stubborn(log)))
    await asyncio.sleep(0)
    assert await overtaking.run("a", quick(), "popup") == 2
    assert not ghost.done()
    overtaking.end("a")
    with pytest.raises(Refusal):
        await ghost
    assert len(overtaking) == 0
