"""Mistral's fill-in-the-middle, for readers of all three shapes."""

import json

from tests.dialects.conftest import AFTER, BEFORE, events

BODY = {"model": "codestral-latest", "prompt": BEFORE, "suffix": AFTER, "max_tokens": 50}


def test_each_reader_finds_the_text(house):
    said = house.post("/v1/fim/completions", **BODY).json()
    (choice,) = said["choices"]
    assert choice["message"] == {"role": "assistant", "content": "a + b"}  # Mistral
    assert choice["text"] == "a + b"  # Inception
    assert choice["finish_reason"] == "stop" and said["usage"]["completion_tokens"] == 5
    assert said["object"] == "chat.completion"
    request = house.engine.request
    assert (request.prefix, request.suffix, request.max_tokens) == (BEFORE, AFTER, 50)


def test_a_stream_has_deltas(house):
    answer = house.post("/v1/fim/completions", **BODY, stream=True)
    *parts, last = events(answer.text)
    assert last == "[DONE]"
    said = [json.loads(part) for part in parts]
    assert [one["choices"][0]["delta"]["content"] for one in said] == ["a + b"]
    assert said[-1]["object"] == "chat.completion.chunk" and said[-1]["usage"]["total_tokens"] == 45


def test_errors_have_its_shape(house):
    answer = house.post("/v1/fim/completions", prompt="busy")
    assert answer.status_code == 503
    assert answer.json() == {
        "object": "error",
        "message": "The engine has too many requests waiting; try again.",
        "type": "server_error",
        "param": None,
        "code": "503",
    }
