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

from dcomplete.registry import Registry
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.types import Contestant

_HERE = "dcomplete_eval.contestants"
CONTESTANTS: Registry[Kind] = Registry(
    "contestant",
    {
        "engine": f"{_HERE}.engine:KIND",
        "lsp": f"{_HERE}.lsp:KIND",
        "http+llama": f"{_HERE}.http:KIND",
        "http+openai": f"{_HERE}.http:KIND",
        "http+fim": f"{_HERE}.http:KIND",
        "http+ollama": f"{_HERE}.http:KIND",
        "ar": f"{_HERE}.autoregressive:KIND",
        "recorded": f"{_HERE}.recorded:KIND",
        "gold": f"{_HERE}.gold:KIND",
        "empty": f"{_HERE}.empty:KIND",
    },
)


def check(spec: str) -> Spec:
    """Read a contestant's words; raises UserError for what can be seen to be wrong at once."""
    said = Spec.read(spec)
    CONTESTANTS.get(said.kind).check(said)
    return said


def contestant(spec: str) -> Contestant:
    """Make the contestant that `spec` names, ready to answer; raises UserError.

    Models are loaded here: call it in the thread that asks.
    """
    said = check(spec)
    return CONTESTANTS.get(said.kind).make(said)
