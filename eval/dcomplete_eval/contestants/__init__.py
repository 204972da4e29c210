"""Everything that fills gaps, behind one protocol (`types.Contestant`) and one way to name it.

========================= ==============================================================================
``engine``                our engine; model=, policy=, steps=, length=auto|oracle|candidates|N, via=process
``lsp``                   the language server as an editor starts it
``http+llama:URL``        llama.cpp's ``/infill``
``http+openai:URL``       ``/v1/completions`` with a suffix, or template=qwen and the like
``http+fim:URL``          ``/v1/fim/completions`` of Mistral and Inception
``http+ollama:URL``       ``/api/generate`` with a suffix
``ar:FILE.gguf``          an autoregressive model through llama.cpp; a folder: through transformers
``recorded:FILE.jsonl``   answers given earlier
``gold``, ``empty``       the truth, and nothing: the ceiling and the floor
========================= ==============================================================================
"""

from collections.abc import Callable

from dcomplete.registry import Registry
from dcomplete_eval.contestants.spec import Spec
from dcomplete_eval.types import Contestant

_HERE = "dcomplete_eval.contestants"
CONTESTANTS: Registry[Callable[[Spec], Contestant]] = Registry(
    "contestant",
    {
        "engine": f"{_HERE}.engine:make",
        "lsp": f"{_HERE}.lsp:make",
        "http+llama": f"{_HERE}.http:make",
        "http+openai": f"{_HERE}.http:make",
        "http+fim": f"{_HERE}.http:make",
        "http+ollama": f"{_HERE}.http:make",
        "ar": f"{_HERE}.autoregressive:make",
        "recorded": f"{_HERE}.recorded:make",
        "gold": f"{_HERE}.gold:make",
        "empty": f"{_HERE}.empty:make",
    },
)


def contestant(spec: str) -> Contestant:
    """Make the contestant that `spec` names, ready to answer; raises UserError.

    Models are loaded here: call it in the thread that asks.
    """
    said = Spec.read(spec)
    return CONTESTANTS.get(said.kind)(said)
