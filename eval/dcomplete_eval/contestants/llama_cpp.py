"""A GGUF model through llama.cpp's own server, which the wheel `xllamacpp` runs in this process.

The server listens on a port of this machine, behind a key that nobody else knows. One slot: requests
come one by one, and the context of the last one is reused, as ours is.
"""

import secrets
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete.provenance import processor
from dcomplete_eval.contestants import weights
from dcomplete_eval.contestants.asked import Asked
from dcomplete_eval.contestants.continuing import RULE
from dcomplete_eval.contestants.dialects import Asking, Llama
from dcomplete_eval.contestants.endpoint import Endpoint
from dcomplete_eval.contestants.spec import Spec
from dcomplete_eval.types import Answer, Task


class LlamaCpp:
    """See `types.Contestant`."""

    def __init__(self, spec: Spec, path: Path) -> None:
        xllamacpp, asked = _library(), Asked.read(spec)
        self._asking = Asking(
            max_tokens=asked.max_tokens,
            temperature=asked.temperature,
            seed=asked.seed,
            reuse=asked.reuse,
        )
        self._context, self._lines, self._threads = asked.context, asked.lines, asked.threads
        self._key = secrets.token_hex(16)
        params = _params(
            xllamacpp, path, self._context + self._asking.max_tokens, self._threads, self._key
        )
        params.n_gpu_layers = self._layers = asked.gpu_layers
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise UserError(f"llama.cpp cannot load {path}: {error}") from None
        self._version = str(getattr(xllamacpp, "__version__", ""))
        self._endpoint = self._connect(asked.fim)
        self._file, self._weights = path.stem, weights.of_file(path)
        self.name = spec.label(path.stem, "" if self._endpoint.asking.fim else "prefix")

    def _connect(self, fim: bool) -> Endpoint:
        """To ``/infill`` where the model knows it, else to ``/completion`` with the prefix."""
        if fim:
            try:
                return self._endpoint_for(self._asking)
            except UserError as error:
                if "not supported" not in str(error):
                    raise
        return self._endpoint_for(replace(self._asking, fim=False))

    def _endpoint_for(self, asking: Asking) -> Endpoint:
        dialect = Llama()
        endpoint = Endpoint(
            str(self._server.listening_address) + dialect.path(asking),
            dialect,
            asking,
            self._context,
            self._lines,
            {"Authorization": f"Bearer {self._key}"},
        )
        endpoint.first()
        return endpoint

    def settings(self) -> dict[str, Any]:
        asking = self._endpoint.asking
        return {
            "kind": "ar",
            "through": f"llama.cpp (xllamacpp {self._version})",
            "model": self._file,
            "weights": self._weights,
            "max_tokens": asking.max_tokens,
            "context": self._context,
            "temperature": asking.temperature,
            "seed": asking.seed,
            "reuse": asking.reuse,
            "fim": asking.fim,
            "rule": "" if asking.fim else RULE,
            "lines": "gold" if self._lines is None else self._lines,
            "device": f"{self._layers} layers on the GPU" if self._layers else processor(),
            "threads": self._threads or None,
            "post": "none",
        }

    def answer(self, task: Task) -> Answer:
        answer = self._endpoint.answer(task)
        return replace(answer, steps=answer.tokens, forwards=answer.tokens)  # a token each

    def close(self) -> None:
        self._endpoint.close()
        del self._server  # ends the server's threads


def _library() -> Any:
    try:
        return import_module("xllamacpp")
    except ImportError:
        raise UserError(
            "GGUF models as contestants need llama.cpp: pip install 'dcomplete[llama]'."
        ) from None


def _params(library: Any, path: Path, context: int, threads: int, key: str) -> Any:
    params = library.CommonParams()
    params.model.path = str(path)
    params.n_ctx = max(512, context + 64)  # some for the template's marks and miscounted characters
    params.n_batch = params.n_ubatch = 1024  # /infill keeps 3/4 of it before the gap, 1/4 behind
    params.n_parallel = 1
    if threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0  # no saved prompts beside the slot's own
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [key]
    return params
