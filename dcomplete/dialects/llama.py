"""llama.cpp's server: ``/infill`` and ``/completion`` (tools/server/README.md).

Read by llama.vim, llama.vscode, llm-ls and Tabby. llama.vim looks for ``"content":"`` in the raw text.
"""

import os
from collections.abc import Mapping, Sequence

from dcomplete.dialects.asked import Asked, Dialect, File, Flow, Gap, Given, Piece, tokens_of
from dcomplete.dialects.desk import CONTEXT
from dcomplete.dialects.fields import Fields
from dcomplete.dialects.sentinels import gap_of

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    503: "unavailable_error",
}


class Infill:
    """``/infill``: the prompt is the line left of the cursor, and so the end of the prefix."""

    flow = Flow.EVENTS

    def speaks(self, body: Fields) -> bool:
        return True

    def read(self, body: Fields) -> Asked:
        files = tuple(
            File(part.text("filename"), part.text("text")) for part in body.objects("input_extra")
        )
        prefix = body.text("input_prefix") + body.text("prompt")
        return _asked(body, Gap(prefix, body.text("input_suffix"), files))

    def whole(self, given: Given) -> object:
        answers = [_answer(given, piece) for piece in given.pieces]
        return answers if given.asked.count > 1 else answers[0]

    def parts(self, given: Given) -> Sequence[object]:
        parts: list[object] = []
        for index, piece in enumerate(given.pieces):
            parts.append({"index": index, "content": piece.text, "stop": False})
            parts.append({"index": index, **_full(given, piece), "content": ""})
        return parts

    def error(self, status: int, sentence: str) -> object:
        kind = _ERRORS.get(status, "server_error")
        return {"error": {"code": status, "message": sentence, "type": kind}}


class Completion(Infill):
    """``/completion``: a prompt that the client has marked itself, or plain text."""

    def read(self, body: Fields) -> Asked:
        return _asked(body, gap_of(body.text("prompt"), ""))


def _asked(body: Fields, gap: Gap) -> Asked:
    return Asked(
        gap,
        model=body.text("model"),
        count=max(body.whole("n_cmpl", 1), body.whole("n", 1)),
        tokens=tokens_of(body, "n_predict", "max_tokens"),
        temperature=body.number("temperature", 0.0),
        top_p=body.number("top_p", 1.0),
        seed=body.whole("seed", -1),
        stops=body.texts("stop"),
        indent=body.whole("n_indent", 0),
        stream=body.flag("stream"),
        kept=body.texts("response_fields") if body.has("response_fields") else None,
    )


def _answer(given: Given, piece: Piece) -> object:
    full = _full(given, piece)
    return full if given.asked.kept is None else _kept(full, given.asked.kept)


def _full(given: Given, piece: Piece) -> dict[str, object]:
    return {
        "content": piece.text,
        "tokens": [],
        "id_slot": 0,
        "stop": True,
        "model": given.model,
        "tokens_predicted": piece.tokens,
        "tokens_evaluated": given.context_tokens,
        "generation_settings": _settings(given.asked.tokens),
        "stop_type": "word" if piece.stop else "limit" if piece.cut else "eos",
        "stopping_word": piece.stop,
        "tokens_cached": given.context_tokens + piece.tokens,
        "truncated": False,
        "timings": {
            **_rate("prompt", given.context_tokens, given.timings.prefill),
            **_rate("predicted", piece.tokens, given.timings.denoise),
        },
    }


def _rate(name: str, tokens: int, ms: float) -> dict[str, object]:
    return {
        f"{name}_n": tokens,
        f"{name}_ms": ms,
        f"{name}_per_token_ms": ms / tokens if tokens else 0.0,
        f"{name}_per_second": 1000 * tokens / ms if ms else 0.0,
    }


def _settings(tokens: int) -> dict[str, object]:
    return {"n_ctx": CONTEXT, "n_predict": tokens}


def _kept(full: Mapping[str, object], paths: Sequence[str]) -> dict[str, object]:
    """Only these fields; one of an inner object, ``timings/prompt_n``, keeps its path as name."""
    kept: dict[str, object] = {}
    for path in paths:
        value: object = full
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            kept[path] = value
    return kept


def health(models: Sequence[str], body: Fields) -> object:
    """Well as long as it answers: the engine process starts with the first request."""
    return {"status": "ok"}


def props(models: Sequence[str], body: Fields) -> object:
    return {
        "default_generation_settings": _settings(-1),
        "total_slots": os.cpu_count() or 1,
        "model_path": models[0],
        "chat_template": "",
        "modalities": {"vision": False, "audio": False},
        "build_info": "dcomplete",
    }


INFILL: Dialect = Infill()
COMPLETION: Dialect = Completion()
