"""DiffusionGemma (Google): a causal encoder with an exact cache, a canvas of 256 of uniform noise.

It has no mask token: undecided tokens are random ones, so it is no masked model and does not run on our
loop. The transformers library runs it (`engine.gemma`); this file says what it is and installs it.
"""

import shutil
from pathlib import Path

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import HOSTED, Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Source, Tensors
from dcomplete.models.published.kinds import Published, Raw, Release, card
from dcomplete.models.specials import Specials
from dcomplete.models.store import MANIFEST
from dcomplete.models.usage import Usage

_KEPT = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model")


def _base(config: Raw) -> Raw:
    text = config.get("text_config")
    if not isinstance(text, dict):
        raise ModelError("The model's config.json is incomplete (no text_config).")
    return {**text, "model_type": "llama", "rope_parameters": None, "hidden_act": "silu"}


def _describe(source: Source, net: NetConfig) -> Manifest:
    text = source.config["text_config"]
    ids = Specials(mask=-1, bos=text.get("bos_token_id", 2), reserved=source.special)
    about = card("diffusion-gemma", source, sampler="entropy bound 0.1, 48 steps, 0.8 to 0.4")
    usage = Usage(canvas=int(source.config.get("canvas_length", 256)))
    return Manifest(net, ids, HOSTED, shift=False, policy="entropy-bound", card=about, usage=usage)


def install(source: Source, folder: Path) -> Manifest:
    """Copy what the transformers library needs, which is no code; raises ModelError."""
    len(Tensors(source.folder))  # opens every file: nothing damaged is installed
    manifest = _describe(source, DIFFUSION_GEMMA.net(source.config))
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in _KEPT:
        for path in source.folder.glob(pattern):
            shutil.copyfile(path, folder / path.name)
    (folder / "tokenizer.json").write_text(source.tokenizer_json, encoding="utf-8")
    (folder / MANIFEST).write_text(manifest.to_json() + "\n", encoding="utf-8")
    return manifest


DIFFUSION_GEMMA = Published(
    "diffusion-gemma",
    (Release("diffusiongemma-26b", "google/diffusiongemma-26B-A4B-it", 26.0, "Apache-2.0"),),
    _base,
    _describe,
    infills="yes, suffix pinned in the canvas; no published figures",
    length="candidates, scored",
    source="transformers 5.23, models/diffusion_gemma",
    native=False,
)
