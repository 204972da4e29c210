"""A real server on this machine that answers in each dialect and keeps what it was asked."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

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
