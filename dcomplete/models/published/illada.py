"""iLLaDA (GSAI-ML and ByteDance Seed; arXiv 2606.25331): a Llama trained as a diffusion model."""

from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Raw, Release, card, require
from dcomplete.models.specials import Specials

_MASK = 5  # <[MASK]>


def _base(config: Raw) -> Raw:
    require(config, "iLLaDA", layer_norm_eps=None)
    return {"tie_word_embeddings": True, **config, "model_type": "llama"}


def _describe(source: Source, net: NetConfig) -> Manifest:
    ids = Specials(
        mask=source.mask(_MASK, "<[MASK]>"),
        bos=source.declared("bos_token"),  # its evaluation adds one (eval_illada.py)
        reserved=source.special,
    )
    about = card("illada", source, sampler="low confidence, one token per step")
    return Manifest(net, ids, "full", shift=False, policy="topk", card=about)


ILLADA = Published(
    "illada",
    (
        Release("illada-8b", "GSAI-ML/iLLaDA-8B-Base", 7.6, "Apache-2.0"),
        Release("illada-8b-instruct", "GSAI-ML/iLLaDA-8B-Instruct", 7.6, "Apache-2.0"),
    ),
    _base,
    _describe,
    infills="yes",
    length="candidates, scored",
    source="huggingface.co/GSAI-ML/iLLaDA-8B-Base, modeling_illada.py",
)
