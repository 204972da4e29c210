"""An autoregressive model as the baseline: a GGUF file through llama.cpp, a folder through transformers.

A model that knows fill-in-the-middle gets its own template; any other continues the prefix, cut by the
rule of `continuing`.
"""

from pathlib import Path

from dcomplete.errors import UserError
from dcomplete.models.store import path_of
from dcomplete_eval.contestants.asked import Asked
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Contestant

_BOTH = ("max_tokens", "temperature", "seed", "context", "fim", "lines", "threads")
_LLAMA_CPP, _TRANSFORMERS = ("reuse", "gpu_layers"), ("device", "dtype")
OPTIONS = (*_BOTH, *_LLAMA_CPP, *_TRANSFORMERS)


def make(spec: Spec) -> Contestant:
    """See `contestants.contestant`; loads the model."""
    if (path := _read(spec)).is_file():
        from dcomplete_eval.contestants.llama_cpp import LlamaCpp

        return LlamaCpp(spec, path)
    from dcomplete_eval.contestants.hugging_face import HuggingFace

    return HuggingFace(spec, path)


def _read(spec: Spec) -> Path:
    """The model's file or folder; what is asked of it is read as well."""
    Asked.read(spec)
    path = path_of(spec.target)
    if path.is_file() and path.suffix == ".gguf":
        _refuse(spec, _TRANSFORMERS, "llama.cpp")
        return path
    if path.is_dir():
        _refuse(spec, _LLAMA_CPP, "transformers")
        return path
    raise UserError(f"{path} is neither a GGUF file nor a model folder; download the model first.")


def _refuse(spec: Spec, options: tuple[str, ...], program: str) -> None:
    """Raise UserError for an option that would stand in the name and decide nothing."""
    if given := [name for name in options if name in spec.options]:
        raise UserError(f"{program}, which runs {spec.target}, has no option {given[0]!r}.")


KIND = Kind(make, OPTIONS, target="a GGUF file or a Hugging Face model folder", read=_read)
