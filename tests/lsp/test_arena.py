"""Watching a suggestion being denoised, and choosing between two without names."""

import json

import pytest

from dcomplete.errors import Reason, Refusal
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import Kind
from dcomplete_lsp.outcomes import outcome_file
from tests.lsp.wire import at, local

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("data_home")]
URI = "file:///a.py"
BOTH = [{"model": "one"}, {"policy": "two"}]


async def test_watching_streams_every_step_before_the_items():
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        answer = await client.request("dcomplete/watch", at(URI, partialResultToken="t"))
        assert len(answer["result"]["items"]) == 1
        steps = client.notified("$/progress")
        assert [note["token"] for note in steps] == ["t", "t"]
        assert [note["value"]["step"] for note in steps] == [1, 2]
        assert steps[0]["value"]["rows"] == [
            [{"text": None, "pinned": False}, {"text": "a", "pinned": True}]
        ]


async def test_a_comparison_names_nobody_until_the_vote():
    async with local() as client:
        await client.initialize(initializationOptions={"log": {"outcomes": True}})
        await client.open(URI)
        seen = set()
        for _ in range(20):
            answer = (await client.request("dcomplete/compare", at(URI, contestants=BOTH)))[
                "result"
            ]
            first, second = (item["insertText"] for item in answer["items"])
            assert set(answer) == {"id", "items"}
            vote = {"id": answer["id"], "choice": "first"}
            names = (await client.request("dcomplete/vote", vote))["result"]
            assert names["first"]["model"] + names["first"]["policy"] in first
            assert names["second"]["model"] + names["second"]["policy"] in second
            seen.add(names["first"]["model"])
        assert seen == {"one", ""}, "the order is random"
    lines = [json.loads(line) for line in outcome_file().read_text().splitlines()]
    assert len(lines) == 20
    assert {line["event"] for line in lines} == {"vote"}


@pytest.mark.parametrize("contestants", [None, [], [{}], [{}, 7], [{}, {"model": 7}], [{}] * 3])
async def test_contestants_that_do_not_fit_are_answered(contestants):
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        answer = await client.request("dcomplete/compare", at(URI, contestants=contestants))
        assert answer["error"]["code"] == -32602


async def test_a_comparison_where_nothing_belongs_has_no_items_and_a_vote_counts_once():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "x", "refuse")
        answer = (await client.request("dcomplete/compare", at(URI, contestants=BOTH)))["result"]
        assert answer["items"] == [None, None]
        vote = {"id": answer["id"], "choice": "neither"}
        wrong = await client.request("dcomplete/vote", {**vote, "choice": "both"})
        assert "first, second, tie, neither" in wrong["error"]["message"]
        assert "result" in await client.request("dcomplete/vote", vote)
        assert "error" in await client.request("dcomplete/vote", vote)


async def test_a_vote_is_no_outcome_where_outcomes_are_not_kept():
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        answer = (await client.request("dcomplete/compare", at(URI, contestants=BOTH)))["result"]
        await client.request("dcomplete/vote", {"id": answer["id"], "choice": "first"})
    assert not outcome_file().exists()


async def test_a_comparison_without_an_engine_is_kept_as_failed():
    async def refuse(*_: object, **__: object) -> None:
        raise Refusal("The engine cannot be reached.", Reason.NO_ENGINE)

    async with local() as client:
        await client.initialize()
        await client.open(URI)
        client.server.backend.completer.complete = refuse
        answer = (await client.request("dcomplete/compare", at(URI, contestants=BOTH)))["result"]
        await client.request("dcomplete/vote", {"id": answer["id"], "choice": "neither"})
    with VoteStore() as store:
        assert store.kinds() == {Kind.FAILED: 1}
