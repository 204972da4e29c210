"""The clients' own libraries against the routes; skipped where one is not installed."""

import pytest

from tests.dialects.conftest import AFTER, BEFORE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the clients' own


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch):
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def openai_client(house):
    openai = pytest.importorskip("openai", reason="the client openai is not installed")
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_openai_completes(house, openai_client):
    said = openai_client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt=BEFORE, suffix=AFTER, max_tokens=16, n=2, stop=["\n"]
    )
    assert [choice.text for choice in said.choices] == ["a + b", "a + b"]
    assert said.choices[0].finish_reason == "stop" and said.usage.total_tokens == 50
    assert house.engine.request.suffix == AFTER


def test_openai_streams(openai_client):
    stream = openai_client.completions.create(
        model="m", prompt=BEFORE, suffix=AFTER, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].text for c in chunks if c.choices) == "a + b"
    assert chunks[-1].usage.total_tokens == 45


def test_openai_lists_models_and_understands_errors(openai_client):
    import openai

    assert [model.id for model in openai_client.models.list()] == ["smol", "big"]
    with pytest.raises(openai.BadRequestError, match="Steps must be at least 1"):
        openai_client.completions.create(model="m", prompt="wrong")
    with pytest.raises(openai.InternalServerError, match="cannot be reached") as error:
        openai_client.completions.create(model="m", prompt="none")
    assert error.value.status_code == 503
    with pytest.raises(openai.NotFoundError, match="/v1/completions"):
        openai_client.chat.completions.create(model="m", messages=[])


def test_openai_s_key_is_the_token(opened):
    openai = pytest.importorskip("openai", reason="the client openai is not installed")
    house = opened(token="s3cret")
    for key, fits in (("s3cret", True), ("wrong", False)):
        with openai.OpenAI(base_url=f"{house.url}/v1", api_key=key, max_retries=0) as client:
            if fits:
                assert (
                    client.completions.create(model="m", prompt=BEFORE).choices[0].text == "a + b"
                )
            else:
                with pytest.raises(openai.AuthenticationError, match="token is missing or wrong"):
                    client.completions.create(model="m", prompt=BEFORE)


@pytest.fixture
def ollama_client(house):
    ollama = pytest.importorskip("ollama", reason="the client ollama is not installed")
    client = ollama.Client(host=house.url)
    yield client
    client._client.close()


def test_ollama_generates(house, ollama_client):
    options = {"num_predict": 16, "temperature": 0.0, "stop": ["\n"]}
    said = ollama_client.generate("codellama:code", BEFORE, suffix=AFTER, options=options)
    assert (said.response, said.done, said.done_reason) == ("a + b", True, "stop")
    assert said.created_at is not None and said.eval_count == 5
    assert (house.engine.request.suffix, house.engine.request.max_tokens) == (AFTER, 16)


def test_ollama_streams(ollama_client):
    parts = list(ollama_client.generate("m", BEFORE, suffix=AFTER, stream=True))
    assert "".join(part.response for part in parts) == "a + b" and parts[-1].done


def test_ollama_lists_and_shows(ollama_client):
    import ollama

    assert [model.model for model in ollama_client.list().models] == ["smol", "big"]
    assert ".Suffix" in ollama_client.show("smol").template
    with pytest.raises(ollama.ResponseError, match="Steps must be at least 1") as error:
        ollama_client.generate("m", "wrong")
    assert error.value.status_code == 400


@pytest.fixture
def mistral_client(house):
    client = pytest.importorskip("mistralai.client", reason="the client mistralai is not installed")
    with client.Mistral(api_key="none", server_url=house.url) as mistral:
        yield mistral


def test_mistral_completes_and_streams(house, mistral_client):
    said = mistral_client.fim.complete(
        model="codestral-latest", prompt=BEFORE, suffix=AFTER, max_tokens=16, temperature=0
    )
    assert said.choices[0].message.content == "a + b" and said.usage.total_tokens == 45
    assert house.engine.request.suffix == AFTER
    with mistral_client.fim.stream(model="codestral-latest", prompt=BEFORE, suffix=AFTER) as stream:
        parts = [event.data.choices[0].delta.content for event in stream]
    assert "".join(parts) == "a + b"


def test_mistral_understands_errors(mistral_client):
    with pytest.raises(Exception, match="Steps must be at least 1") as error:
        mistral_client.fim.complete(model="m", prompt="wrong")
    assert error.value.status_code == 400


@pytest.mark.parametrize("kind", ["llama", "openai", "fim", "ollama"])
def test_the_harness_measures_it_like_any_other_endpoint(house, kind):
    from dcomplete_eval.contestants import contestant
    from tests.eval.dialects import TASK

    who = contestant(f"http+{kind}:{house.url},model=m")
    answer = who.answer(TASK)
    assert (answer.text, answer.error) == ("a + b", "")
    assert (house.engine.request.prefix, house.engine.request.suffix) == (TASK.prefix, TASK.suffix)
    who.close()
