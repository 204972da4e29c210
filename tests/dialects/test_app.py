"""The routes over a real socket: statuses, what closing a connection does, what never goes wrong."""

import json
import logging
import socket
import threading

import pytest

from dcomplete.dialects.table import FACTS, GAPS
from dcomplete.serve.asking import MAX_BODY
from tests.dialects.conftest import AFTER, BEFORE
from tests.serve.conftest import until

SECRET = "hunter2_marker"
BODIES = {
    "/infill": lambda text: {"input_prefix": text},
    "/completion": lambda text: {"prompt": text},
    "/v1/completions": lambda text: {"prompt": text},
    "/v1/fim/completions": lambda text: {"prompt": text},
    "/api/generate": lambda text: {"prompt": text, "stream": False},
}
STATUSES = {"wrong": 400, "none": 503, "busy": 503, "fault": 500, "bug": 500}


def sentence(said: dict[str, object]) -> str:
    """The words of an error, wherever a dialect puts them."""
    error = said.get("error")
    return error["message"] if isinstance(error, dict) else str(error or said["message"])


@pytest.mark.parametrize("path", GAPS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_failure_has_its_status_also_where_a_stream_was_asked_for(house, path, stream):
    for text, status in STATUSES.items():
        answer = house.post(path, **BODIES[path](text) | {"stream": stream})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert len(sentence(answer.json())) > 10


@pytest.mark.parametrize("path", GAPS)
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"3", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_object_is_one_sentence(house, path, raw):
    answer = house.http.post(path, content=raw)
    assert answer.status_code == 400 and sentence(answer.json()).endswith(".")
    assert house.http.get("/health").status_code == 200


@pytest.mark.parametrize("path", GAPS)
def test_half_a_surrogate_pair_goes_through(house, path):
    raw = json.dumps(BODIES[path]("\udc00")).encode()
    house.engine.texts = ("\ud800",)
    assert house.http.post(path, content=raw).status_code == 200


def test_too_large_a_body(house):
    answer = house.http.post("/infill", content=b" " * (MAX_BODY + 1))
    assert answer.status_code == 413 and "larger than 8 MB" in sentence(answer.json())
    answer = house.http.post("/api/show", content=b" " * (MAX_BODY + 1))
    assert answer.status_code == 413


def test_the_answer_is_compact(house):
    for path in GAPS:
        assert b": " not in house.post(path, **BODIES[path](BEFORE)).content
    for path, fact in FACTS.items():
        assert b'": ' not in house.http.request(fact.methods[0], path).content


def test_wrong_paths_and_methods(house):
    assert house.http.get("/nothing").status_code == 404
    assert house.post("/v1/chat/completions").status_code == 404
    answer = house.http.get("/infill")
    assert answer.status_code == 405 and answer.json()["error"]["code"] == 405


@pytest.mark.parametrize("path", GAPS)
def test_a_client_that_goes_away_gives_its_request_up(house, path):
    body = json.dumps(BODIES[path]("endless")).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", house.port)) as raw:
        raw.sendall(head.encode() + body)
        until(lambda: house.engine.asked)
    until(lambda: house.engine.cancelled == 1)


def test_many_different_at_once_are_all_answered(house):
    house.engine.pause = 0.1
    statuses = []

    def ask(number: int) -> None:
        statuses.append(house.post("/infill", input_prefix=str(number)).status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20 and len(house.engine.asked) == 20


@pytest.mark.parametrize(
    "raw",
    [b"\0\xff\r\n\r\n", b"GET", b"POST /infill HTTP/9.9\r\n\r\n", b"POST /infill HTTP/1.1\r\n"],
)
def test_what_is_no_http_is_no_crash(house, raw):
    with socket.create_connection(("127.0.0.1", house.port)) as stranger:
        stranger.sendall(raw)
    assert house.http.get("/health").status_code == 200


def test_no_text_of_a_request_is_written_anywhere(house, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    for text in (SECRET, "bug"):
        body = {"input_prefix": text, "input_suffix": SECRET}
        assert SECRET not in house.post("/infill", **body).text
    house.post("/infill", input_prefix=SECRET, n_predict=SECRET)
    house.http.post("/infill", content=f'{{"{SECRET}'.encode())
    said = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in said and "KeyError at conftest.py" in said


def test_text_beyond_ascii_comes_back_as_it_was(house):
    house.engine.texts = ("gr\u00fcn \U0001f600",)
    said = house.post("/v1/completions", prompt="\u00e4 \U0001f600", suffix=AFTER).json()
    assert said["choices"][0]["text"] == "gr\u00fcn \U0001f600"
    assert house.engine.request.prefix == "\u00e4 \U0001f600"
