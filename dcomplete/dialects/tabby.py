"""Tabby's server, as its editor agents see it (crates/tabby/src/routes, services/completion.rs).

Its completions share a path with OpenAI's and are told apart by ``segments``.
"""

import os
import platform
from collections.abc import Sequence

from dcomplete import __version__
from dcomplete.dialects.asked import Asked, Dialect, File, Flow, Gap, Given
from dcomplete.dialects.fields import Fields

_OTHERS = (  # least useful first
    "relevant_snippets_from_recently_opened_files",
    "relevant_snippets_from_changed_files",
    "declarations",
)
_TOKENS = 64  # Tabby's own; its clients do not say


class Segments:
    """``/v1/completions`` with segments."""

    flow = Flow.EVENTS

    def speaks(self, body: Fields) -> bool:
        return body.has("segments")

    def read(self, body: Fields) -> Asked:
        segments = body.object("segments")
        files = tuple(
            File(part.text("filepath"), part.text("body"))
            for name in _OTHERS
            for part in segments.objects(name)
        )
        return Asked(
            Gap(segments.text("prefix"), segments.text("suffix"), files),
            tokens=_TOKENS,
            temperature=body.number("temperature", 0.0),
            seed=body.whole("seed", -1),
        )

    def whole(self, given: Given) -> object:
        choices = [{"index": 0, "text": given.first.text}]
        return {"id": f"cmpl-{given.id}", "choices": choices, "mode": "standard"}

    def parts(self, given: Given) -> Sequence[object]:
        return [self.whole(given)]

    def error(self, status: int, sentence: str) -> object:
        return {"error": sentence}


def health(models: Sequence[str], body: Fields) -> object:
    """Ready, as far as an agent can tell."""
    return {
        "model": models[0],
        "device": "cpu",
        "arch": platform.machine(),
        "cpu_info": platform.processor(),
        "cpu_count": os.cpu_count() or 1,
        "cuda_devices": [],
        "models": {"completion": {"local": {"model_id": models[0], "device": "cpu"}}},
        "version": {
            "build_date": "",
            "build_timestamp": "",
            "git_sha": "",
            "git_describe": f"dcomplete {__version__}",
        },
    }


def setting(models: Sequence[str], body: Fields) -> object:
    """Clients are to send nothing about their user anywhere."""
    return {"disable_client_side_telemetry": True}


def event(models: Sequence[str], body: Fields) -> object:
    """Shown, taken, dismissed: accepted, and neither kept nor passed on."""
    return None


SEGMENTS: Dialect = Segments()
