"""The routes, over a real socket: statuses, sentences, streams, and what closing a connection does."""

import json
import socket
import threading

import httpx
import pytest

from dcomplete import __version__
from dcomplete.serve import codec
from dcomplete.serve.orders import Order
from dcomplete.serve.places import (
    LOG_VARIABLE,
    RUNTIME_VARIABLE,
    TRANSPORT_VARIABLE,
    Address,
    Places,
)
from dcomplete.serve.start import read_status
from dcomplete.serve.transport import open_client
from dcomplete.types import InfillRequest
from tests.serve.conftest import SECRET, starting, until


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    """One process for the tests of this file that need none of their own."""
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNTIME_VARIABLE, str(folder / "run"))
        patch.setenv(LOG_VARIABLE, str(folder / "log"))
        with starting(folder) as start:
            served = start()
            address = Places.find().address()
            with open_client(address) as client:
                client.served, client.address = served, address
                yield client


def connected(address: Address) -> socket.socket:
    """A connection to the process as the system makes it."""
    if address.port:
        return socket.create_connection(("127.0.0.1", address.port))
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(address.socket)
    return raw


def order(prefix="a", steps=2, **changes) -> bytes:
    return codec.dump(Order(request=InfillRequest(prefix, steps=steps), **changes))


def test_an_infill_is_answered(http):
    answer = http.post("/infill", content=order("x"))
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json()["answers"][0]["texts"] == ["x!"]


def test_a_watched_infill_shows_every_step_and_then_the_answer(http):
    answer = http.post("/infill", content=order("x", steps=3, watch=True))
    *steps, last = [json.loads(row) for row in answer.text.splitlines()]
    assert [s["step"] for s in steps] == [0, 1, 2]
    assert steps[0]["rows"] == [["x", {"pinned": None}]]
    assert last["result"]["answers"][0]["texts"] == ["x!"]


def test_a_watched_failure_ends_with_the_error(http):
    answer = http.post("/infill", content=order("wrong", watch=True))
    assert answer.status_code == 200
    assert json.loads(answer.text) == {
        "error": {"kind": "user", "message": "Steps must be at least 1."}
    }


@pytest.mark.parametrize(
    ("body", "status", "kind", "sentence"),
    [
        (b"{", 400, "user", "not valid JSON"),
        (b"{}", 400, "user", "Field request is missing."),
        (order(model="missing"), 400, "user", "Unknown model"),
        (order("bug"), 500, "bug", "failed with TensorTrouble"),
        (b" " * 8_000_001, 400, "user", "larger than 8 MB"),
    ],
)
def test_mistakes_are_one_sentence(http, body, status, kind, sentence):
    answer = http.post("/infill", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["kind"]) == (status, kind)
    assert sentence in error["message"]
    assert http.post("/infill", content=order("x")).status_code == 200


def test_an_unknown_route_or_method_is_no_crash(http):
    assert http.get("/nothing").status_code == 404
    assert http.get("/infill").status_code == 405


def test_the_status_tells_what_the_process_does(http):
    before = http.get("/status").json()
    http.post("/infill", content=order("x"))
    said = http.get("/status").json()
    assert said["version"] == __version__ and said["state"] == "ready"
    assert said["counts"]["done"] == before["counts"]["done"] + 1
    assert said["tokens_computed"] == before["tokens_computed"] + 7
    assert {
        "name": "fake",
        "device": "cpu",
        "dtype": "float32",
        "bytes": 1,
        "cached_bytes": 0,
    } in said["models"]
    assert said["memory_bytes"] > 1_000_000 and said["uptime_s"] > 0


def test_warming_loads_the_model_and_computes_nothing(http):
    answer = http.post("/warm", content=b'{"model": "m"}')
    assert (answer.status_code, answer.json()) == (200, None)
    assert http.served.loader.loads.count("m") == 1 and http.served.loader.steppers["m"].trace == []
    assert http.post("/warm", content=b'{"model": "missing"}').status_code == 400


@pytest.mark.parametrize("watch", [False, True])
def test_closing_the_connection_gives_the_request_up(serve, watch):
    served = serve(pause=0.01)
    address = Places.find().address()
    with connected(address) as raw:
        body = order("long", steps=100_000, watch=watch)
        head = f"POST /infill HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        head += f"Authorization: Bearer {address.token}\r\n\r\n"
        raw.sendall(head.encode() + body)
        until(lambda: served.loader.steppers and served.loader.steppers["fake"].trace)
    until(lambda: served.loader.steppers["fake"].closed == ["long"])
    until(lambda: read_status().counts["cancelled"] == 1)
    assert read_status().active == 0


def test_a_connection_closed_in_the_middle_of_a_body_is_no_crash(http):
    with connected(http.address) as raw:
        raw.sendall(b"POST /infill HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
    assert http.post("/infill", content=order("x")).status_code == 200


@pytest.mark.parametrize(
    "raw", [b"\0\xff\r\n\r\n", b"GET", b"POST /infill HTTP/9.9\r\n\r\n", b"\n" * 99]
)
def test_what_is_no_http_is_no_crash(http, raw):
    with connected(http.address) as stranger:
        stranger.sendall(raw)
    assert http.post("/infill", content=order("x")).status_code == 200


def test_many_at_once_are_all_answered(http):
    texts = []

    def ask(number: int) -> None:
        answer = http.post("/infill", content=order(f"{number}", steps=5))
        texts.append(answer.json()["answers"][0]["texts"][0])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == sorted(f"{n}!" for n in range(20))


def test_no_text_of_a_request_is_in_the_log_or_on_stderr(http, capfd):
    for prefix in (SECRET, "bug", "memory"):
        http.post("/infill", content=order(prefix, id="i", key=SECRET))
    http.post("/infill", content=b'{"request": {"prefix": 3}, "id": "hunter2_marker"}')
    said = http.served.log + "".join(capfd.readouterr())
    assert SECRET not in said
    assert "outcome=done" in said and "TensorTrouble at conftest.py" in said


def test_a_port_opens_only_with_the_token_and_not_to_a_page(serve, monkeypatch):
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    serve()
    address = Places.find().address()
    url = f"http://127.0.0.1:{address.port}/status"
    with httpx.Client(trust_env=False) as stranger:
        assert stranger.get(url).status_code == 403
        assert stranger.get(url, headers={"Authorization": "Bearer x"}).status_code == 403
        token = {"Authorization": f"Bearer {address.token}"}
        assert stranger.get(url, headers=token).status_code == 200
        page = {**token, "Origin": "http://evil.example"}
        assert stranger.get(url, headers=page).status_code == 403
    with open_client(address) as client:
        assert client.post("/infill", content=order("x")).status_code == 200
