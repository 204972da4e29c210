"""OpenAI's completions, asked as minuet, Zed, Continue and llm-ls ask."""

import json
import threading

import pytest

from dcomplete.types import Finish
from tests.dialects.conftest import AFTER, BEFORE, MARKED, events

MINUET = {"model": "qwen", "stream": True, "prompt": BEFORE, "suffix": AFTER}


def test_zed_gets_every_field_that_it_insists_on(house):
    said = house.post(
        "/v1/completions",
        model="qwen2.5-coder:7b", prompt=MARKED, max_tokens=64, temperature=0.2,
        stop=["<|endoftext|>", "<|file_sep|>"],
    ).json()  # fmt: skip
    assert said["id"].startswith("cmpl-") and said["object"] == "text_completion"
    assert isinstance(said["created"], int) and said["model"] == "smol"
    (choice,) = said["choices"]
    assert (choice["text"], choice["finish_reason"], choice["index"]) == ("a + b", "stop", 0)
    assert said["usage"] == {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}
    request = house.engine.request
    assert (request.prefix, request.suffix, request.temperature) == (BEFORE, AFTER, 0.2)
    assert (request.branches, request.samples) == (0, 1)


def test_minuet_streams(house):
    answer = house.post("/v1/completions", **MINUET)
    *parts, last = events(answer.text)
    assert last == "[DONE]"
    assert [json.loads(part)["choices"][0]["text"] for part in parts] == ["a + b"]
    assert (house.engine.request.prefix, house.engine.request.suffix) == (BEFORE, AFTER)


def test_minuet_s_three_requests_at_once_are_all_answered_by_one_computation(house):
    house.engine.pause = 0.3
    texts = []
    ask = lambda: texts.append(house.post("/v1/completions", **MINUET).text)  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 3 and all('"text":"a + b"' in text for text in texts)
    assert len(house.engine.asked) == 1
    house.post("/v1/completions", **MINUET)
    assert len(house.engine.asked) == 2  # later ones compute anew


def test_drawn_answers_are_drawn_for_each_request(house):
    for seed in (None, None, 7):
        house.post("/v1/completions", **MINUET, temperature=0.8, seed=seed, top_p=0.9)
    seeds = [request.seed for request, _ in house.engine.asked]
    assert len(set(seeds)) == 3 and seeds[2] == 7
    assert house.engine.request.top_p == 0.9


def test_several_answers_differ(house):
    house.engine.texts = ("a + b\n", "\n", "a + b", " a + b", "b + a")
    said = house.post("/v1/completions", prompt=BEFORE, n=3, stop="\n").json()
    assert [choice["text"] for choice in said["choices"]] == ["a + b", "b + a", ""]
    assert (house.engine.request.branches, house.engine.request.temperature) == (8, 0.0)
    house.post("/v1/completions", prompt=BEFORE, n=3, temperature=1)
    assert (house.engine.request.branches, house.engine.request.samples) == (0, 3)


def test_as_many_answers_as_asked_for_even_if_they_repeat(house):
    said = house.post("/v1/completions", prompt=BEFORE, n=3).json()
    assert [choice["text"] for choice in said["choices"]] == ["a + b"] * 3
    assert [choice["index"] for choice in said["choices"]] == [0, 1, 2]
    sure, drawn = [request for request, _ in house.engine.asked]  # where branches find one only
    assert (sure.branches, drawn.branches, drawn.temperature, drawn.samples) == (8, 0, 0.8, 3)


def test_the_branches_of_the_command_line_are_for_answers_that_are_not_drawn(opened):
    house = opened(branches=4)
    house.post("/v1/completions", prompt=BEFORE)
    assert (house.engine.request.branches, house.engine.request.samples) == (4, 1)
    house.post("/v1/completions", prompt=BEFORE, temperature=0.5)
    assert house.engine.request.branches == 0


def test_the_confidence_of_the_command_line_is_for_one_answer_that_is_not_drawn(opened):
    house = opened(confidence=0.5)
    asked = []
    for more in ({}, {"temperature": 0.5}, {"n": 3}):
        house.post("/v1/completions", prompt=BEFORE, **more)
        asked.append(house.engine.asked[-1][0].confidence)
    assert asked == [0.5, 0.0, 0.0]


def test_continue_s_blank_suffix_is_none(house):
    house.post("/v1/completions", prompt=MARKED, suffix="<|endoftext|>", max_tokens=150)
    assert house.engine.request.suffix == AFTER
    house.post("/v1/completions", prompt=BEFORE, suffix="<|endoftext|>")
    assert (house.engine.request.prefix, house.engine.request.suffix) == (BEFORE, "")


def test_with_a_suffix_the_prompt_is_code_even_if_it_speaks_of_marks(house):
    house.post("/v1/completions", prompt=MARKED, suffix=AFTER)
    assert house.engine.request.prefix == MARKED


def test_an_answer_cut_by_max_tokens_says_so(house):
    house.engine.finish = Finish.LENGTH
    said = house.post("/v1/completions", prompt=BEFORE, max_tokens=5).json()
    assert said["choices"][0]["finish_reason"] == "length"
    said = house.post("/v1/completions", prompt=BEFORE, stop="+").json()
    assert said["choices"][0]["finish_reason"] == "stop"


def test_nothing_asked_is_answered_without_the_engine(house):
    for body in ({"prompt": ""}, {"prompt": "", "max_tokens": 0}, {}):
        assert house.post("/v1/completions", **body).json()["choices"][0]["text"] == ""
    assert house.engine.asked == []


def test_no_token_asked_has_the_context_computed(house):
    body = {"prompt": BEFORE, "suffix": AFTER, "max_tokens": 0, "n": 2}
    house.engine.texts = ("",)
    said = house.post("/v1/completions", **body).json()
    assert [c["text"] for c in said["choices"]] == ["", ""]
    assert said["choices"][0]["finish_reason"] == "length"
    [(request, _)] = house.engine.asked
    assert (request.prefix, request.suffix, request.max_tokens) == (BEFORE, AFTER, 0)


def test_the_usage_at_the_end_of_a_stream_where_it_is_wanted(house):
    options = {"include_usage": True}
    answer = house.post("/v1/completions", **MINUET, stream_options=options)
    last = json.loads(events(answer.text)[-2])
    assert last["choices"] == [] and last["usage"]["total_tokens"] == 45


def test_an_installed_model_is_taken_by_its_name_and_other_names_mean_the_default(house):
    for name, chosen in (("big", "big"), ("big:latest", "big"), ("smol", "smol"), ("gpt", "")):
        house.post("/v1/completions", prompt=BEFORE, model=name)
        assert house.engine.asked[-1][1].model == chosen
    said = house.http.get("/v1/models").json()
    assert [model["id"] for model in said["data"]] == ["smol", "big"]
    assert said["object"] == "list" and said["data"][0]["object"] == "model"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"prompt": 3}, "Field prompt must be a text or a list of texts."),
        ({"prompt": [1, 2]}, "Field prompt must be a text or a list of texts."),
        ({"prompt": ["a", "b"]}, "Field prompt must be one text; send a request for each."),
        ({"prompt": "a", "n": 99}, "The number of answers must be from 1 to 16."),
        ({"prompt": "a", "max_tokens": 1.5}, "Field max_tokens must be a whole number."),
        ({"prompt": "a", "temperature": "hot"}, "Field temperature must be a number."),
        ({"prompt": "a", "stream": 1}, "Field stream must be true or false."),
        ({"prompt": "a", "stop": [1]}, "Field stop must be a text or a list of texts."),
        ({"prompt": "a", "stream_options": 1}, "Field stream_options must be an object."),
        ({"prompt": "wrong"}, "Steps must be at least 1."),
    ],
)
def test_mistakes_are_one_sentence(house, body, sentence):
    answer = house.post("/v1/completions", **body)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": sentence, "type": "invalid_request_error", "param": None, "code": "invalid_value"
    }  # fmt: skip
