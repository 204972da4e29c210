"""DiffuCoder (Apple; arXiv 2506.20639): Qwen2.5-Coder in Dream's classes. The weights are for research."""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published import dream
from dcomplete.models.published.kinds import Published, Release, card
from dcomplete.models.usage import Usage

_LICENCE = "Apple AMLR (research only)"


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = dream.specials(source)
    about = card("diffucoder", source, sampler="entropy order, 256 / tokens-per-step steps")
    usage = Usage(temperature=0.3, top_p=0.95)  # README: 0.2 to 0.4
    return Manifest(net, ids, "full", shift=True, policy="entropy", card=about, usage=usage)


DIFFUCODER = Published(
    "diffucoder",
    (
        Release("diffucoder-7b", "apple/DiffuCoder-7B-Base", 7.6, _LICENCE, free=False),
        Release(
            "diffucoder-7b-instruct", "apple/DiffuCoder-7B-Instruct", 7.6, _LICENCE, free=False
        ),
        Release("diffucoder-7b-cpgrpo", "apple/DiffuCoder-7B-cpGRPO", 7.6, _LICENCE, free=False),
    ),
    dream.base,
    _describe,
    infills="yes",
    length="candidates, scored",
    source="github.com/apple/ml-diffucoder, README and DreamConfig",
)
