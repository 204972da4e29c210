"""Settings, loading and registration, as different editors do them."""

import asyncio
from typing import Any

import pytest

from dcomplete.serve.orders import Choice
from dcomplete.settings import ModelSettings, Settings
from tests.lsp.wire import INLINE, at, local

pytestmark = pytest.mark.asyncio
URI = "file:///a.py"
STATUS, MESSAGE = "dcomplete/status", "window/showMessage"
CONFIGURE = "workspace/didChangeConfiguration"


async def command(client: Any, name: str) -> Any:
    params = {"command": f"dcomplete.{name}", "arguments": []}
    return (await client.request("workspace/executeCommand", params))["result"]


async def test_initialization_options_are_settings_beside_the_editors_own_fields():
    async with local() as client:
        info = {"name": "ed", "version": "1"}
        options = {"editorInfo": info, "editorPluginInfo": info, "trigger": {"debounceMs": 20}}
        await client.initialize(initializationOptions=options)
        await command(client, "status")
        assert client.server.settings.trigger.debounce_ms == 20.0
        assert not client.notified(MESSAGE)
        assert client.notified("didChangeStatus")[0] == {
            "busy": True, "message": "Loading the model.", "kind": "Normal",
        }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"trigger": {"debounceMs": "soon", "comments": False}},
        {"trigger": {"debounceMs": "soon"}, "dcomple": 1},
        {"trigger": 7},
        [1],
        "text",
    ],
)
async def test_wrong_options_cost_one_sentence_and_not_the_rest(options):
    async with local() as client:
        assert "result" in await client.initialize(initializationOptions=options)
        await client.notify(CONFIGURE, {"settings": options})
        await command(client, "status")
        [message] = client.notified(MESSAGE)
        assert message["message"].count("Setting") + message["message"].count("setting") == 1
        assert client.server.settings.trigger.debounce_ms == 0.0
        nested = isinstance(options, dict) and options["trigger"]
        if isinstance(nested, dict) and "comments" in nested:
            assert not client.server.settings.trigger.comments


@pytest.mark.parametrize("wrapped", [True, False])
async def test_changed_configuration_is_used_from_then_on(wrapped):
    async with local() as client:
        await client.initialize(initializationOptions={"context": {"tokens": 500}})
        await client.open(URI)
        settings: dict[str, Any] = {"enabled": False, "context": {"snippets": False}}
        await client.notify(
            CONFIGURE, {"settings": {"dcomplete": settings} if wrapped else settings}
        )
        assert (await client.request(INLINE, at(URI)))["result"] == []
        assert client.notified(STATUS)[-1]["kind"] == "off"
        completer = client.server.backend.completer
        assert completer.settings.context.tokens == 500
        assert not completer.settings.context.snippets
        await client.notify(CONFIGURE, {"settings": {"dcomplete": {}}})
        assert (await client.request(INLINE, at(URI)))["result"]


async def test_settings_are_pulled_where_the_editor_can_be_asked():
    async with local() as client:
        client.answers["workspace/configuration"] = [{"trigger": {"multiline": "never"}}]
        workspace = {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}
        await client.initialize(capabilities={"workspace": workspace})
        await client.until(lambda: client.server.settings.trigger.multiline == "never")
        client.answers["workspace/configuration"] = [None]
        await client.notify(CONFIGURE, {"settings": None})
        await client.until(lambda: client.server.settings.trigger.multiline == "auto")
        registered = [r for r in client.requests if r["method"] == "client/registerCapability"]
        [registration] = registered[0]["params"]["registrations"]
        assert registration["method"] == CONFIGURE


ASKED: dict[str, Any] = {"capabilities": {"workspace": {"configuration": True}}}
COMMENTS: dict[str, Any] = {"trigger": {"comments": False}}


@pytest.mark.parametrize("later", [{}, {"model": {"policy": "p2"}}])
async def test_a_setting_of_the_start_that_is_left_out_later_is_taken_back(later):
    async with local(Settings(model=ModelSettings(name="given"))) as client:
        first = {**COMMENTS, "model": {"name": "other"}}
        client.answers["workspace/configuration"] = [first]
        await client.initialize(initializationOptions={"dcomplete": first}, **ASKED)
        await client.notify(CONFIGURE, {"settings": {"dcomplete": first}})
        await command(client, "status")
        assert client.server.settings.model.name == "other"
        client.answers["workspace/configuration"] = [later]
        await client.notify(CONFIGURE, {"settings": {"dcomplete": later}})
        await client.until(lambda: client.server.settings.model.name == "given")
        assert client.server.settings.trigger.comments


async def test_what_the_editor_says_when_asked_replaces_the_initialization_options():
    async with local() as client:
        client.answers["workspace/configuration"] = [{"context": {"tokens": 500}}]
        await client.initialize(initializationOptions=COMMENTS, **ASKED)
        await client.until(lambda: client.server.settings.context.tokens == 500)
        assert client.server.settings.trigger.comments


@pytest.mark.parametrize("pushed", [None, {}, {"python": {"analysis": {}}}, {"dcomplete": None}])
@pytest.mark.parametrize("answer", [None, {}])
async def test_the_initialization_options_hold_where_the_editor_says_nothing_of_ours(
    answer, pushed
):
    async with local() as client:
        client.answers["workspace/configuration"] = [answer]
        await client.initialize(initializationOptions=COMMENTS, **ASKED)
        await client.until(lambda: client.requests)
        await client.notify(CONFIGURE, {"settings": pushed})
        await command(client, "status")
        await asyncio.sleep(0.05)
        assert not client.server.settings.trigger.comments


async def test_an_editor_that_answers_nonsense_about_its_configuration_is_served_all_the_same():
    async with local() as client:
        client.answers["workspace/configuration"] = 7
        await client.initialize(capabilities={"workspace": {"configuration": True}})
        await client.open(URI)
        assert (await client.request(INLINE, at(URI)))["result"]
        await client.until(lambda: client.notified(STATUS))


async def test_plain_completion_is_registered_and_withdrawn_by_the_settings():
    async with local() as client:
        text = {"completion": {"dynamicRegistration": True}}
        await client.initialize(capabilities={"textDocument": text})
        await client.open(URI)
        for wanted, method in ((True, "registerCapability"), (False, "unregisterCapability")):
            settings = {"trigger": {"completion": wanted}}
            await client.notify(CONFIGURE, {"settings": settings})
            await client.until(lambda: client.requests)
            assert client.requests.pop()["method"] == f"client/{method}"
            if wanted:
                answer = await client.request("textDocument/completion", at(URI))
                assert answer["result"]["items"]


async def test_loading_shows_progress_where_the_editor_can():
    async with local() as client:
        await client.initialize(capabilities={"window": {"workDoneProgress": True}})
        await client.until(lambda: len(client.notified("$/progress")) == 2)
        begin, end = (note["value"] for note in client.notified("$/progress"))
        assert (begin["kind"], end["kind"]) == ("begin", "end")
        assert end["message"] == "The model is loaded."
        kinds = [status["kind"] for status in client.notified(STATUS)]
        assert kinds == ["loading", "ready"]


async def test_a_model_that_is_missing_is_said_once_and_does_not_stop_the_server():
    async with local(Settings(model=ModelSettings(name="missing"))) as client:
        await client.initialize()
        await client.until(lambda: client.notified(MESSAGE))
        assert client.notified(MESSAGE)[0]["message"] == "There is no model called missing."
        assert client.notified(STATUS)[-1]["kind"] == "error"
        await client.notify(CONFIGURE, {"settings": {"model": {"name": "other"}}})
        await client.until(lambda: client.notified(STATUS)[-1]["kind"] == "ready")
        assert client.notified(STATUS)[-1]["model"] == "other"


async def test_a_changed_device_or_number_format_is_what_the_engine_loads():
    async with local() as client:
        await client.initialize(initializationOptions={"model": {"device": "cpu"}})
        for dtype in ("int8", "float32"):
            await client.notify(CONFIGURE, {"settings": {"model": {"dtype": dtype}}})
            await command(client, "status")
        engine = client.server.backend.engine
        assert engine.warmed[-2:] == [Choice("", "cpu", "int8"), Choice("", "cpu", "float32")]


async def test_the_toggle_switches_off_and_on_again():
    async with local() as client:
        await client.initialize()
        assert await command(client, "toggle") == {"enabled": False}
        assert client.notified(STATUS)[-1]["kind"] == "off"
        assert await command(client, "toggle") == {"enabled": True}
        assert client.notified(STATUS)[-1]["kind"] in ("ready", "loading")


async def test_status_and_restart_are_commands():
    async with local() as client:
        await client.initialize()
        status = await command(client, "status")
        assert status["engine"]["state"] == "ready"
        assert status["encoding"] == "utf-16"
        before = len(client.notified(STATUS))
        assert await command(client, "restartEngine") is None
        await client.until(lambda: client.notified(STATUS)[before:])


async def test_a_root_of_an_older_editor_is_a_folder():
    async with local() as client:
        await client.initialize(rootUri="file:///some/root")
        await command(client, "status")
        assert [path.name for path in client.server.folders.values()] == ["root"]


async def test_switched_off_while_the_model_loads_it_stays_off():
    async with local() as client:
        await client.initialize()
        await client.until(lambda: client.notified(STATUS))
        await client.notify(CONFIGURE, {"settings": {"enabled": False}})
        await asyncio.sleep(0.2)
        assert client.notified(STATUS)[-1]["kind"] == "off"


async def test_a_loading_that_a_newer_one_replaced_does_not_say_that_it_is_done():
    async with local() as client:
        await client.initialize(capabilities={"window": {"workDoneProgress": True}})
        await client.until(lambda: client.notified("$/progress"))
        await client.notify(CONFIGURE, {"settings": {"model": {"name": "two"}}})
        await client.until(lambda: len(client.notified("$/progress")) == 4)
        ends = [n["value"] for n in client.notified("$/progress") if n["value"]["kind"] == "end"]
        assert [end["message"] for end in ends] == [
            "Another loading took its place.", "The model is loaded.",
        ]  # fmt: skip
