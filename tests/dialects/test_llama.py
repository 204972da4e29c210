"""llama.cpp's dialect, asked as llama.vim and llama.vscode ask."""

import json
import re
import shutil
import subprocess

import pytest

from tests.dialects.conftest import AFTER, BEFORE, MARKED, events

VIM_FIELDS = [
    "content", "timings/prompt_n", "timings/prompt_ms", "timings/prompt_per_token_ms",
    "timings/prompt_per_second", "timings/predicted_n", "timings/predicted_ms",
    "timings/predicted_per_token_ms", "timings/predicted_per_second", "truncated", "tokens_cached",
]  # fmt: skip
VIM = {
    "input_prefix": "def add(a, b):\n",
    "input_suffix": "\n\n\nprint(add(1, 2))\n",
    "input_extra": [{"text": "x = 1\n", "time": [1, 2], "filename": "other.py"}],
    "prompt": "    return ",
    "n_predict": 128,
    "stop": [],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.90,
    "stream": False,
    "samplers": ["top_k", "top_p", "infill"],
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 250,
    "response_fields": VIM_FIELDS,
}
WARM = VIM | {
    "input_prefix": "", "input_suffix": "", "prompt": "", "n_predict": 0, "samplers": [],
    "response_fields": [""],
}  # fmt: skip


def curl(url: str, body: object) -> str:
    """What llama.vim runs."""
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    command = [
        "curl", "--silent", "--no-buffer", "--request", "POST", "--url", url,
        "--header", "Content-Type: application/json", "--data", "@-",
    ]  # fmt: skip
    done = subprocess.run(
        command, input=json.dumps(body), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_llama_vim_gets_what_it_reads(house):
    raw = curl(f"{house.url}/infill", VIM)
    assert re.search(r'"content"\s*:"', raw)  # how it finds out that there is an answer
    said = json.loads(raw)
    assert sorted(said) == sorted(VIM_FIELDS)
    assert (said["content"], said["truncated"], said["tokens_cached"]) == ("a + b", False, 45)
    assert said["timings/prompt_n"] == 40 and said["timings/predicted_per_second"] == 1250.0


def test_the_prompt_is_the_end_of_the_prefix_and_other_files_are_comments(house):
    house.post("/infill", **VIM)
    request = house.engine.request
    assert (request.prefix, request.suffix) == (BEFORE, VIM["input_suffix"])
    assert request.preamble == "# other.py\n# x = 1\n"
    assert (request.max_tokens, request.temperature) == (128, 0.0)
    assert request.deadline_ms is None  # a gap is not cut short while it is half decided


def test_a_warm_up_is_answered_without_the_engine(house):
    assert json.loads(curl(f"{house.url}/infill", WARM)) == {}
    nothing = dict.fromkeys(("input_prefix", "input_suffix", "prompt"), "")
    assert house.post("/infill", **nothing).json()["content"] == ""
    assert house.engine.asked == []


def test_llama_vscode_gets_several_answers(house):
    house.engine.texts = ("a + b", "b + a", "sum((a, b))")
    body = {k: v for k, v in VIM.items() if k != "response_fields"} | {"n_cmpl": 3}
    said = house.post("/infill", **body).json()
    assert [one["content"] for one in said] == ["a + b", "b + a", "sum((a, b))"]
    assert said[0]["generation_settings"]["n_ctx"] == 1024 and said[0]["stop_type"] == "eos"
    assert {"tokens_cached", "truncated", "timings", "model", "tokens_evaluated"} <= set(said[0])


def test_a_line_further_left_than_the_cursor_s_ends_the_answer(house):
    house.engine.texts = ("a + b\n    pass\n\nprint(add)\n",)
    assert house.post("/infill", **VIM).json()["content"] == "a + b\n    pass\n"


def test_a_stop_sequence(house):
    house.engine.texts = ("a + b\nreturn",)
    said = house.post("/infill", input_prefix=BEFORE, stop=["\n", "+ b\n"]).json()
    assert said["content"] == "a " and (said["stop_type"], said["stopping_word"]) == (
        "word",
        "+ b\n",
    )


def test_streaming(house):
    answer = house.post("/infill", **VIM | {"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, last = [json.loads(event) for event in events(answer.text)]
    assert (first["content"], first["stop"]) == ("a + b", False)
    assert (last["content"], last["stop"], last["tokens_predicted"]) == ("", True, 5)


def test_a_completion_reads_marks(house):
    assert house.post("/completion", prompt=MARKED, n_predict=-1).json()["content"] == "a + b"
    request = house.engine.request
    assert (request.prefix, request.suffix, request.max_tokens) == (BEFORE, AFTER, 512)


def test_errors_have_its_shape(house):
    answer = house.post("/infill", input_prefix=3)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": 400,
            "message": "Field input_prefix must be a text.",
            "type": "invalid_request_error",
        }
    }
    answer = house.post("/infill", input_prefix="none")
    assert answer.status_code == 503 and answer.json()["error"]["type"] == "unavailable_error"


def test_health_and_props(house):
    assert house.http.get("/health").json() == {"status": "ok"}
    assert house.http.get("/props").json()["default_generation_settings"]["n_ctx"] == 1024
