"""Open-dCoder (Open-dLLM, pengzhangzhi): Qwen2.5-Coder in which everyone sees everyone.

Its config is plain Qwen2's; what tells it apart is the mask token that its tokenizer declares.
"""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Release, as_kind, card
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(mask=source.mask(None, "<M>", "[MASK]"), reserved=source.special)
    usage = Usage(temperature=0.6, top_p=0.95)  # alg_temp 0.5 is given too, but P2 does not use it
    about = card("open-dcoder", source, sampler="P2, 64 steps")
    return Manifest(net, ids, "full", shift=True, policy="p2=64", card=about, usage=usage)


OPEN_DCODER = Published(
    "open-dcoder",
    (Release("open-dcoder-0.5b", "fredzzp/open-dcoder-0.5B", 0.5, "Apache-2.0"),),
    as_kind("qwen2"),
    _describe,
    infills="yes",
    length="candidates, scored",
    source="github.com/pengzhangzhi/Open-dLLM, eval_infill.py and qwen2/generation_utils.py",
)
