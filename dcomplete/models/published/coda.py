"""CoDA (Salesforce; arXiv 2510.03270): Qwen3-1.7B in which everyone sees everyone, head untied."""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Release, as_kind, card
from dcomplete.models.specials import Specials
from dcomplete.models.usage import Usage

_LICENCE = "CC-BY-NC-4.0"
_MASK = 151669  # <|mask|>; the repository's fine-tuning script says 151665, the config does not


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(mask=source.mask(_MASK, "<|mask|>"), reserved=source.special)
    about = card("coda", source, sampler="entropy order, alg_temp 0.1, blocks of 32 (serving)")
    return Manifest(
        net,
        ids,
        "full",
        shift=True,
        policy="entropy=1,alg_temp=0.1",
        card=about,
        usage=Usage(window=32),
    )


CODA = Published(
    "coda",
    (
        Release("coda-1.7b", "Salesforce/CoDA-v0-Base", 2.0, _LICENCE, free=False),
        Release("coda-1.7b-instruct", "Salesforce/CoDA-v0-Instruct", 2.0, _LICENCE, free=False),
    ),
    as_kind("qwen3"),
    _describe,
    infills="yes; no published figures",
    length="candidates, scored",
    source="github.com/SalesforceAIResearch/CoDA, modeling_coda.py and generation_utils.py",
)
