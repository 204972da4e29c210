"""What is answered where: the one table of dialects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dcomplete.dialects import llama, mistral, ollama, openai, tabby
from dcomplete.dialects.asked import Dialect
from dcomplete.dialects.fields import Fields


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known without the engine: from the models' names and the request's body."""

    tell: Callable[[Sequence[str], Fields], object]
    dialect: Dialect  # in whose words an error is told
    methods: tuple[str, ...] = ("GET",)


# By path; of several dialects the first that speaks the body's answers it.
GAPS: Mapping[str, tuple[Dialect, ...]] = {
    "/infill": (llama.INFILL,),
    "/completion": (llama.COMPLETION,),
    "/v1/completions": (tabby.SEGMENTS, openai.COMPLETIONS),
    "/v1/fim/completions": (mistral.FIM,),
    "/api/generate": (ollama.GENERATE,),
}
FACTS: Mapping[str, Fact] = {
    "/health": Fact(llama.health, llama.INFILL),
    "/props": Fact(llama.props, llama.INFILL),
    "/v1/models": Fact(openai.models, openai.COMPLETIONS),
    "/api/tags": Fact(ollama.tags, ollama.GENERATE),
    "/api/show": Fact(ollama.show, ollama.GENERATE, ("POST",)),
    "/api/version": Fact(ollama.version, ollama.GENERATE),
    "/v1/health": Fact(tabby.health, tabby.SEGMENTS, ("GET", "POST")),
    "/v1beta/server_setting": Fact(tabby.setting, tabby.SEGMENTS),
    "/v1/events": Fact(tabby.event, tabby.SEGMENTS, ("POST",)),
}
OPEN = frozenset({"/health"})  # without a token, as at llama.cpp's server: it tells nothing


def dialect_at(path: str) -> Dialect:
    """In whose words to speak at a path before its body is read."""
    if path in GAPS:
        return GAPS[path][-1]
    if path in FACTS:
        return FACTS[path].dialect
    return ollama.GENERATE if path.startswith("/api/") else openai.COMPLETIONS


def dialect_of(path: str, body: Fields) -> Dialect:
    """Whose body it is."""
    return next(dialect for dialect in GAPS[path] if dialect.speaks(body))
