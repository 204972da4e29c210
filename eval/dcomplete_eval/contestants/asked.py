"""What may be asked of an autoregressive model, read in one place before anything is loaded."""

from dataclasses import dataclass

from dcomplete_eval.contestants.engine import MAX_TOKENS
from dcomplete_eval.contestants.spec import Spec


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of `ar:...`. Sizes are in tokens; `lines` is None where a gap's own number is told."""

    max_tokens: int
    temperature: float
    seed: int
    context: int
    lines: int | None
    threads: int  # 0 leaves it to the library
    fim: bool
    reuse: bool  # llama.cpp
    gpu_layers: int
    device: str  # transformers
    dtype: str

    @staticmethod
    def read(spec: Spec) -> "Asked":
        """Raises UserError for what makes no sense."""
        return Asked(
            max_tokens=spec.number("max_tokens", MAX_TOKENS, 1),
            temperature=spec.number("temperature", 0.0),
            seed=spec.number("seed", 0),
            context=spec.number("context", 1024, 16),
            lines=None if spec.text("lines", "gold") == "gold" else spec.number("lines", 1),
            threads=spec.number("threads", 0),
            fim=spec.yes("fim", True),
            reuse=spec.yes("reuse", True),
            gpu_layers=spec.number("gpu_layers", 0),
            device=spec.text("device", "cpu"),
            dtype=spec.choice("dtype", ("float32", "bfloat16", "float16")),
        )
