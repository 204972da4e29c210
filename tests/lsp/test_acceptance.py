"""What becomes of suggestions reaches the completer, and a file if the person wants one."""

import json
from pathlib import Path
from typing import Any

import pytest

from dcomplete.settings import LogSettings, Settings
from dcomplete.types import Shape, Suggestion
from dcomplete_lsp import outcomes
from dcomplete_lsp.outcomes import Offer, Outcomes, outcome_file
from tests.lsp.wire import INLINE, at, local
from tests.systems import WINDOWS

pytestmark = pytest.mark.usefixtures("data_home")
URI = "file:///secret/place/a.py"
CODE = "x0😀"


async def live_through(client: Any) -> list[str]:
    """Show, accept in part, accept, dismiss; returns what the completer heard."""
    await client.initialize()
    await client.open(URI, "a = ")
    [item] = (await client.request(INLINE, at(URI, 0, 4)))["result"]
    id = item["command"]["arguments"][0]
    await client.notify("textDocument/didShowCompletion", {"item": item})
    partly = {"item": item, "acceptedLength": 4}  # x, 0 and the two units of the emoji
    await client.notify("textDocument/didPartiallyAcceptCompletion", partly)
    await client.request("workspace/executeCommand", item["command"])
    await client.notify("dcomplete/didDismiss", {"id": id})
    for params in ({}, None, {"item": 5}, {"item": {"command": {"arguments": []}}}):
        for method in ("didShowCompletion", "didPartiallyAcceptCompletion"):
            await client.notify(f"textDocument/{method}", params)
    unknown = {"command": "dcomplete.didAccept", "arguments": ["unknown"]}
    assert (await client.request("workspace/executeCommand", unknown))["result"] is None
    calls = client.server.backend.completer.calls
    return [call for call in calls if call.startswith(("accepted", "dismissed"))]


@pytest.mark.asyncio
async def test_acceptance_reaches_the_completer_in_code_points_and_no_file_by_default():
    async with local() as client:
        calls = await live_through(client)
    assert calls == ["accepted 1-0 3", "accepted 1-0 None", "dismissed 1-0"]
    assert not outcome_file().exists()


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [False, True])
async def test_a_person_who_wants_it_has_a_private_file_without_code(code):
    async with local(Settings(log=LogSettings(outcomes=True, code=code))) as client:
        await live_through(client)
    text = outcome_file().read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    events = ["offered", "shown", "partly-accepted", "accepted", "dismissed"]
    assert [line["event"] for line in lines] == events
    assert lines[2]["accepted_characters"] == 3
    assert lines[0]["latency_ms"] >= 0
    assert lines[0]["source"] == "model"
    assert any(CODE in line.get("text", "") for line in lines) is code
    assert "secret" not in text
    assert WINDOWS or outcome_file().stat().st_mode & 0o777 == 0o600


def offer() -> Offer:
    return Offer(Suggestion("i", "code", 0, 0, Shape.LINE, -1.0, "cache"), "python", True, 3.0)


def test_a_file_that_is_full_is_set_aside(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outcomes, "MOST_BYTES", 300)
    kept = Outcomes(LogSettings(outcomes=True))
    for _ in range(4):
        kept.offered(offer())
    assert outcome_file().stat().st_size < 600
    assert outcome_file().with_suffix(".1.jsonl").exists()


def test_a_file_that_cannot_be_set_aside_grows_on(monkeypatch: pytest.MonkeyPatch, caplog):
    """As on Windows while another program reads it."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "The file is in use by another process")

    monkeypatch.setattr(outcomes, "MOST_BYTES", 300)
    monkeypatch.setattr(Path, "replace", refuse)
    kept = Outcomes(LogSettings(outcomes=True))
    for _ in range(4):
        kept.offered(offer())
    assert len(outcome_file().read_text().splitlines()) == 4 and not caplog.text


def test_a_file_that_cannot_be_written_costs_nothing(data_home: Path, caplog):
    data_home.mkdir(parents=True)
    (data_home / "dcomplete").write_text("no folder")
    Outcomes(LogSettings(outcomes=True)).offered(offer())
    assert "Outcomes cannot be kept" in caplog.text


def test_offers_are_forgotten_in_the_end():
    kept = Outcomes(LogSettings())
    for n in range(1000):
        suggestion = Suggestion(str(n), "", 0, 0, Shape.LINE, 0.0, "model")
        kept.offered(Offer(suggestion, "", True, 0.0))
    assert kept.get("999") is not None
    assert kept.get("0") is None
