"""OpenAI's ``/v1/completions``, with ``suffix`` or a prompt that the client has marked itself.

Read by minuet, Zed, Continue, llama.vscode, llm-ls and others. Zed wants every field that is here.
"""

from collections.abc import Sequence

from dcomplete.dialects.asked import Asked, Dialect, Flow, Given, Piece, tokens_of
from dcomplete.dialects.fields import Fields
from dcomplete.dialects.sentinels import gap_of
from dcomplete.errors import UserError

_ERRORS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "forbidden"),
    404: ("invalid_request_error", "not_found"),
    413: ("invalid_request_error", "request_too_large"),
    503: ("server_error", "unavailable"),
    500: ("server_error", "engine_failed"),
}


class Completions:
    """The legacy completions, which is where editors fill gaps."""

    flow = Flow.EVENTS_DONE

    def speaks(self, body: Fields) -> bool:
        return True

    def read(self, body: Fields) -> Asked:
        return asked_of(body, body.text("suffix"))

    def whole(self, given: Given) -> object:
        return {**_head(given), "choices": _choices(given), "usage": usage(given)}

    def parts(self, given: Given) -> Sequence[object]:
        last: dict[str, object] = {**_head(given), "choices": [], "usage": usage(given)}
        chunks: list[object] = [{**_head(given), "choices": [c]} for c in _choices(given)]
        return [*chunks, last] if given.asked.kept else chunks

    def error(self, status: int, sentence: str) -> object:
        kind, code = _ERRORS.get(status, ("invalid_request_error", "invalid_value"))
        return {"error": {"message": sentence, "type": kind, "param": None, "code": code}}


def asked_of(body: Fields, suffix: str) -> Asked:
    """What OpenAI's and Mistral's bodies have in common."""
    prompts = body.texts("prompt")
    if len(prompts) > 1:
        raise UserError("Field prompt must be one text; send a request for each.")
    options = body.object("stream_options")
    return Asked(
        gap_of("".join(prompts), suffix),
        model=body.text("model"),
        count=body.whole("n", 1),
        tokens=tokens_of(body, "max_tokens", "max_completion_tokens"),
        temperature=body.number("temperature", 0.0),
        top_p=body.number("top_p", 1.0),
        seed=body.whole("seed", body.whole("random_seed", -1)),
        stops=body.texts("stop"),
        stream=body.flag("stream"),
        kept=("usage",) if options.flag("include_usage") else None,
    )


def usage(given: Given) -> dict[str, int]:
    """Tokens of context that the model saw, and of all answers."""
    return {
        "prompt_tokens": given.context_tokens,
        "completion_tokens": given.tokens,
        "total_tokens": given.context_tokens + given.tokens,
    }


def _head(given: Given) -> dict[str, object]:
    return {
        "id": f"cmpl-{given.id}",
        "object": "text_completion",
        "created": int(given.moment),
        "model": given.model,
    }


def _choices(given: Given) -> list[dict[str, object]]:
    return [_choice(index, piece) for index, piece in enumerate(given.pieces)]


def _choice(index: int, piece: Piece) -> dict[str, object]:
    return {"index": index, "text": piece.text, "logprobs": None, "finish_reason": piece.reason}


def models(names: Sequence[str], body: Fields) -> object:
    """``/v1/models``: what is installed, the default first."""
    data = [{"id": n, "object": "model", "created": 0, "owned_by": "dcomplete"} for n in names]
    return {"object": "list", "data": data}


COMPLETIONS: Dialect = Completions()
