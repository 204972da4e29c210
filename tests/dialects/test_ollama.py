"""Ollama's dialect, asked as Continue and Zed ask."""

import json
from datetime import datetime

from tests.dialects.conftest import AFTER, BEFORE, MARKED

CONTINUE = {
    "model": "qwen2.5-coder:1.5b", "prompt": BEFORE, "suffix": AFTER, "raw": False, "keep_alive": 1800,
    "options": {"num_predict": 40, "temperature": 0.01, "stop": ["\n\n"], "num_ctx": 2048},
}  # fmt: skip


def test_continue_streams_lines_by_default(house):
    answer = house.post("/api/generate", **CONTINUE)
    assert answer.headers["content-type"] == "application/x-ndjson"
    first, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (first["response"], first["done"], first["model"]) == ("a + b", False, CONTINUE["model"])
    assert (last["response"], last["done"], last["done_reason"]) == ("", True, "stop")
    assert last["total_duration"] == 9_000_000 and last["eval_count"] == 5
    request = house.engine.request
    assert (request.prefix, request.suffix, request.max_tokens) == (BEFORE, AFTER, 40)


def test_zed_sends_a_marked_prompt_and_wants_one_answer(house):
    body = {"model": "m", "prompt": MARKED, "raw": True, "stream": False}
    said = house.post("/api/generate", **body, options={"num_predict": 64}).json()
    assert said["response"] == "a + b" and said["done"] is True
    assert datetime.fromisoformat(said["created_at"]).year >= 2024
    assert (house.engine.request.prefix, house.engine.request.suffix) == (BEFORE, AFTER)


def test_a_model_is_loaded_or_let_go_at_once(house):
    said = house.post("/api/generate", model="m", keep_alive=0, stream=False).json()
    assert (said["response"], said["done"], said["done_reason"]) == ("", True, "load")
    assert len(house.post("/api/generate", model="m").text.splitlines()) == 1
    assert house.engine.asked == []


def test_continue_finds_out_that_a_suffix_is_understood(house):
    said = house.post("/api/show", name="anything").json()
    assert ".Suffix" in said["template"] and "insert" in said["capabilities"]


def test_what_is_installed(house):
    said = house.http.get("/api/tags").json()
    assert [model["name"] for model in said["models"]] == ["smol", "big"]
    assert "." in house.http.get("/api/version").json()["version"]


def test_errors_have_its_shape(house):
    answer = house.post("/api/generate", options={"num_predict": "many"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Field options.num_predict must be a whole number."}
    answer = house.post("/api/chat", model="m")
    assert answer.status_code == 404 and "/api/generate" in answer.json()["error"]
