"""LLaDA and LLaDA-1.5 (GSAI-ML; arXiv 2502.09992): a Llama with OLMo's names, everyone sees everyone."""

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Raw, Release, card, require
from dcomplete.models.specials import Specials

_MASK = 126336  # <|mdm_mask|>
_TOP = {
    "model.embed_tokens.weight": "model.transformer.wte.weight",
    "model.norm.weight": "model.transformer.ln_f.weight",
    "lm_head.weight": "model.transformer.ff_out.weight",
}
_LAYER = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ff_norm",
    "self_attn.q_proj": "q_proj",
    "self_attn.k_proj": "k_proj",
    "self_attn.v_proj": "v_proj",
    "self_attn.o_proj": "attn_out",
    "mlp.gate_proj": "ff_proj",
    "mlp.up_proj": "up_proj",
    "mlp.down_proj": "ff_out",
}


def rename(name: str) -> str:
    """``model.layers.3.mlp.up_proj.weight`` to ``model.transformer.blocks.3.up_proj.weight``."""
    if name in _TOP:
        return _TOP[name]
    number, _, rest = name.removeprefix("model.layers.").partition(".")
    stem, _, kind = rest.rpartition(".")
    return f"model.transformer.blocks.{number}.{_LAYER[stem]}.{kind}"


def base(config: Raw) -> Raw:
    """OLMo's words for a Llama; a LLaDA with biases in q, k and v is a Qwen2."""
    if "num_experts" in config or "n_experts" in config:
        raise ModelError("LLaDA with a mixture of experts is not supported; the dense ones are.")
    require(
        config,
        "LLaDA",
        block_type="llama",
        layer_norm_type="rms",
        activation_type="silu",
        rope=True,
        alibi=False,
        attention_layer_norm=False,
        include_bias=False,
        input_emb_norm=False,
        scale_logits=False,
        bias_for_layer_norm=False,
    )
    try:
        heads = config["n_heads"]
        return {
            "model_type": "qwen2" if config.get("include_qkv_bias") else "llama",
            "vocab_size": config.get("embedding_size") or config["vocab_size"],
            "hidden_size": config["d_model"],
            "num_hidden_layers": config["n_layers"],
            "num_attention_heads": heads,
            "num_key_value_heads": config.get("n_kv_heads") or heads,
            "intermediate_size": config["mlp_hidden_size"],
            "rope_theta": config.get("rope_theta", 10_000.0),
            "rms_norm_eps": config.get("rms_norm_eps", 1e-5),
            "max_position_embeddings": config.get("max_sequence_length", 4096),
            "tie_word_embeddings": config.get("weight_tying", False),
        }
    except KeyError as error:
        raise ModelError(f"The model's config.json is incomplete (no {error}).") from None


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(mask=source.mask(_MASK, "<|mdm_mask|>"), reserved=source.special)
    about = card("llada", source, sampler="low confidence, one token per step")
    return Manifest(net, ids, "full", shift=False, policy="topk", card=about)


LLADA = Published(
    "llada",
    (
        Release("llada-8b", "GSAI-ML/LLaDA-8B-Base", 8.0, "MIT"),
        Release("llada-8b-instruct", "GSAI-ML/LLaDA-8B-Instruct", 8.0, "MIT"),
        Release("llada-1.5-8b", "GSAI-ML/LLaDA-1.5", 8.0, "MIT"),
    ),
    base,
    _describe,
    infills="yes",
    length="candidates, scored",
    source="huggingface.co/GSAI-ML/LLaDA-8B-Base, modeling_llada.py; github.com/ML-GSAI/LLaDA, generate.py",
    rename=rename,
)
