"""One computation for those that ask for the same, and what happens when one of them leaves."""

import asyncio
import gc

import pytest

from dcomplete.dialects.sharing import Sharing

pytestmark = pytest.mark.asyncio


class Work:
    """Ends when it is told to."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.end = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return f"answer {self.begun}"


async def begun(count: int, sharing: Sharing[str], work: Work) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(sharing.get("key", work)) for _ in range(count)]
    await asyncio.sleep(0.01)
    return tasks


async def test_all_get_the_one_answer_and_later_ones_another():
    sharing, work = Sharing(), Work()
    tasks = await begun(3, sharing, work)
    work.end.set()
    assert await asyncio.gather(*tasks) == ["answer 1"] * 3
    assert await sharing.get("key", work) == "answer 2"
    assert sharing._running == {}


async def test_others_have_their_own():
    sharing, one, two = Sharing(), Work(), Work()
    tasks = [asyncio.create_task(sharing.get(w, w)) for w in (one, two)]
    one.end.set()
    two.end.set()
    await asyncio.gather(*tasks)
    assert (one.begun, two.begun) == (1, 1)


async def test_who_leaves_does_not_disturb_the_others():
    sharing, work = Sharing(), Work()
    first, second = await begun(2, sharing, work)
    first.cancel()
    await asyncio.sleep(0.01)
    work.end.set()
    assert await second == "answer 1" and work.cancelled == 0
    assert first.cancelled()


async def test_the_last_that_leaves_ends_it_and_the_next_begins_anew():
    sharing, work = Sharing(), Work()
    tasks = await begun(2, sharing, work)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    (third,) = await begun(1, sharing, work)
    assert (work.begun, work.cancelled) == (2, 1)
    work.end.set()
    assert await third == "answer 2"


async def test_a_failure_that_nobody_waits_for_is_no_news(caplog):
    left = asyncio.Event()

    async def fail() -> str:
        try:
            await left.wait()
        finally:
            raise KeyError("hunter2_marker")

    (task,) = await begun(1, Sharing(), fail)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0.01)
    del task
    gc.collect()
    assert caplog.text == ""


async def test_a_failure_is_everybody_s():
    async def fail() -> str:
        await asyncio.sleep(0)
        raise KeyError("x")

    sharing: Sharing[str] = Sharing()
    tasks = [asyncio.create_task(sharing.get("key", fail)) for _ in range(2)]
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in said] == [KeyError, KeyError]
