"""Each HTTP dialect against a real server on this machine, which checks the request's fields."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dcomplete.errors import UserError
from dcomplete_eval.contestants import contestant
from dcomplete_eval.types import Task

TASK = Task("t", "b", "g", "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", "a + b")
LINES = Task("t", "b", "g", "def add(a, b):\n", "print(add(1, 2))\n", "    return a + b\n")
WORDS = ["    return", " a", " +", " b\n", "\n", "\n", "print", "(add)", "\n", "x"]


class Server:
    """A server that keeps what it was asked. `reply` may be replaced by a test."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.pieces = 0
        self.reply: Callable[[dict[str, Any]], Response] | None = None
        paths = (
            "/infill",
            "/completion",
            "/v1/completions",
            "/v1/fim/completions",
            "/api/generate",
        )
        routes = [Route(path, self.handle, methods=["POST"]) for path in paths]
        app = Starlette(routes=routes)
        config = uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def handle(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append({"path": request.url.path, **body})
        self.headers.append(dict(request.headers))
        if self.reply is not None:
            return self.reply(body)
        try:
            return REPLIES[request.url.path](self, body)
        except (KeyError, AssertionError) as error:
            return JSONResponse({"error": {"message": f"bad request: {error!r}"}}, 400)

    async def events(self, form: Callable[[str], dict[str, Any]]) -> AsyncIterator[str]:
        for word in WORDS:
            self.pieces += 1
            yield f"data: {json.dumps(form(word))}\n\n"
            await asyncio.sleep(0.02)
        yield "data: [DONE]\n\n"

    def stream(self, form: Callable[[str], dict[str, Any]]) -> Response:
        return StreamingResponse(self.events(form), media_type="text/event-stream")


def infill(server: Server, body: dict[str, Any]) -> Response:
    """llama.cpp, tools/server/README.md."""
    text = "a + b" if body["input_suffix"].startswith("\n\nprint") else "?"
    assert isinstance(body["n_predict"], int) and body["prompt"] == "" and not body["stream"]
    assert body["cache_prompt"] in (True, False) and "input_prefix" in body
    return JSONResponse(
        {"content": text, "tokens_predicted": 3, "stop": True, "stop_type": "eos", "timings": {}}
    )


def completion(server: Server, body: dict[str, Any]) -> Response:
    assert isinstance(body["prompt"], str) and isinstance(body["n_predict"], int)
    if body["stream"]:
        return server.stream(lambda word: {"content": word, "stop": False})
    return JSONResponse({"content": "x<|endoftext|>y", "tokens_predicted": 2, "stop": True})


def openai(server: Server, body: dict[str, Any]) -> Response:
    assert isinstance(body["max_tokens"], int) and len(body.get("stop", [])) <= 4
    if body["stream"]:
        return server.stream(lambda word: {"choices": [{"index": 0, "text": word}]})
    text = "a + b" if body.get("suffix") else "c"
    return JSONResponse(
        {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        }
    )


def fim(server: Server, body: dict[str, Any]) -> Response:
    """Mistral's is in the shape of a chat; Inception's, here for another model, has `text`."""
    assert body["suffix"] and isinstance(body["max_tokens"], int)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    if body["model"] == "codestral":
        choice["message"] = {"role": "assistant", "content": "a + b"}
    else:
        choice["text"] = "a - b"
    return JSONResponse({"choices": [choice], "usage": {"completion_tokens": 3}})


def ollama(server: Server, body: dict[str, Any]) -> Response:
    assert body["stream"] is False and isinstance(body["options"]["num_predict"], int)
    text = "raw" if body.get("raw") else "a + b" if body["suffix"] else ""
    said = {"model": body["model"], "created_at": "", "response": text, "done": True}
    return JSONResponse({**said, "done_reason": "stop", "eval_count": 3})


REPLIES = {
    "/infill": infill,
    "/completion": completion,
    "/v1/completions": openai,
    "/v1/fim/completions": fim,
    "/api/generate": ollama,
}


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
