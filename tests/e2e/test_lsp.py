"""The real language server with a real engine process and a tiny model, in 20 languages."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from dcomplete.errors import Reason
from dcomplete.serve.start import stop_engine
from dcomplete.votes.store import VoteStore
from tests.conftest import install_tiny
from tests.lsp.wire import INLINE, Wire, at, running

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "dcomplete", "lsp"]
LANGUAGES = {
    "python": "def f(x):\n    return ", "javascript": "function f(x) {\n  return ",
    "typescript": "const f = (x: number) => ", "typescriptreact": "const A = () => <p>",
    "java": "class A {\n  int f() {\n    return ", "go": "func f() int {\n\treturn ",
    "rust": "fn f() -> i32 {\n    let x = ", "c": "int main(void) {\n  return ",
    "cpp": "int main() {\n  auto x = ", "csharp": "class A {\n  int F() => ",
    "ruby": "def f(x)\n  x = ", "php": "<?php\nfunction f() {\n  return ",
    "shellscript": "f() {\n  echo ", "lua": "local x = ", "kotlin": "fun f() = ",
    "swift": "let x = ", "scala": "def f = ", "html": "<p>\n  <b>", "css": "p {\n  color: ",
    "json": '{"a": ', "yaml": "a:\n  b: ", "toml": "[a]\nb = ", "sql": "SELECT a FROM ",
    "markdown": "# Title\n\nSome ", "svelte": "<script>\n  let x = ", "nonsense": "a b ",
}  # fmt: skip


OPTIONS = {"model": {"name": "tiny", "confidence": 0, "lineTokens": 8, "blockTokens": 16}}
URI = "file:///folder/a.py"


@pytest.fixture(autouse=True)  # the client fixture starts its server before it asks for others
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny model, and nothing of the user's; the engine is gone afterwards."""
    install_tiny(tmp_path / "data")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DCOMPLETE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("DCOMPLETE_LOG_DIR", str(tmp_path / "log"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield tmp_path
    stop_engine()


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND))  # type: ignore[untyped-decorator]
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    params = types.InitializeParams(
        capabilities=types.ClientCapabilities(), initialization_options=OPTIONS
    )
    await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_every_language_gets_a_well_formed_suggestion_or_a_reason(client: LanguageClient):
    said: list[Any] = []

    @client.feature("dcomplete/status")  # type: ignore[untyped-decorator]
    def take(params: Any) -> None:
        said.append(params)

    invoked = types.InlineCompletionTriggerKind.Invoked
    given = 0
    for language, text in LANGUAGES.items():
        uri = f"untitled:{language}"
        item = types.TextDocumentItem(uri, language, 1, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        lines = text.split("\n")
        place = types.Position(len(lines) - 1, len(lines[-1]))
        said.clear()
        answer = await client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                types.InlineCompletionContext(invoked), types.TextDocumentIdentifier(uri), place
            )
        )
        for found in answer or []:
            given += 1
            assert found.insert_text
            assert found.range.start.line == found.range.end.line == place.line
            assert found.range.start <= place <= found.range.end
        if not answer:
            reasons = {status.reason for status in said} - {None}
            assert reasons <= {reason.value for reason in Reason}
            assert reasons, (language, answer, said)
    assert given >= 3  # a random model gives mostly nonsense that is filtered, but not always


@pytest.mark.asyncio
async def test_the_conversation_of_an_editor_with_the_real_engine(places: Path):
    async with running(COMMAND) as wire:
        await wire.initialize(
            initializationOptions=OPTIONS, capabilities={"window": {"workDoneProgress": True}}
        )
        await wire.open(URI, "def f(planted_marker):\n    return ")
        ready = {"kind": "ready", "reason": None, "message": "", "model": "tiny"}
        await wire.until(lambda: ready in wire.notified("dcomplete/status"))
        await wire.until(lambda: wire.notified("$/progress")[-1]["value"]["kind"] == "end")
        await streams_its_steps(wire)
        await answers_all_of_many(wire)
        status = await wire.request("workspace/executeCommand", {"command": "dcomplete.status"})
        assert [m["name"] for m in status["result"]["engine"]["models"]] == ["tiny"]
        await wire.request("shutdown")
        await wire.notify("exit", None)
        assert await wire.ended() == 0
        assert wire.errors.decode() == ""
    logs = "".join(path.read_text() for path in (places / "log").rglob("*") if path.is_file())
    assert "planted_marker" not in logs
    assert "a.py" not in logs


async def streams_its_steps(wire: Wire) -> None:
    before = len(wire.notified("$/progress"))
    answer = await wire.request("dcomplete/watch", at(URI, 1, 11, partialResultToken="t"))
    steps = [note["value"]["step"] for note in wire.notified("$/progress")[before:]]
    assert steps == sorted(steps)
    assert steps
    assert "result" in answer


async def answers_all_of_many(wire: Wire) -> None:
    """A hundred requests, some overtaken, some cancelled, one for a document that closes."""
    for n in range(3):
        await wire.open(f"file:///{n}.py", f"x{n} = ")
    asked = [await wire.ask(INLINE, at(f"file:///{n % 3}.py", 0, 5)) for n in range(100)]
    await wire.notify("$/cancelRequest", {"id": asked[-1]})
    await wire.notify("textDocument/didClose", {"textDocument": {"uri": "file:///0.py"}})
    for id in asked:
        response = await wire.response(id)
        assert "result" in response or response["error"]["code"] == -32800


@pytest.mark.asyncio
async def test_a_blind_vote_is_in_the_store_of_the_harness(places: Path):
    pair = [{"policy": "threshold"}, {"policy": "topk"}]
    async with running(COMMAND) as wire:
        await wire.initialize(initializationOptions=OPTIONS)
        await wire.open(URI, "def f(x):\n    return ")
        await wire.until(
            lambda: any(s["kind"] == "ready" for s in wire.notified("dcomplete/status"))
        )
        answer = await wire.request("dcomplete/compare", at(URI, 1, 11, contestants=pair))
        assert not any(name in str(answer["result"]) for name in ("threshold", "topk"))
        vote = {"id": answer["result"]["id"], "choice": "tie"}
        names = (await wire.request("dcomplete/vote", vote))["result"]
    with VoteStore(places / "data" / "dcomplete" / "votes.sqlite3") as store:
        (row,) = store.rows()
    assert (row["id"], row["votes"][0]["choice"]) == (vote["id"], "tie")
    for side in ("first", "second"):
        policy = names[side]["policy"]
        assert row[side]["name"] == f"engine:tiny:{policy}"
        assert row[side]["settings"] == {"model": "tiny", "policy": policy}
        assert row[side]["latency_ms"] > 0


@pytest.mark.asyncio
async def test_the_model_can_run_in_the_servers_own_process(places: Path):
    async with running([*COMMAND, "--in-process", "--model", "tiny"]) as wire:
        await wire.initialize(initializationOptions={"model": {"confidence": 0}})
        await wire.open(URI, "def f(x):\n    return ")
        await wire.until(
            lambda: any(s["kind"] == "ready" for s in wire.notified("dcomplete/status"))
        )
        assert "result" in await wire.request(INLINE, at(URI, 1, 11))
        assert not list(places.glob("run/*.sock"))
        assert wire.process.stdin is not None
        wire.process.stdin.close()
        assert await wire.ended() == 0


@pytest.mark.asyncio
async def test_a_model_that_does_not_exist_is_said_in_a_sentence(places: Path):
    async with running([*COMMAND, "--model", "no-such-model"]) as wire:
        await wire.initialize()
        await wire.until(lambda: wire.notified("window/showMessage"))
        assert "no-such-model" in wire.notified("window/showMessage")[0]["message"]
        await wire.open(URI, "def f(x):\n    return ")
        assert (await wire.request(INLINE, at(URI, 1, 11)))["result"] == []
        assert wire.notified("dcomplete/status")[-1]["kind"] == "error"
