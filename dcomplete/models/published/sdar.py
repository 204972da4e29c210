"""SDAR (Shanghai AI Lab; arXiv 2510.06303): Qwen3 with block diffusion, small blocks, no shift."""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.chat import chat_layout, chat_stops
from dcomplete.models.published.kinds import Published, Release, as_kind, card
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

_MASK, _BLOCK = 151669, 4  # <|MASK|>


def _describe(source: Source, net: NetConfig) -> Manifest:
    block = int(source.config.get("block_size") or _BLOCK)
    ids = Specials(
        mask=source.mask(_MASK, "<|MASK|>"),
        fill=source.first("<|im_end|>", "<|endoftext|>"),
        reserved=source.special,
    )
    usage = Usage(window=block, layout=chat_layout(source), stops=chat_stops(source))
    about = card(
        "sdar", source, sampler="low_confidence_dynamic, threshold 0.85, greedy in evaluations"
    )
    return Manifest(
        net,
        ids,
        "block-causal",
        shift=False,
        block=block,
        policy="threshold=0.85",
        card=about,
        usage=usage,
    )


SDAR = Published(
    "sdar",
    (
        Release("sdar-1.7b", "JetLM/SDAR-1.7B-Chat", 2.0, "MIT"),
        Release("sdar-4b", "JetLM/SDAR-4B-Chat", 4.4, "MIT"),
        Release("sdar-8b", "JetLM/SDAR-8B-Chat", 8.2, "MIT"),
    ),
    as_kind("qwen3"),
    _describe,
    infills="through a chat turn; no published figures",
    length="ends with a token",
    source="github.com/JetAstra/SDAR, modeling_sdar.py and generate.py",
)
