"""Items as editors need them."""

import pytest

from dcomplete.settings import Settings, TriggerSettings
from tests.lsp.wire import INLINE, at, local

pytestmark = pytest.mark.asyncio
URI = "file:///a.py"
STATUS = "dcomplete/status"


async def test_a_replaced_bracket_is_in_the_range_and_a_prefix_of_the_filter_text():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "call()\n")
        [item] = (await client.request(INLINE, at(URI, 0, 5)))["result"]
        assert item["range"]["end"] == {"line": 0, "character": 6}
        assert item["filterText"].startswith(")")
        assert item["command"]["arguments"] == ["1-0"]


async def test_a_plain_insertion_needs_no_filter_text():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "x = ")
        [item] = (await client.request(INLINE, at(URI, 0, 4)))["result"]
        assert "filterText" not in item


async def test_an_item_extends_the_popups_selected_one_in_its_range():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "self.na")
        params = at(URI, 0, 7)
        span = {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 7}}
        params["context"]["selectedCompletionInfo"] = {"range": span, "text": "name"}
        [item] = (await client.request(INLINE, params))["result"]
        assert item["range"] == span
        assert item["insertText"].startswith("name")
        assert "filterText" not in item


@pytest.mark.parametrize(
    ("language", "result", "kind", "reason"),
    [
        ("refuse", [], "ready", "statement-ended"),
        ("loading", None, "loading", "loading"),
        ("wrong", [], "error", None),
        ("fault", [], "error", None),
    ],
)
async def test_no_suggestion_comes_with_a_status_that_says_why(language, result, kind, reason):
    async with local() as client:
        await client.initialize()
        await client.open(URI, "x", language)
        await client.until(lambda: client.notified(STATUS)[-1:] == [ready()])
        for _ in range(2):  # every time, also if it is the same again
            before = len(client.notified(STATUS))
            assert (await client.request(INLINE, at(URI)))["result"] == result
            said = client.notified(STATUS)[before:]
            assert [s["kind"] for s in said] == ["busy", kind]
            assert said[-1]["reason"] == reason
            assert said[-1]["message"].endswith(".")


def ready() -> dict[str, object]:
    return {"kind": "ready", "reason": None, "message": ""}


async def test_plain_completion_is_off_unless_the_settings_want_it():
    async with local() as client:
        capabilities = (await client.initialize())["result"]["capabilities"]
        assert "completionProvider" not in capabilities
        answer = await client.request("textDocument/completion", at(URI))
        assert answer["error"]["code"] == -32601


async def test_plain_completion_gives_the_whole_suggestion_behind_the_typed_word():
    async with local(Settings(trigger=TriggerSettings(completion=True))) as client:
        capabilities = (await client.initialize())["result"]["capabilities"]
        assert "completionProvider" in capabilities
        await client.open(URI, "foo.ba)")
        answer = await client.request("textDocument/completion", at(URI, 0, 6))
        [item] = answer["result"]["items"]
        assert answer["result"]["isIncomplete"]
        assert item["detail"] == "dcomplete"
        assert item["textEdit"]["newText"].startswith("bax0")
        assert item["textEdit"]["range"]["start"] == {"line": 0, "character": 4}
        assert item["textEdit"]["range"]["end"] == {"line": 0, "character": 7}
        assert item["filterText"].startswith("ba")
        assert item["sortText"] > "z"
        answer = await client.request("textDocument/completion", at("file:///none"))
        assert answer["result"] is None
