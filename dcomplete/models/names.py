"""Foreign tensor names to ours: Hugging Face's three families and GGUF's; nothing else knows them."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.config import NetConfig

Get = Callable[[str], Tensor]  # a foreign name to its tensor; raises KeyError

_PLAIN = {
    "embed.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "lm_head.weight": "lm_head.weight",
}
_LAYER = {
    "attn_norm.weight": ("input_layernorm.weight",),
    "qkv.weight": tuple(f"self_attn.{n}_proj.weight" for n in "qkv"),
    "qkv.bias": tuple(f"self_attn.{n}_proj.bias" for n in "qkv"),
    "q_norm.weight": ("self_attn.q_norm.weight",),
    "k_norm.weight": ("self_attn.k_norm.weight",),
    "o.weight": ("self_attn.o_proj.weight",),
    "mlp_norm.weight": ("post_attention_layernorm.weight",),
    "gate_up.weight": ("mlp.gate_proj.weight", "mlp.up_proj.weight"),
    "down.weight": ("mlp.down_proj.weight",),
}
_GGUF = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def parts(config: NetConfig) -> dict[str, tuple[str, ...]]:
    """Our tensor names, each with the Hugging Face tensors that it is stacked from."""
    names: dict[str, tuple[str, ...]] = {ours: (theirs,) for ours, theirs in _PLAIN.items()}
    if config.tied:
        del names["lm_head.weight"]
    skip = {"qkv.bias"} if not config.qkv_bias else set()
    skip |= {"q_norm.weight", "k_norm.weight"} if not config.qk_norm else set()
    for index in range(config.layers):
        for ours, theirs in _LAYER.items():
            if ours not in skip:
                names[f"layers.{index}.{ours}"] = tuple(f"model.layers.{index}.{t}" for t in theirs)
    return names


def gguf_name(hf: str) -> str:
    """Hugging Face's name of a tensor to GGUF's."""
    stem, _, kind = hf.rpartition(".")
    if stem.startswith("model.layers."):
        index, _, rest = stem.removeprefix("model.layers.").partition(".")
        return f"blk.{index}.{_GGUF[rest]}.{kind}"
    return f"{_GGUF[stem]}.{kind}"


def from_hf(config: NetConfig, get: Get) -> dict[str, Tensor]:
    """Collect and fuse a whole network; raises ModelError naming the tensor that does not fit."""
    return dict(fused(config, get))


def fused(config: NetConfig, get: Get) -> Iterator[tuple[str, Tensor]]:
    """`from_hf`, one tensor after the other."""
    for ours, theirs in parts(config).items():
        try:
            pieces = [get(name) for name in theirs]
        except KeyError as error:
            raise ModelError(f"The checkpoint lacks the tensor {error.args[0]!r}.") from None
        yield ours, pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def check_shapes(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise ModelError for the first missing, superfluous or misshapen tensor."""
    _none_left("lacks", expected.keys() - found.keys())
    _none_left("has the unknown", found.keys() - expected.keys())
    for name, tensor in expected.items():
        if tensor.shape != found[name].shape:
            have, want = tuple(found[name].shape), tuple(tensor.shape)
            raise ModelError(f"Tensor {name!r} has shape {have}, but the config asks for {want}.")


def _none_left(verb: str, names: Iterable[str]) -> None:
    if first := min(names, default=None):
        raise ModelError(f"The checkpoint {verb} tensor {first!r}.")
