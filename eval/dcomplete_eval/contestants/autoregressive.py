"""An autoregressive model as the baseline: a GGUF file through llama.cpp, a folder through transformers.

A model that knows fill-in-the-middle gets its own template; any other continues the prefix, cut by the
rule of `continuing`.
"""

from pathlib import Path

from dcomplete.errors import UserError
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Contestant

OPTIONS = (
    "max_tokens", "temperature", "seed", "context", "fim", "lines", "reuse", "threads", "gpu_layers",
    "device", "dtype",
)  # fmt: skip


def make(spec: Spec) -> Contestant:
    """See `contestants.contestant`; loads the model."""
    path = Path(spec.target).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        from dcomplete_eval.contestants.llama_cpp import LlamaCpp

        return LlamaCpp(spec, path)
    if path.is_dir():
        from dcomplete_eval.contestants.hugging_face import HuggingFace

        return HuggingFace(spec, path)
    raise UserError(f"{path} is neither a GGUF file nor a model folder; download the model first.")


KIND = Kind(make, OPTIONS, target="a GGUF file or a Hugging Face model folder")
