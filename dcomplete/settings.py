"""What a person may set, in one place: names, defaults, and friendly sentences for wrong values.

Editors send it as `initializationOptions` and with `didChangeConfiguration`, in camelCase or
snake_case; nothing else in the house reads raw settings.
"""

import math
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from dcomplete.errors import UserError

T = TypeVar("T")
_RANGES = {  # what the engine takes, ends included
    "model.steps": (1, math.inf),
    "model.line_tokens": (1, 4096),
    "model.block_tokens": (1, 4096),
    "model.deadline_ms": (0, math.inf),
    "model.patience_ms": (0, math.inf),
    "model.branches": (0, 64),
    "model.confidence": (0, 1),
    "context.tokens": (16, 8192),
    "context.max_file_bytes": (0, math.inf),
    "trigger.debounce_ms": (0, math.inf),
}


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which weights run, and how."""

    name: str = ""  # "" is the embedded model
    device: str = "auto"
    dtype: str = "auto"
    policy: str = ""  # "" is the model's own
    steps: int = 64
    line_tokens: int = 32  # most tokens of a suggestion within a line
    block_tokens: int = 96  # most tokens of one over several lines
    deadline_ms: float = 4000.0  # an automatic suggestion is answered by then with what there is
    patience_ms: float = 1000.0  # where somebody asks, no other answer is begun after that
    branches: int = 0  # other answers tried beside one that comes by itself, with confidence 0
    confidence: float = 0.35  # least probability of what comes by itself: the rest is cut off


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What the model gets to see."""

    tokens: int = 1024
    snippets: bool = True  # from other files of the workspace
    max_file_bytes: int = 1_000_000
    ignore: tuple[str, ...] = ()  # further .gitignore patterns, never read as context


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """When a suggestion comes by itself."""

    automatic: bool = True
    debounce_ms: float = 0.0  # the engine drops what is overtaken; wait only to save energy
    languages: Mapping[str, bool] = field(default_factory=lambda: {"*": True})
    comments: bool = True  # also inside comments
    multiline: str = "auto"  # "auto", "always" or "never"
    completion: bool = False  # also as items of `textDocument/completion`
    precompute: bool = True  # the next suggestion while one is on screen; what is around the cursor

    def enabled(self, language: str) -> bool:
        return self.languages.get(language, self.languages.get("*", True))


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is kept on this machine. Code is never kept unless `code` is set."""

    outcomes: bool = False  # shown, accepted, dismissed suggestions to a local file
    code: bool = False  # with the suggestions' text


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    enabled: bool = True
    model: ModelSettings = field(default_factory=ModelSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    log: LogSettings = field(default_factory=LogSettings)


def read_settings(raw: object, base: Settings | None = None) -> Settings:
    """Settings from nested mappings, over `base`; raises UserError that names the wrong key."""
    settings = _read(base or Settings(), raw, "")
    if settings.trigger.multiline not in ("auto", "always", "never"):
        raise UserError(
            "Setting trigger.multiline must be auto, always or never, "
            f"not {settings.trigger.multiline!r}."
        )
    return settings


def _read(base: T, raw: object, path: str) -> T:
    if raw is None:
        return base
    if not isinstance(raw, Mapping):
        name = path.rstrip(".") or "dcomplete"
        raise UserError(f"Setting {name} must be an object, not {raw!r}.")
    known = {f.name for f in fields(base)}  # type: ignore[arg-type]
    hints = get_type_hints(type(base))
    changes: dict[str, Any] = {}
    for key, value in raw.items():
        name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", str(key)).lower()
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {path}{near[0]}?" if near else ""
            raise UserError(f"Unknown setting {path}{key}.{hint}")
        old = getattr(base, name)
        if is_dataclass(old):
            changes[name] = _read(old, value, f"{path}{name}.")
        elif value is not None:
            changes[name] = _value(hints[name], value, f"{path}{name}")
    return replace(base, **changes)  # type: ignore[type-var]


def _value(kind: Any, value: object, path: str) -> object:
    """`value` as `kind`: bool, int, float, str, a tuple of texts or a map from text to bool."""
    origin = get_origin(kind)
    if origin is tuple:
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise UserError(f"Setting {path} must be a list of texts, not {value!r}.")
    if origin in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, Mapping) and all(isinstance(v, bool) for v in value.values()):
            return {str(k): v for k, v in value.items()}
        raise UserError(f"Setting {path} must map names to true or false, not {value!r}.")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and is_number:
        return _within(float(value), path)  # type: ignore[arg-type]
    if kind is int and is_number and float(value).is_integer():  # type: ignore[arg-type]
        return _within(int(value), path)  # type: ignore[call-overload]
    if kind in (bool, str) and isinstance(value, kind):
        return value
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    raise UserError(f"Setting {path} must be {wanted}, not {value!r}.")


def _within(value: float, path: str) -> float:
    least, most = _RANGES[path]
    if least <= value <= most:
        return value
    wanted = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
    raise UserError(f"Setting {path} must be {wanted}, not {value:g}.")
