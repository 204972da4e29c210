"""DreamOn (HKU; arXiv 2602.01326): Dream-Coder trained to grow and shrink the gap while it fills it."""

from dataclasses import replace

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published import dream
from dcomplete.models.published.kinds import Published, Release, card
from dcomplete.models.usage import Usage

_CANVAS = 32  # masks to start from: 91.6 of 92.1 % at half the work of 64 (paper, table of lengths)


def _describe(source: Source, net: NetConfig) -> Manifest:
    said = {**source.config, **source.generation}
    expand = said.get("expand_token_id", source.first("<|expand|>"))
    delete = said.get("delete_token_id", source.first("<|delete|>", "<|endoftext|>"))
    if expand is None or delete is None:
        raise ModelError("The DreamOn checkpoint names no expand token or no delete token.")
    ids = replace(dream.specials(source), expand=int(expand), fill=int(delete))
    usage = Usage(canvas=_CANVAS, clear_right=True, temperature=0.2, top_p=0.9)
    about = card("dreamon", source, sampler="entropy order, one token per step, alg_temp 0")
    return Manifest(net, ids, "full", shift=True, policy="entropy", card=about, usage=usage)


DREAMON = Published(
    "dreamon",
    (Release("dreamon-7b", "Dream-org/DreamOn-v0-7B", 7.6, "Apache-2.0"),),
    dream.base,
    _describe,
    infills="yes",
    length="learnt: expands and deletes",
    source="github.com/DreamLM/DreamOn, readme and generation_utils.py",
)
