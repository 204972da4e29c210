"""How HTTP endpoints are asked to fill a gap, and where their answers stand.

Sources: llama.cpp ``tools/server/README.md`` (``/infill``, ``/completion``); OpenAI's legacy completions;
Mistral's ``/v1/fim/completions``, which Inception serves with ``text`` in place of ``message``; Ollama's
``docs/api.md`` (``/api/generate``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dcomplete_eval.contestants.around import Around
from dcomplete_eval.contestants.templates import Template

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same in every request. With a `template` the prompt is rendered here; `fim` false
    means that the prefix alone is continued."""

    model: str = ""
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    reuse: bool = True
    template: Template | None = None
    fim: bool = True

    def named(self, body: Body) -> Body:
        return {"model": self.model, **body} if self.model else body


class Dialect(Protocol):
    """One kind of endpoint. Streams are server-sent events, each with one JSON object."""

    streams: bool  # whether a prefix can be continued, read piece by piece

    def path(self, asking: Asking) -> str: ...

    def body(self, around: Around, asking: Asking) -> Body: ...

    def text(self, said: Mapping[str, Any]) -> str:
        """The answer's text, or a stream's piece; raises KeyError, IndexError, TypeError elsewise."""
        ...

    def tokens(self, said: Mapping[str, Any]) -> int | None: ...


class Llama:
    """llama.cpp's own endpoints."""

    streams = True

    def path(self, asking: Asking) -> str:
        return "/infill" if asking.fim and asking.template is None else "/completion"

    def body(self, around: Around, asking: Asking) -> Body:
        body: Body = {
            "n_predict": asking.max_tokens,
            "temperature": asking.temperature,
            "cache_prompt": asking.reuse,
        }
        if asking.temperature:
            body["seed"] = asking.seed
        if not asking.fim:
            return asking.named(body | {"prompt": around.before})
        if asking.template is not None:
            rendered = asking.template.render(around)
            return asking.named(body | {"prompt": rendered, "stop": list(asking.template.ends)})
        body |= {"input_prefix": around.prefix, "input_suffix": around.suffix, "prompt": ""}
        if around.extra:
            body["input_extra"] = [{"filename": "context", "text": around.extra}]
        return asking.named(body)

    def text(self, said: Mapping[str, Any]) -> str:
        return str(said["content"])

    def tokens(self, said: Mapping[str, Any]) -> int | None:
        return said.get("tokens_predicted")


class OpenAI:
    """``/v1/completions``: with the suffix, or with a rendered template."""

    streams = True

    def path(self, asking: Asking) -> str:
        return "/v1/completions"

    def body(self, around: Around, asking: Asking) -> Body:
        body: Body = {"max_tokens": asking.max_tokens, "temperature": asking.temperature}
        if asking.temperature:
            body["seed"] = asking.seed
        if not asking.fim:
            return asking.named(body | {"prompt": around.before})
        if asking.template is None:
            return asking.named(body | {"prompt": around.before, "suffix": around.suffix})
        rendered = asking.template.render(around)
        # The interface takes four stops at most.
        return asking.named(body | {"prompt": rendered, "stop": list(asking.template.ends[:4])})

    def text(self, said: Mapping[str, Any]) -> str:
        return str(said["choices"][0]["text"])

    def tokens(self, said: Mapping[str, Any]) -> int | None:
        return (said.get("usage") or {}).get("completion_tokens")


class Fim:
    """``/v1/fim/completions`` of Mistral and Inception."""

    streams = False

    def path(self, asking: Asking) -> str:
        return "/v1/fim/completions"

    def body(self, around: Around, asking: Asking) -> Body:
        body: Body = {
            "prompt": around.before,
            "suffix": around.suffix,
            "max_tokens": asking.max_tokens,
            "temperature": asking.temperature,
        }
        if asking.temperature:
            body["random_seed"] = asking.seed
        return asking.named(body)

    def text(self, said: Mapping[str, Any]) -> str:
        choice = said["choices"][0]
        return str(choice["message"]["content"] if "message" in choice else choice["text"])

    def tokens(self, said: Mapping[str, Any]) -> int | None:
        return (said.get("usage") or {}).get("completion_tokens")


class Ollama:
    """``/api/generate``: the server puts prefix and suffix into the model's own template."""

    streams = False

    def path(self, asking: Asking) -> str:
        return "/api/generate"

    def body(self, around: Around, asking: Asking) -> Body:
        options: Body = {"num_predict": asking.max_tokens, "temperature": asking.temperature}
        if asking.temperature:
            options["seed"] = asking.seed
        if asking.template is not None:
            options["stop"] = list(asking.template.ends)
            rendered = asking.template.render(around)
            return asking.named({"prompt": rendered, "raw": True, "options": options})
        return asking.named({"prompt": around.before, "suffix": around.suffix, "options": options})

    def text(self, said: Mapping[str, Any]) -> str:
        return str(said["response"])

    def tokens(self, said: Mapping[str, Any]) -> int | None:
        return said.get("eval_count")


DIALECTS: Mapping[str, Dialect] = {
    "llama": Llama(),
    "openai": OpenAI(),
    "fim": Fim(),
    "ollama": Ollama(),
}
