"""Tiny-A2D (dllm; arXiv 2602.22661): small Qwens made diffusion models by fine-tuning alone.

The two kinds, full attention (mdlm) and blocks of 32 (bd3lm), have the same configuration. dllm itself
tells them apart by which sampler is called, so the folder's name, which is the hub's, has to say.
"""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.chat import chat_layout, chat_stops
from dcomplete.models.published.kinds import Published, Raw, Release, card
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

_BLOCK = 32


def _base(config: Raw) -> Raw:
    return {**config, "model_type": str(config["model_type"]).removeprefix("a2d-")}


def _describe(source: Source, net: NetConfig) -> Manifest:
    mask = source.mask(None, "<|mask|>")
    if not blockwise(source):
        ids = Specials(mask=mask, reserved=source.special)
        about = card("a2d", source, sampler="low confidence, one token per step")
        return Manifest(net, ids, "full", shift=False, policy="topk", card=about)
    end = source.first("<|im_end|>", "<|endoftext|>")
    usage = Usage(
        window=_BLOCK, blocks_from_end=True, layout=chat_layout(source), stops=chat_stops(source)
    )
    about = card("a2d", source, sampler="low confidence, one token per step, blocks of 32")
    return Manifest(
        net,
        Specials(mask=mask, fill=end, reserved=source.special),
        "block-causal",
        shift=False,
        block=_BLOCK,
        policy="topk",
        card=about,
        usage=usage,
    )


def blockwise(source: Source) -> bool:
    """Whether the checkpoint is of the block kind."""
    said = source.config.get("_name_or_path", "")
    return any("bd3lm" in str(name).lower() for name in (source.folder.name, said))


def _release(name: str, base: str, kind: str, billions: float) -> Release:
    return Release(name, f"dllm-hub/{base}-diffusion-{kind}-v0.1", billions, "Apache-2.0")


_CODER, _QWEN3 = "Qwen2.5-Coder-0.5B-Instruct", "Qwen3-0.6B"
A2D = Published(
    "a2d",
    (
        _release("a2d-coder-0.5b", _CODER, "mdlm", 0.6),
        _release("a2d-coder-0.5b-block", _CODER, "bd3lm", 0.6),
        _release("a2d-qwen3-0.6b", _QWEN3, "mdlm", 0.75),
        _release("a2d-qwen3-0.6b-block", _QWEN3, "bd3lm", 0.75),
    ),
    _base,
    _describe,
    infills="yes; the block kind through a chat turn",
    length="candidates, scored; the block kind ends with a token",
    source="github.com/ZHZisZZ/dllm, core/samplers/mdlm.py and bd3lm.py",
)
