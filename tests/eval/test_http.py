"""Each HTTP dialect against a real server on this machine, which checks the request's fields."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from dcomplete.errors import UserError
from dcomplete_eval.contestants import contestant
from dcomplete_eval.types import Task
from tests.eval.dialects import LINES, TASK, WORDS, Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


Open = Callable[[str], Any]


@pytest.fixture
def open_one(server: Server) -> Iterator[Open]:
    """A contestant, URL in its words replaced; what it asks at its start is forgotten."""
    opened = []

    def open_it(spec: str) -> Any:
        opened.append(contestant(spec.replace("URL", server.url)))
        assert len(server.asked) == 1
        server.asked.clear()
        return opened[-1]

    yield open_it
    for who in opened:
        who.close()


@pytest.mark.parametrize(
    ("spec", "path", "fields"),
    [
        (
            "http+llama:URL,max_tokens=40",
            "/infill",
            {
                "input_prefix": TASK.prefix,
                "input_suffix": TASK.suffix,
                "prompt": "",
                "n_predict": 40,
                "temperature": 0.0,
                "cache_prompt": True,
                "stream": False,
            },
        ),
        (
            "http+openai:URL,model=m,temperature=0.2,seed=7",
            "/v1/completions",
            {
                "model": "m",
                "prompt": TASK.prefix,
                "suffix": TASK.suffix,
                "max_tokens": 256,
                "temperature": 0.2,
                "seed": 7,
                "stream": False,
            },
        ),
        (
            "http+fim:URL/v1,model=codestral",
            "/v1/fim/completions",
            {
                "model": "codestral",
                "prompt": TASK.prefix,
                "suffix": TASK.suffix,
                "max_tokens": 256,
                "temperature": 0.0,
                "stream": False,
            },
        ),
        (
            "http+ollama:URL/,model=m",
            "/api/generate",
            {
                "model": "m",
                "prompt": TASK.prefix,
                "suffix": TASK.suffix,
                "options": {"num_predict": 256, "temperature": 0.0},
                "stream": False,
            },
        ),
    ],
)
def test_the_request_has_the_published_fields_and_no_other(server, open_one, spec, path, fields):
    who = open_one(spec)
    answer = who.answer(TASK)
    assert (answer.text, answer.tokens, answer.error) == ("a + b", 3, "") and answer.ms > 0
    assert server.asked == [{"path": path, **fields}]
    settings = who.settings()
    assert settings["address"] == server.url + path and settings["kind"] in who.name
    assert f"127.0.0.1:{server.port}" in who.name


def test_inception_says_text(open_one):
    assert open_one("http+fim:URL,model=mercury").answer(TASK).text == "a - b"


def test_other_text_goes_into_the_field_that_is_there_for_it(server, open_one):
    other = "# other.py\n"
    task = Task(
        "t", "b", "g", other + TASK.prefix, TASK.suffix, "", extra={"retrieved": len(other)}
    )
    open_one("http+llama:URL").answer(task)
    assert server.asked[0]["input_extra"] == [{"filename": "context", "text": other}]
    assert server.asked[0]["input_prefix"] == TASK.prefix
    server.asked.clear()
    open_one("http+fim:URL,model=codestral").answer(task)
    assert server.asked[0]["prompt"] == other + TASK.prefix


@pytest.mark.parametrize(
    ("spec", "path", "text"),
    [
        ("http+openai:URL,model=m,template=qwen", "/v1/completions", "c"),
        ("http+llama:URL,template=qwen", "/completion", "x"),  # cut at the mark that ends it
        ("http+ollama:URL,model=m,template=qwen", "/api/generate", "raw"),
    ],
)
def test_a_template_is_rendered_here(server, open_one, spec, path, text):
    who = open_one(spec)
    assert who.answer(TASK).text == text
    [asked] = server.asked
    assert asked["path"] == path and "suffix" not in asked
    rendered = f"<|fim_prefix|>{TASK.prefix}<|fim_suffix|>{TASK.suffix}<|fim_middle|>"
    assert asked["prompt"] == rendered
    stops = asked.get("stop") or asked["options"]["stop"]
    assert "<|endoftext|>" in stops
    assert asked.get("raw", True) is True


@pytest.mark.parametrize(
    ("spec", "path"),
    [("http+llama:URL", "/completion"), ("http+openai:URL,model=m", "/v1/completions")],
)
def test_a_prefix_is_continued_until_there_is_enough(server, open_one, spec, path):
    who = open_one(f"{spec},fim=no")
    answer = who.answer(LINES)
    assert (answer.text, answer.tokens) == ("    return a + b\n", 4)
    assert server.asked[0]["path"] == path and server.asked[0]["prompt"] == LINES.prefix
    assert "suffix" not in server.asked[0]
    time.sleep(0.2)
    assert server.pieces < len(WORDS)  # the server heard that we hung up
    assert "prefix only" in who.settings()["rule"]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (
            JSONResponse({"error": {"code": 501, "message": "No FIM.\nAt all."}}, 501),
            "501: No FIM.",
        ),
        (JSONResponse({"error": "model 'm' not found"}, 404), "404: model 'm' not found"),
        (Response("<html>Busy</html>", 503), "503: <html>Busy</html>"),
        (JSONResponse({"other": 1}), "another format"),
        (JSONResponse({"choices": []}), "another format"),
        (JSONResponse([]), "200"),
        (Response("no json"), "200: no json"),
    ],
)
def test_trouble_is_one_sentence(server, open_one, reply, sentence):
    who = open_one("http+openai:URL,model=m")
    server.reply = lambda body: reply
    answer = who.answer(TASK)
    assert answer.text == "" and sentence in answer.error and "\n" not in answer.error
    with pytest.raises(UserError) as error:  # at the start it would be so for all tasks
        contestant(f"http+openai:{server.url},model=m")
    assert sentence in str(error.value)


def test_who_does_not_answer_in_time(server, open_one):
    who = open_one("http+openai:URL,model=m,timeout=0.2")

    async def slow() -> AsyncIterator[str]:
        await asyncio.sleep(0.6)
        yield "{}"

    server.reply = lambda body: StreamingResponse(slow())
    assert "did not answer in time" in who.answer(TASK).error


def test_who_is_gone(server, open_one):
    who = open_one("http+openai:URL,model=m")
    server.__exit__()
    assert "cannot be reached" in who.answer(TASK).error
    with pytest.raises(UserError, match="cannot be reached"):
        contestant(f"http+openai:{server.url},model=m")


def test_the_key_is_sent_and_told_to_nobody(server, open_one, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "secret-value")
    who = open_one("http+fim:URL,model=codestral,key=SOME_KEY")
    who.answer(TASK)
    assert server.headers[-1]["authorization"] == "Bearer secret-value"
    assert "secret-value" not in json.dumps([who.settings(), who.name])


def test_another_machine_must_be_meant():
    with pytest.raises(UserError, match="anywhere=yes"):
        contestant("http+llama:http://192.0.2.1:8080")
