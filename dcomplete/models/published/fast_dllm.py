"""Fast-dLLM v2 (NVIDIA; arXiv 2509.26328): Qwen2.5-Instruct, blocks of 32 in parts of 8.

The autoregressive shift is kept: the last token of a finished block predicts the next block's first.
"""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.chat import chat_layout, chat_stops
from dcomplete.models.published.kinds import Published, Release, as_kind, card
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

_MASK, _BLOCK, _PART = 151665, 32, 8  # |<MASK>|


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(
        mask=source.mask(_MASK, "|<MASK>|"),
        fill=source.first("<|im_end|>", "<|endoftext|>"),
        reserved=source.special,
    )
    usage = Usage(window=_PART, layout=chat_layout(source), stops=chat_stops(source), top_p=0.95)
    about = card("fast-dllm", source, sampler="threshold 0.9, blocks of 32 in parts of 8")
    return Manifest(
        net,
        ids,
        "block-causal",
        shift=True,
        block=int(source.config.get("bd_size") or _BLOCK),
        policy="threshold",
        card=about,
        usage=usage,
    )


FAST_DLLM = Published(
    "fast-dllm",
    (
        Release("fast-dllm-v2-1.5b", "Efficient-Large-Model/Fast_dLLM_v2_1.5B", 1.5, "Apache-2.0"),
        Release("fast-dllm-v2-7b", "Efficient-Large-Model/Fast_dLLM_v2_7B", 7.6, "Apache-2.0"),
    ),
    as_kind("qwen2"),
    _describe,
    infills="through a chat turn; no published figures",
    length="ends with a token",
    source="huggingface.co/Efficient-Large-Model/Fast_dLLM_v2_7B, modeling.py; generation_functions.py",
)
