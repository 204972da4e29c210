"""Training settings, read from a TOML file; an unknown or ill-typed key is a sentence, not a surprise."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete.train.noise import NoiseConfig

_COUNTS = ("rank", "steps", "rows", "micro_rows", "save_every")  # at least 1; the first of adapters


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. Sizes in tokens, times in seconds unless said otherwise."""

    base: str = (
        ""  # GGUF file, Hugging Face folder, or a folder written by `export`; "" = tiny random
    )
    mode: str = "lora"  # "lora" or "full"
    rank: int = 16
    lora_scale: float = 2.0
    steps: int = 1000
    rows: int = 16  # rows per step and process
    micro_rows: int = 16  # rows (or packed bins) per forward pass
    pack_tokens: int = 0  # length of packed bins; 0 pads every row by itself
    bins: int = 0  # packed bins per step and process, always so many: of `rows`, those that fit
    lr: float = 5e-4
    final_lr: float = 0.1  # share of lr at the end of the cosine
    warmup: int = 20
    weight_decay: float = 0.0
    clip: float = 1.0
    mask_warmup: float = 0.06  # share of the steps during which the mask rate grows to 1
    length_weight: float = 0.05
    ema: float = 0.99
    round_from: float = 1.5  # share of the steps after which matrices are seen as they are stored
    seed: int = 0
    dtype: str = "float32"  # compute type: "float32" or "bfloat16"
    compile: bool = False
    save_every: int = 50  # steps
    noise: NoiseConfig = field(default_factory=NoiseConfig)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read(name_or_path: str, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """A shipped configuration by name or a TOML file by path; raises UserError for what does not fit."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise UserError(f"There is no training configuration {path}.")
        text = path.read_text(encoding="utf-8")
    else:
        shipped = files("dcomplete.train") / "configs" / f"{name_or_path}.toml"
        if not shipped.is_file():
            raise UserError(f"Unknown configuration {name_or_path!r}; known: {', '.join(names())}.")
        text = shipped.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name_or_path} is not valid TOML: {error}.") from None
    told = raw.pop("noise", {})
    if not isinstance(told, dict):
        raise UserError(f"Setting 'noise' must be a table, [noise], not {told!r}.")
    noise = _checked(NoiseConfig, told)
    config: TrainConfig = _checked(TrainConfig, {**raw, **(overrides or {})})
    for name in _COUNTS if config.mode == "lora" else _COUNTS[1:]:
        if getattr(config, name) < 1:
            raise UserError(f"Setting {name!r} must be at least 1, not {getattr(config, name)}.")
    return replace(config, noise=noise)


def names() -> list[str]:
    """The shipped configurations."""
    folder = files("dcomplete.train") / "configs"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir())


def _checked(kind: type[Any], raw: dict[str, Any]) -> Any:
    known = {f.name: type(f.default) for f in fields(kind) if f.name != "noise"}
    for key, value in raw.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise UserError(
                f"Unknown setting {key!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            )
        fits = isinstance(value, known[key]) or (known[key] is float and type(value) is int)
        if not fits:
            raise UserError(f"Setting {key!r} must be {known[key].__name__}, not {value!r}.")
    return kind(**raw)
