"""The shape of a network. `from_hf` is the only place that knows Hugging Face's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dcomplete.errors import ModelError

FAMILIES = ("llama", "qwen2", "qwen3")


@dataclass(frozen=True, slots=True)
class NetConfig:
    """One decoder of the Llama, Qwen2 or Qwen3 family: the three differ by two flags."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    rope_theta: float
    norm_eps: float
    tied: bool
    qkv_bias: bool = False  # Qwen2
    qk_norm: bool = False  # Qwen3
    max_positions: int = 8192

    @property
    def qkv_width(self) -> int:
        return (self.heads + 2 * self.kv_heads) * self.head_dim

    @property
    def parameters(self) -> int:
        """Weights of the network, tied ones counted once."""
        per_layer = self.hidden * (self.qkv_width + self.heads * self.head_dim + 3 * self.mlp)
        return self.layers * per_layer + self.vocab * self.hidden * (1 if self.tied else 2)

    @staticmethod
    def from_hf(raw: Mapping[str, Any]) -> "NetConfig":
        """Read a Hugging Face ``config.json``; raises ModelError for what this network cannot be."""
        kind = raw.get("model_type")
        if kind not in FAMILIES:
            raise ModelError(f"Model type {kind!r} is not supported; known: {', '.join(FAMILIES)}.")
        try:
            return _read(raw, str(kind))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The model's config.json is incomplete or malformed ({error})."
            ) from None


def _read(raw: Mapping[str, Any], kind: str) -> NetConfig:
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        raise ModelError(
            f"Rotary scaling {rope.get('rope_type', rope.get('type'))!r} is not supported."
        )
    if raw.get("use_sliding_window"):
        raise ModelError("Sliding-window attention is not supported.")
    if raw.get("hidden_act", "silu") != "silu":
        raise ModelError(f"Activation {raw['hidden_act']!r} is not supported.")
    if kind != "qwen2" and (raw.get("attention_bias") or raw.get("mlp_bias")):
        raise ModelError("Biases in the projections of a Llama or Qwen3 model are not supported.")
    hidden, heads = int(raw["hidden_size"]), int(raw["num_attention_heads"])
    return NetConfig(
        vocab=int(raw["vocab_size"]),
        hidden=hidden,
        layers=int(raw["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(raw.get("num_key_value_heads") or heads),
        head_dim=int(raw.get("head_dim") or hidden // heads),
        mlp=int(raw["intermediate_size"]),
        rope_theta=float(rope.get("rope_theta") or raw.get("rope_theta") or 10_000.0),
        norm_eps=float(raw.get("rms_norm_eps", 1e-6)),
        tied=bool(raw.get("tie_word_embeddings", False)),
        qkv_bias=kind == "qwen2",
        qk_norm=kind == "qwen3",
        max_positions=int(raw.get("max_position_embeddings", 8192)),
    )
