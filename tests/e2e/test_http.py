"""`dcomplete http` for real: its process, the engine process behind it, and clients in front of it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil
import pytest

from dcomplete.serve.start import read_status
from tests.dialects.test_llama import VIM, WARM, curl
from tests.e2e.test_serve import MARKER, dcomplete, engines, home, written  # noqa: F401 (a fixture)
from tests.serve.conftest import own_places, until  # noqa: F401 (a fixture)
from tests.systems import CTRL_C, WINDOWS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
TINY = ("--model", "tiny", "--device", "cpu")
BEFORE, AFTER = "def add(a, b):\n", "\n\nprint(add(1, 2))\n"


@contextmanager
def running(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address and the process; it is ended afterwards."""
    process = dcomplete("http", "--port", "0", "--json", *options)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"], process
    finally:
        if process.poll() is None:
            process.terminate() if WINDOWS else process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.fixture
def front(home) -> Iterator[Callable[..., str]]:  # noqa: F811
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running(*options))[0]


def post(url: str, path: str, **body: object) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=120) as client:
        return client.post(url + path, json=body)


def address(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rpartition(":")[2])


def request(path: str, body: object) -> bytes:
    """As it goes over the wire."""
    raw = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def test_each_dialect_is_answered_by_the_engine_process_with_what_the_model_says(front):
    url = front(*TINY)
    answers = [
        post(url, "/infill", input_prefix=BEFORE, input_suffix=AFTER).json()["content"],
        post(url, "/v1/completions", prompt=BEFORE, suffix=AFTER).json()["choices"][0]["text"],
        post(
            url, "/v1/completions", prompt=f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
        ).json()["choices"][0]["text"],
        post(url, "/v1/fim/completions", prompt=BEFORE, suffix=AFTER).json()["choices"][0]["text"],
        post(url, "/api/generate", prompt=BEFORE, suffix=AFTER, stream=False).json()["response"],
    ]  # fmt: skip
    assert len(set(answers)) == 1
    assert read_status().counts["done"] >= len(answers)


def test_the_front_process_is_thin(home):  # noqa: F811
    with running(*TINY) as (url, process):
        post(url, "/infill", **VIM)
        front = psutil.Process(process.pid)
        assert not [m.path for m in front.memory_maps() if "/torch/" in m.path]
        assert front.memory_info().rss < 150e6
        assert read_status().pid != process.pid


def test_a_warm_up_reaches_no_engine(front):
    url = front(*TINY)
    until(lambda: (read_status() or None) and read_status().state == "ready", 60)
    before = read_status().counts["requests"]
    assert curl(f"{url}/infill", WARM) == "{}"
    assert read_status().counts["requests"] == before


def test_the_engine_sees_that_a_client_has_gone(front):
    url = front(*TINY)
    post(url, "/infill", **VIM)
    body = {"prompt": MARKER, "n": 16, "max_tokens": 512, "temperature": 2}
    before = read_status().counts["cancelled"]
    with socket.create_connection(address(url)) as raw:
        raw.sendall(request("/v1/completions", body))
        until(lambda: read_status().state == "busy", 30)
    until(lambda: read_status().counts["cancelled"] == before + 1, 30)
    assert read_status().active == 0


@CTRL_C
def test_no_text_of_a_request_is_written_anywhere(home):  # noqa: F811
    with running(*TINY) as (url, process):
        post(url, "/infill", input_prefix=MARKER, input_suffix=MARKER)
        post(url, "/v1/completions", prompt=MARKER, n="x")
        process.send_signal(signal.SIGINT)
        said = "".join(process.communicate(timeout=20))
    assert MARKER not in said + written(home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@CTRL_C
def test_ctrl_c_ends_it_cleanly_and_leaves_the_engine_to_others(home, number):  # noqa: F811
    with running(*TINY) as (url, process):
        post(url, "/infill", **VIM)
        process.send_signal(number)
        assert process.communicate(timeout=20) == ("", "") and process.returncode == 0
    assert read_status() is not None


@CTRL_C
def test_ctrl_c_while_a_client_waits_and_the_engine_starts(home):  # noqa: F811
    with running(*TINY) as (url, process), socket.create_connection(address(url)) as raw:
        raw.sendall(request("/infill", VIM))
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "") and process.returncode == 0
    for engine in engines(home):  # it would rest for a quarter of an hour
        engine.kill()


def test_a_port_that_is_in_use_is_one_sentence(home):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = dcomplete("http", "--port", port, *TINY)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == (
        f"dcomplete: Port {port} is in use; choose another with --port, or end what uses it.\n"
    )


def test_a_token_of_the_environment_is_asked_for(front, monkeypatch):
    monkeypatch.setenv("DCOMPLETE_HTTP_TOKEN", "s3cret")
    url = front(*TINY, "--host", "0.0.0.0").replace("0.0.0.0", "127.0.0.1")
    assert post(url, "/infill", **VIM).status_code == 401
    headers = {"Authorization": "Bearer s3cret"}
    with httpx.Client(trust_env=False, timeout=120, headers=headers) as client:
        assert client.post(f"{url}/infill", json=VIM).status_code == 200


@CTRL_C
def test_a_model_that_cannot_be_loaded_is_said_and_asked_for_in_vain(home, tiny_model):  # noqa: F811
    (tiny_model / "tokenizer.json").write_text("{")
    with running(*TINY) as (url, process):
        answer = post(url, "/v1/completions", prompt="x")
        assert answer.status_code == 400 and "tokenizer" in answer.json()["error"]["message"]
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=20)[1]
    assert err.startswith("dcomplete: ") and err.count("\n") == 1


def test_without_an_engine_it_says_so(home, monkeypatch):  # noqa: F811
    monkeypatch.setenv("DCOMPLETE_RUNTIME_DIR", "/proc/none/run")
    with running(*TINY) as (url, _):
        answer = post(url, "/v1/completions", prompt="x")
    assert answer.status_code in (400, 503) and len(answer.json()["error"]["message"]) > 10


@pytest.mark.weights
def test_the_embedded_model_fills_a_gap_for_every_client(front):
    url = front()
    said = post(url, "/v1/completions", prompt=BEFORE, suffix=AFTER, max_tokens=24).json()
    assert said["choices"][0]["text"].strip() == "return a + b"
    assert json.loads(curl(f"{url}/infill", VIM))["content"].strip() == "a + b"
    openai = pytest.importorskip("openai", reason="the client openai is not installed")
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        several = client.completions.create(model="any", prompt=BEFORE, suffix=AFTER, n=3)
    texts = [choice.text.strip() for choice in several.choices]
    assert texts[0] == "return a + b" and len(set(texts)) == 3
    ollama = pytest.importorskip("ollama", reason="the client ollama is not installed")
    client = ollama.Client(host=url)
    assert client.generate("any", BEFORE, suffix=AFTER).response.strip() == "return a + b"
    client._client.close()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "0.0.0.0"), "give a token"),
        (("--model", "missing"), "Unknown model 'missing'"),
        (("--host", "192.0.2.1", "--token", "x"), "Cannot listen at 192.0.2.1"),
        (("--host", "no.such.name.invalid", "--token", "x"), "is no address that is known here"),
        (("--token", "a b"), "printable ASCII"),
    ],
)
def test_mistakes_on_the_command_line(home, options, sentence):  # noqa: F811
    done = subprocess.run(
        [sys.executable, "-m", "dcomplete", "http", *options],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1
    assert "Unknown error" not in done.stderr


def test_the_help_has_examples():
    out = dcomplete("http", "--help").communicate(timeout=60)[0]
    assert "8012" in out and "curl" in out and "DCOMPLETE_HTTP_TOKEN" in out
