"""Which family a checkpoint belongs to, and the releases by name."""

from collections.abc import Iterator

from dcomplete.errors import ModelError
from dcomplete.models.foreign import Source
from dcomplete.models.published.kinds import Published, Release
from dcomplete.registry import Registry

_HERE = "dcomplete.models.published"
FAMILIES: Registry[Published] = Registry(
    "family",
    {
        "dream": f"{_HERE}.dream:DREAM",
        "dreamon": f"{_HERE}.dreamon:DREAMON",
        "diffucoder": f"{_HERE}.diffucoder:DIFFUCODER",
        "open-dcoder": f"{_HERE}.open_dcoder:OPEN_DCODER",
        "coda": f"{_HERE}.coda:CODA",
        "a2d": f"{_HERE}.a2d:A2D",
        "llada": f"{_HERE}.llada:LLADA",
        "illada": f"{_HERE}.illada:ILLADA",
        "stable-diffcoder": f"{_HERE}.stable_diffcoder:STABLE_DIFFCODER",
        "sdar": f"{_HERE}.sdar:SDAR",
        "fast-dllm": f"{_HERE}.fast_dllm:FAST_DLLM",
        "diffusion-gemma": f"{_HERE}.diffusion_gemma:DIFFUSION_GEMMA",
    },
)
# model_type of config.json, in lower case, to a family; an architecture's name says more.
_TYPES = {
    "dream": "dream",
    "coda": "coda",
    "a2d-qwen2": "a2d",
    "a2d-qwen3": "a2d",
    "a2d-llama": "a2d",
    "llada": "llada",
    "illada": "illada",
    "sdar": "sdar",
    "fast_dllm_qwen": "fast-dllm",
    "fastdllmv2": "fast-dllm",
    "diffusion_gemma": "diffusion-gemma",
}
_ARCHITECTURES = {"StableDiffcoderForCausalLM": "stable-diffcoder"}


def recognise(source: Source) -> Published | None:
    """The family of a checkpoint, None for an autoregressive base.

    Raises ModelError for a checkpoint that asks to run code of its own and is of no family known here.
    """
    kind = str(source.config.get("model_type", "")).lower()
    name = _ARCHITECTURES.get(source.architecture) or _TYPES.get(kind)
    if name == "dream":
        name = _dream(source)
    if name is None and kind == "qwen2" and source.declared("mask_token") is not None:
        name = "open-dcoder"
    if name is not None:
        return FAMILIES.get(name)
    if source.runs_code:
        raise ModelError(
            f"This checkpoint ({source.architecture or kind or 'unnamed'}) asks to run its own code, "
            "which dcomplete never does, and it is of no family that dcomplete knows."
        )
    return None


def _dream(source: Source) -> str:
    """Three families share Dream's configuration."""
    if "expand_token_id" in {**source.config, **source.generation} or "<|expand|>" in source.added:
        return "dreamon"
    return "diffucoder" if "<|dlm_pad|>" in source.added else "dream"


def releases() -> Iterator[tuple[Published, Release]]:
    """All known checkpoints with their families."""
    for name in FAMILIES:
        family = FAMILIES.get(name)
        for release in family.releases:
            yield family, release


def find_release(name: str) -> tuple[Published, Release] | None:
    """A release by our name or by its repository on the hub."""
    for family, release in releases():
        if name.lower() in (release.name, release.repository.lower()):
            return family, release
    return None
