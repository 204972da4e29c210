"""Stable-DiffCoder (ByteDance Seed; arXiv 2601.15892): Seed-Coder with blocks of four.

A block sees nothing to its right, so what follows the gap stands in the prompt, between the
fill-in-the-middle sentinels of Seed-Coder, suffix first (its README). The authors publish no infilling.
"""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Release, as_kind, card
from dcomplete.models.regimes import Layout
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

_MASK, _BLOCK = 5, 4


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(
        mask=source.mask(_MASK, "<[MASK_TOKEN]>", "<[MASK]>"),
        fill=source.declared("eos_token") or source.config.get("eos_token_id", 2),
        reserved=source.special,
    )
    usage = Usage(window=_BLOCK, layout=_layout(source))
    about = card(
        "stable-diffcoder", source, sampler="low confidence, one token per step, blocks of 4"
    )
    return Manifest(
        net, ids, "block-causal", shift=False, block=_BLOCK, policy="topk", card=about, usage=usage
    )


def _layout(source: Source) -> Layout | None:
    suffix, prefix, middle = (
        source.first(f"<[fim-{part}]>") for part in ("suffix", "prefix", "middle")
    )
    if suffix is None or prefix is None or middle is None:
        return None
    return Layout((suffix,), (prefix,), (middle,), suffix_first=True)


STABLE_DIFFCODER = Published(
    "stable-diffcoder",
    (
        Release("stable-diffcoder-8b", "ByteDance-Seed/Stable-DiffCoder-8B-Base", 8.3, "MIT"),
        Release(
            "stable-diffcoder-8b-instruct",
            "ByteDance-Seed/Stable-DiffCoder-8B-Instruct",
            8.3,
            "MIT",
        ),
    ),
    as_kind("llama"),
    _describe,
    infills="through sentinels in the prompt; no published figures",
    length="ends with a token",
    source="huggingface.co/ByteDance-Seed/Stable-DiffCoder-8B-Base, modeling_stable_diffcoder.py",
)
