"""A conversation with the server: what is answered, and how."""

import pytest

from tests.lsp.fake_server import SECRET
from tests.lsp.wire import CAPABILITIES, INLINE, at, local

pytestmark = pytest.mark.asyncio
URI = "file:///folder/a.py"
INVALID_PARAMS, NOT_FOUND, INVALID_REQUEST, NOT_INITIALIZED = -32602, -32601, -32600, -32002
CANCELLED, INTERNAL, PARSE_ERROR = -32800, -32603, -32700


async def test_inline_completion_is_advertised_with_its_options():
    async with local() as client:
        capabilities = (await client.initialize())["result"]["capabilities"]
        assert capabilities["inlineCompletionProvider"] == {}
        assert capabilities["textDocumentSync"]["change"] == 2
        assert "completionProvider" not in capabilities
        assert "dcomplete.didAccept" in capabilities["executeCommandProvider"]["commands"]


@pytest.mark.parametrize(
    ("offered", "chosen", "column"),
    [(["utf-8", "utf-16"], "utf-8", 6), (["utf-32"], "utf-32", 2), (None, "utf-16", 3)],
)
async def test_columns_count_in_the_negotiated_encoding(offered, chosen, column):
    async with local() as client:
        general = {"general": {"positionEncodings": offered}} if offered else {}
        done = await client.initialize(capabilities=general)
        assert done["result"]["capabilities"]["positionEncoding"] == chosen
        await client.open(URI, "é😀)")
        [item] = (await client.request(INLINE, at(URI, 0, column)))["result"]
        assert item["range"] == {
            "start": {"line": 0, "character": column},
            "end": {"line": 0, "character": column + 1},
        }


async def test_one_item_comes_by_itself_and_three_when_asked():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "x = ")
        assert len((await client.request(INLINE, at(URI, 0, 4, kind=2)))["result"]) == 1
        assert len((await client.request(INLINE, at(URI, 0, 4, kind=1)))["result"]) == 3


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {},
        {"textDocument": {}},
        at(URI, kind=0),
        at(URI) | {"position": {"line": "x", "character": 0}},
        at(URI) | {"position": None},
        at(URI) | {"context": {"triggerKind": 1, "selectedCompletionInfo": {"text": 1}}},
        at(URI) | {"formattingOptions": {"tabSize": "wide"}},
        at(URI) | {"formattingOptions": 4},
    ],
)
async def test_malformed_parameters_are_answered_with_one_sentence_and_no_popup(params):
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        error = (await client.request(INLINE, params))["error"]
        assert error["code"] == INVALID_PARAMS
        assert error["message"].startswith("The parameters of textDocument/inlineCompletion do not")
        assert "\n" not in error["message"]
        assert not client.notified("window/showMessage")


async def test_a_document_that_is_not_open_has_no_suggestion_and_takes_no_change():
    async with local() as client:
        await client.initialize()
        change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": "x"}]}
        await client.notify("textDocument/didChange", change)
        await client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        assert (await client.request(INLINE, at(URI)))["result"] is None


async def test_a_request_for_an_older_version_is_out_of_date():
    async with local() as client:
        await client.initialize()
        await client.open(URI)
        params = at(URI) | {"textDocument": {"uri": URI, "version": 0}}
        assert (await client.request(INLINE, params))["result"] is None


async def test_changes_reach_the_document_also_with_an_older_version():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "ab\r\ncd")
        span = {"start": {"line": 0, "character": 1}, "end": {"line": 1, "character": 1}}
        for version, changes in ((5, [{"range": span, "text": "😀"}]), (3, [{"text": "new"}])):
            document = {"uri": URI, "version": version}
            params = {"textDocument": document, "contentChanges": changes}
            await client.notify("textDocument/didChange", params)
            await client.request(INLINE, at(URI))
            opened = client.server.documents.get(URI)
            assert opened is not None
            assert opened.text == {5: "a😀d", 3: "new"}[version]


async def test_a_newer_request_takes_the_place_of_the_older_one():
    async with local() as client:
        await client.initialize()
        await client.open(URI, language="slow")
        older = await client.ask(INLINE, at(URI))
        newer = await client.ask(INLINE, at(URI))
        assert (await client.response(older))["result"] is None
        assert newer not in client.responses
        assert len((await client.response(newer))["result"]) == 1


async def test_documents_do_not_overtake_each_other():
    async with local() as client:
        await client.initialize()
        uris = [f"file:///{n}" for n in range(3)]
        for uri in uris:
            await client.open(uri, language="slow")
        asked = [await client.ask(INLINE, at(uri)) for uri in uris]
        assert all([(await client.response(id))["result"] for id in asked])


async def test_a_cancelled_request_is_answered_as_cancelled_at_once():
    async with local() as client:
        await client.initialize()
        await client.open(URI, language="slow")
        id = await client.ask(INLINE, at(URI))
        await client.notify("$/cancelRequest", {"id": id})
        assert (await client.response(id))["error"]["code"] == CANCELLED
        await client.notify("$/cancelRequest", {"id": id})
        await client.notify("$/cancelRequest", {"id": {"a": 1}})
        assert (await client.request(INLINE, at(URI)))["result"]


@pytest.mark.parametrize("end", ["close", "change"])
async def test_what_runs_for_a_document_that_closes_or_changes_is_answered_with_null(end):
    async with local() as client:
        await client.initialize()
        await client.open(URI, language="slow")
        id = await client.ask(INLINE, at(URI))
        if end == "close":
            await client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        else:
            document = {"uri": URI, "version": 2}
            params = {"textDocument": document, "contentChanges": [{"text": "y"}]}
            await client.notify("textDocument/didChange", params)
        assert (await client.response(id))["result"] is None


async def test_a_hundred_requests_in_flight_are_all_answered_and_nothing_is_kept():
    async with local() as client:
        await client.initialize()
        for n in range(10):
            await client.open(f"file:///{n}", language="slow")
        asked = [await client.ask(INLINE, at(f"file:///{n % 10}")) for n in range(100)]
        for id in asked[::7]:
            await client.notify("$/cancelRequest", {"id": id})
        await client.until(lambda: set(asked) <= client.responses.keys())
        assert set(client.answered.values()) == {1}
        assert len(client.server.overtaking) == 0
        assert not client.server.protocol._request_futures
        assert not client.server.protocol._result_types


async def test_a_bug_is_answered_in_one_sentence_and_logged_without_its_text(caplog):
    async with local() as client:
        await client.initialize()
        await client.open(URI, SECRET, "broken")
        error = (await client.request(INLINE, at(URI)))["error"]
        assert error["code"] == INTERNAL
        assert error["message"].startswith("dcomplete met an unexpected ValueError")
        assert set(error) == {"code", "message"}
    ours = [record.getMessage() for record in caplog.records if record.name != "pygls"]
    assert any(text.startswith("Unexpected ValueError at fake_server.py:") for text in ours)
    assert SECRET not in "".join(ours)
    assert URI not in "".join(ours)


async def test_requests_out_of_order_are_refused_by_the_protocols_codes():
    async with local() as client:
        assert (await client.request(INLINE, at(URI)))["error"]["code"] == NOT_INITIALIZED
        await client.initialize()
        again = await client.request("initialize", {"capabilities": CAPABILITIES})
        assert again["error"]["code"] == INVALID_REQUEST
        assert (await client.request("textDocument/hover", {}))["error"]["code"] == NOT_FOUND
        assert (await client.request("shutdown"))["result"] is None
        assert (await client.request(INLINE, at(URI)))["error"]["code"] == INVALID_REQUEST


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"Content-Length: 3\r\n\r\n{x}", PARSE_ERROR),
        (b"Content-Length: 2\r\n\r\n\xff\xfe", PARSE_ERROR),
        (b"Content-Length: 90000\r\n\r\n" + b"[" * 90000, PARSE_ERROR),
        (b"no header\r\n\r\n", PARSE_ERROR),
        ([], INVALID_REQUEST),
        ({}, INVALID_REQUEST),
        ({"jsonrpc": "1.0", "method": "shutdown"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "id": [], "method": "shutdown"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "id": True, "method": "shutdown"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": 5}, INVALID_REQUEST),
    ],
)
async def test_what_is_no_message_is_answered_without_an_id_and_does_no_harm(sent, code):
    async with local() as client:
        await client.initialize()
        await client.send(sent)
        await client.until(lambda: client.orphans)
        assert client.orphans[0]["error"]["code"] == code
        assert (await client.request("workspace/executeCommand", {"command": "dcomplete.status"}))[
            "result"
        ]["documents"] == 0


async def test_the_editors_formatting_is_used_and_else_the_documents_own():
    async with local() as client:
        await client.initialize()
        await client.open(URI, "if x:\n\ty")
        [item] = (await client.request(INLINE, at(URI)))["result"]
        assert "(4t)" in item["insertText"]
        options = {"tabSize": 3, "insertSpaces": True}
        [item] = (await client.request(INLINE, at(URI, formattingOptions=options)))["result"]
        assert "(3s)" in item["insertText"]


async def test_folders_focus_and_closing_reach_the_workspace_and_the_completer():
    async with local() as client:
        await client.initialize(workspaceFolders=[{"uri": "file:///one", "name": "one"}])
        await client.open(URI)
        await client.notify("textDocument/didFocus", {"textDocument": {"uri": URI}})
        await client.notify("textDocument/didFocus", {})
        two = [{"uri": "file:///two", "name": ""}, {"uri": "untitled:x", "name": ""}]
        event = {"added": two, "removed": [{"uri": "file:///one", "name": "one"}]}
        await client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        await client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        await client.request("workspace/executeCommand", {"command": "dcomplete.status"})
        calls = client.server.backend.completer.calls  # type: ignore[attr-defined]
        wanted = ["folders ['one']", f"focused {URI}", "folders ['two']", f"forgot {URI}"]
        assert [call for call in calls if not call.startswith("context")] == wanted
