"""Tabby's dialect, asked as its editor agents ask."""

from tests.dialects.conftest import AFTER, BEFORE

SEGMENTS = {
    "prefix": BEFORE, "suffix": AFTER, "filepath": "a.py", "git_url": None, "clipboard": "secret",
    "declarations": [{"filepath": "lib.py", "body": "def lib(): ..."}],
    "relevant_snippets_from_changed_files": [{"filepath": "b.ts", "body": "let b", "score": 1.0}],
}  # fmt: skip


def test_segments_are_told_from_a_prompt_on_the_same_path(house):
    said = house.post("/v1/completions", language="python", segments=SEGMENTS).json()
    assert said["id"].startswith("cmpl-") and said["mode"] == "standard"
    assert said["choices"] == [{"index": 0, "text": "a + b"}]
    request = house.engine.request
    assert (request.prefix, request.suffix, request.max_tokens) == (BEFORE, AFTER, 64)
    assert request.preamble == "// b.ts\n// let b\n# lib.py\n# def lib(): ...\n"


def test_segments_without_a_suffix(house):
    assert house.post("/v1/completions", segments={"prefix": BEFORE, "suffix": None}).is_success


def test_an_agent_finds_it_ready(house):
    for said in (house.http.get("/v1/health"), house.post("/v1/health")):
        assert {"model", "device", "cuda_devices", "models", "arch", "version"} <= set(said.json())
    said = house.http.get("/v1beta/server_setting").json()
    assert said == {"disable_client_side_telemetry": True}


def test_events_are_accepted(house):
    answer = house.post(
        "/v1/events?select_kind=line", type="select", completion_id="cmpl-1", choice_index=0
    )
    assert (answer.status_code, answer.content) == (200, b"")


def test_errors(house):
    answer = house.post("/v1/completions", segments={"prefix": 3})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Field segments.prefix must be a text."}
    answer = house.post("/v1/completions", segments={"declarations": [3]})
    assert "segments.declarations must be a list of objects" in answer.json()["error"]
