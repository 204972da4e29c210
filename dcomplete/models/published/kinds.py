"""What is said of a published family and of its releases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dcomplete.errors import ModelError
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.config import NetConfig
from dcomplete.models.foreign import Rename, Source

Raw = Mapping[str, Any]  # a config.json


@dataclass(frozen=True, slots=True)
class Release:
    """A checkpoint on the hub. `billions` are parameters; weights are published in bfloat16."""

    name: str  # how it is called here
    repository: str
    billions: float
    licence: str
    free: bool = True  # whether the licence lets anybody use the weights for anything


@dataclass(frozen=True, slots=True)
class Published:
    """A family. `base` turns its config into the Llama, Qwen2 or Qwen3 config of the same network,
    `rename` a Llama-style tensor name into its own, and `describe` says how it is used."""

    name: str
    releases: tuple[Release, ...]
    base: Callable[[Raw], Raw]
    describe: Callable[[Source, NetConfig], Manifest]
    infills: str  # "yes", or how
    length: str  # how it finds the length of a gap
    source: str  # where what is said here was published
    rename: Rename = str
    native: bool = True  # False: run by the transformers library

    def net(self, config: Raw) -> NetConfig:
        """The shape of the network; raises ModelError for what it cannot be."""
        return NetConfig.from_hf(self.base(config))


def as_kind(kind: str) -> Callable[[Raw], Raw]:
    """For families that renamed a network of `kind` and changed nothing else."""

    def base(config: Raw) -> Raw:
        return {**config, "model_type": kind}

    return base


def card(family: str, source: Source, **more: object) -> dict[str, object]:
    """The part of the manifest that is for people."""
    return {"family": family, "source": source.folder.name, **more}


def require(config: Raw, family: str, **wanted: object) -> None:
    """Raise ModelError where the config asks for something that our network does not do."""
    for key, value in wanted.items():
        if key in config and config[key] != value:
            raise ModelError(
                f"This {family} checkpoint has {key} = {config[key]!r}, "
                f"which dcomplete does not support (only {value!r})."
            )
