"""The editor's votes arrive in the store of the evaluation harness; chosen answers are followed."""

import asyncio
import logging
from collections import Counter
from pathlib import Path

import pytest

from dcomplete.votes.schema import store_path
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Kind
from dcomplete_lsp.retention import Retention
from tests.lsp.wire import at, local, running
from tests.systems import WINDOWS

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("data_home")]
URI = "file:///a.py"
BOTH = [{"model": "one"}, {"policy": "two"}]


async def compared(client, **more):
    answer = await client.request("dcomplete/compare", at(URI, **{"contestants": BOTH, **more}))
    return answer["result"]


async def voted(client, id, choice="first"):
    answer = await client.request("dcomplete/vote", {"id": id, "choice": choice})
    return answer["result"]


@pytest.mark.e2e
async def test_a_vote_over_stdio_is_in_the_store_of_the_harness():
    async with running() as client:
        await client.initialize()
        await client.open(URI, "x = (", "python")
        comparison = await compared(client)
        names = await voted(client, comparison["id"], "second")
        await client.request("shutdown")
        await client.notify("exit", None)
        assert await client.ended() == 0
        assert client.errors == b""
    with VoteStore() as store:
        (ballot,) = store.ballots()
        assert (ballot.id, ballot.choice) == (comparison["id"], "second")
        assert (ballot.source, ballot.language) == ("editor", "python")
        expected = {"one": "engine:one:default", "": "engine:default:two"}
        assert ballot.first == expected[names["first"]["model"]]
        assert ballot.second == expected[names["second"]["model"]]
        assert ballot.first_ms >= 0
        assert ballot.after_ms is not None


async def test_the_store_holds_no_code_unless_asked():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "planted_prefix")
        await voted(client, (await compared(client))["id"])
        await client.notify(
            "workspace/didChangeConfiguration", {"settings": {"dcomplete": {"log": {"code": True}}}}
        )
        await voted(client, (await compared(client))["id"])
    with VoteStore() as store:
        without, coded = store.rows(code=True)
        assert (without["prefix"], without["first"]["text"]) == (None, None)
        assert without["suffix_characters"] == len("planted_prefix")
        assert coded["suffix"] == "planted_prefix"
        assert "x0" in coded["first"]["text"]
        assert without["session"] == coded["session"]


async def test_orders_are_balanced_and_only_battles_count():
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        for _ in range(40):
            await voted(client, (await compared(client))["id"])
        await client.open(URI, "x", "refuse")
        await voted(client, (await compared(client))["id"], "neither")
    with VoteStore() as store:
        first, second = store.orders("engine:one:default", "engine:default:two")
        assert first + second == 40
        assert abs(first - second) <= 14  # beyond it lies one run in a million
        assert store.kinds() == {Kind.BATTLE: 40, Kind.BOTH_EMPTY: 1}


async def test_a_comparison_without_a_vote_leaves_nothing():
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        await compared(client)
    with VoteStore() as store:
        assert list(store.rows()) == []


async def test_a_store_that_cannot_be_written_costs_no_answer(data_home, caplog):
    store_path().mkdir(parents=True)
    with caplog.at_level(logging.WARNING, "dcomplete_lsp"):
        async with local() as client:
            await client.initialize()
            await client.open(URI)
            for _ in range(2):
                names = await voted(client, (await compared(client))["id"])
                assert {names["first"]["model"], names["second"]["model"]} == {"one", ""}
    messages = [record.getMessage() for record in caplog.records]
    kind = "PermissionError" if WINDOWS else "IsADirectoryError"
    assert Counter(messages)[f"Votes cannot be kept ({kind})."] == 1
    assert str(data_home) not in "".join(messages)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
async def test_what_becomes_of_a_chosen_answer_is_kept(ends):
    async with local() as client:
        client.server.retention = Retention(client.server.votes.keep, (0, 1))
        await client.initialize()
        await client.open(URI, f"a{ends}")
        comparison = await compared(client)
        await voted(client, comparison["id"])
        text = comparison["items"][0]["insertText"]
        await edit(client, 2, (0, 0), (0, 0), text)
        await until_kept(comparison["id"], 0, 1.0)
        await edit(client, 3, (0, 0), (0, 0), "# before ")
        at_start = len("# before ")
        await edit(client, 4, (0, at_start), (0, at_start + 2), "")  # "x0" goes
        await until_kept(comparison["id"], 1, 1 - 2 / len(text))


async def edit(client, version, start, end, text):
    places = [{"line": line, "character": character} for line, character in (start, end)]
    change = {"range": {"start": places[0], "end": places[1]}, "text": text}
    document = {"uri": URI, "version": version}
    params = {"textDocument": document, "contentChanges": [change]}
    await client.notify("textDocument/didChange", params)


async def until_kept(id: str, after_s: int, share: float):
    with VoteStore(Path(store_path())) as store:
        async with asyncio.timeout(10):
            while id not in store.kept(after_s):
                await asyncio.sleep(0.02)
        assert store.kept(after_s) == {id: pytest.approx(share)}
