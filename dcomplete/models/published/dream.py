"""Dream and Dream-Coder (HKU; arXiv 2508.15487, 2509.01142): Qwen2.5 in which everyone sees everyone."""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Raw, Release, card, require
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

MASK = 151666  # <|mask|>


def base(config: Raw) -> Raw:
    """Plain Qwen2 under another name; `block_size` is Dream's reasoner, which is block-causal."""
    require(config, "Dream", use_mrope=False, block_size=None)
    return {**config, "model_type": "qwen2"}


def specials(source: Source) -> Specials:
    """``[bos] prefix [mask].. suffix [eos]``, as DreamLM/DreamOn, quickstart, builds it."""
    return Specials(
        mask=source.mask(MASK, "<|mask|>"),
        bos=source.first("<|beginoftext|>"),
        eos=source.first("<|endoftext|>"),
        reserved=source.special,
    )


def _describe(source: Source, net: NetConfig) -> Manifest:
    usage = Usage(temperature=0.2, top_p=0.95)
    about = card("dream", source, sampler="entropy order, one token per step, alg_temp 0")
    return Manifest(
        net, specials(source), "full", shift=True, policy="entropy", card=about, usage=usage
    )


DREAM = Published(
    "dream",
    (
        Release("dream-7b", "Dream-org/Dream-v0-Base-7B", 7.6, "Apache-2.0"),
        Release("dream-7b-instruct", "Dream-org/Dream-v0-Instruct-7B", 7.6, "Apache-2.0"),
        Release("dream-coder-7b", "Dream-org/Dream-Coder-v0-Base-7B", 7.6, "Apache-2.0"),
        Release(
            "dream-coder-7b-instruct", "Dream-org/Dream-Coder-v0-Instruct-7B", 7.6, "Apache-2.0"
        ),
    ),
    base,
    _describe,
    infills="yes",
    length="candidates, scored",
    source="github.com/DreamLM/Dream, model_dream.py and generation_utils.py",
)
