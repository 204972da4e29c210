"""Ollama's ``/api/generate`` and what its clients ask before they use it (docs/api.md).

Continue sends a suffix where the template that ``/api/show`` tells has ``.Suffix``; Zed sends a marked
prompt with ``raw``. Streams unless told not to.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from dcomplete import __version__
from dcomplete.dialects.asked import Asked, Dialect, Flow, Given, tokens_of
from dcomplete.dialects.fields import Fields
from dcomplete.dialects.sentinels import gap_of

_TEMPLATE = "{{ .Prompt }}{{ .Suffix }}"  # never rendered: the engine takes both as they are
_NS = 1_000_000  # nanoseconds of a millisecond
_DETAILS = {
    "parent_model": "",
    "format": "safetensors",
    "family": "dcomplete",
    "families": ["dcomplete"],
    "parameter_size": "",
    "quantization_level": "",
}


class Generate:
    """``/api/generate``."""

    flow = Flow.LINES

    def speaks(self, body: Fields) -> bool:
        return True

    def read(self, body: Fields) -> Asked:
        options = body.object("options")
        return Asked(
            gap_of(body.text("prompt"), body.text("suffix")),
            model=body.text("model"),
            tokens=tokens_of(options, "num_predict"),
            temperature=options.number("temperature", 0.0),
            top_p=options.number("top_p", 1.0),
            seed=options.whole("seed", -1),
            stops=options.texts("stop"),
            stream=body.flag("stream", True),
        )

    def whole(self, given: Given) -> object:
        return {**_head(given), "response": given.first.text, **_tail(given)}

    def parts(self, given: Given) -> Sequence[object]:
        text = {**_head(given), "response": given.first.text, "done": False}
        last = {**_head(given), "response": "", **_tail(given)}
        return [text, last] if given.first.text else [last]

    def error(self, status: int, sentence: str) -> object:
        return {"error": sentence}


def _head(given: Given) -> dict[str, object]:
    """With the name that the client uses for the model: it may look for it."""
    return {"model": given.asked.model or given.model, "created_at": _when(given.moment)}


def _tail(given: Given) -> dict[str, object]:
    times = given.timings
    return {
        "done": True,
        "done_reason": "load" if given.asked.empty else given.first.reason,
        "context": [],
        "total_duration": int(times.total * _NS),
        "load_duration": int(times.load * _NS),
        "prompt_eval_count": given.context_tokens,
        "prompt_eval_duration": int(times.prefill * _NS),
        "eval_count": given.first.tokens,
        "eval_duration": int(times.denoise * _NS),
    }


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def tags(models: Sequence[str], body: Fields) -> object:
    """What is installed, the default first."""
    rows = [
        {
            "name": name,
            "model": name,
            "modified_at": _when(0.0),
            "size": 0,
            "digest": "",
            "details": _DETAILS,
        }
        for name in models
    ]
    return {"models": rows}


def show(models: Sequence[str], body: Fields) -> object:
    """The same for every name: a name that is none of ours means the default model."""
    return {
        "modelfile": "",
        "parameters": "",
        "template": _TEMPLATE,
        "details": _DETAILS,
        "model_info": {"general.architecture": "dcomplete"},
        "capabilities": ["completion", "insert"],
        "modified_at": _when(0.0),
    }


def version(models: Sequence[str], body: Fields) -> object:
    return {"version": __version__}


GENERATE: Dialect = Generate()
