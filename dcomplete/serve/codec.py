"""Values to JSON and back. What does not fit becomes one sentence that names the field.

Text travels as ASCII escapes, so that half a surrogate pair survives the way as well.
"""

import json
import math
import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dcomplete.errors import Cancelled, DcompleteError, Reason, Refusal, UserError
from dcomplete.serve.orders import EngineFault
from dcomplete.types import Cell

T = TypeVar("T")
_HTTP = {"user": 400, "refusal": 409, "busy": 503, "cancelled": 499, "bug": 500}
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def dump(value: object) -> bytes:
    """A value of the house, or plain data that holds such values, as one line of JSON."""
    return json.dumps(plain(value), separators=(",", ":")).encode("ascii")


def plain(value: object) -> object:
    """Dataclasses to mappings, enumerations to their values, tuples to lists."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value


def parse(raw: bytes) -> object:
    """JSON to plain data; raises UserError."""
    try:
        return cast(object, json.loads(raw))
    except (ValueError, RecursionError):
        raise UserError("The body is not valid JSON.") from None


def load(kind: type[T], raw: bytes, strict: bool = True) -> T:
    """One JSON object to a dataclass; raises UserError. See `read`."""
    return read(kind, parse(raw), strict)


def read(kind: type[T], raw: object, strict: bool = True, path: str = "") -> T:
    """Plain data to the dataclass `kind`; raises UserError for a wrong type or a missing field.

    Unknown fields are errors where `strict`; a client that reads the answer of a newer process
    skips them.
    """
    if not isinstance(raw, Mapping):
        raise UserError(f"{_field(path)} must be an object.")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if strict and (unknown := [name for name in raw if name not in known]):
        raise UserError(f"Unknown field {path}{unknown[0][:64]!a}.")
    values: dict[str, Any] = {}
    for name, hint in _hints(cast(Hashable, kind)).items():
        if name in raw:
            values[name] = _value(hint, raw[name], strict, f"{path}{name}")
        elif known[name].default is MISSING and known[name].default_factory is MISSING:
            raise UserError(f"{_field(path + name)} is missing.")
    return kind(**values)


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _field(path: str) -> str:
    return f"Field {path.rstrip('.')}" if path else "The body"


def _value(kind: Any, raw: object, strict: bool, path: str) -> object:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if raw is None and type(None) in get_args(kind):
            return None
        kind = next(a for a in get_args(kind) if a is not type(None))
        origin = get_origin(kind)
    if origin is tuple:
        if isinstance(raw, list):
            part = get_args(kind)[0]
            return tuple(_value(part, v, strict, f"{path}[{i}]") for i, v in enumerate(raw))
        raise UserError(f"{_field(path)} must be a list.")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(raw, Mapping):
            part = get_args(kind)[1]
            return {str(k): _value(part, v, strict, f"{path}.{k}") for k, v in raw.items()}
        raise UserError(f"{_field(path)} must be an object.")
    if is_dataclass(kind):
        return read(cast(type[object], kind), raw, strict, path + ".")
    return _enum(kind, raw, path) if issubclass(kind, Enum) else _single(kind, raw, path)


def _enum(kind: type[Enum], raw: object, path: str) -> Enum:
    try:
        return kind(raw)
    except ValueError:
        known = ", ".join(str(e.value) for e in kind)
        raise UserError(f"{_field(path)} must be one of {known}.") from None


def _single(kind: type, raw: object, path: str) -> object:
    if kind is float and isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            number = float(raw)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    elif isinstance(raw, kind) and (kind is bool or not isinstance(raw, bool)):
        return raw
    raise UserError(f"{_field(path)} must be {_WORDS[kind]}.")


def error_to_json(error: BaseException) -> tuple[int, dict[str, object]]:
    """An HTTP status, and the object that tells a client what went wrong."""
    said: dict[str, object] = {"message": str(error)}
    match error:
        case Refusal(reason=Reason.BUSY):
            kind = "busy"
        case Refusal(reason=reason):
            kind, said["reason"] = "refusal", reason.value
        case Cancelled():
            kind = "cancelled"
        case UserError():
            kind = "user"
        case _:
            kind = "bug"
            if not isinstance(error, DcompleteError):  # its text may hold code
                said["message"] = f"The engine failed with {type(error).__name__}; see its log."
    return _HTTP[kind], {"error": {"kind": kind, **said}}


def error_from_json(raw: object) -> DcompleteError:
    """The error that `error_to_json` was given; an EngineFault for what is none."""
    said = raw.get("error") if isinstance(raw, Mapping) else None
    if not isinstance(said, Mapping):
        return EngineFault("The engine's answer cannot be read.")
    message = str(said.get("message", ""))
    match said.get("kind"):
        case "user":
            return UserError(message)
        case "cancelled":
            return Cancelled(message)
        case "busy":
            return Refusal(message, Reason.BUSY)
        case "refusal":
            known = {r.value: r for r in Reason}
            return Refusal(message, known.get(str(said.get("reason")), Reason.NOTHING))
    return EngineFault(message)


def rows_to_json(rows: list[list[Cell]]) -> list[list[object]]:
    """A watcher's view of the canvas, short: a cell's text, null while masked, pinned ones apart."""
    return [[{"pinned": cell.text} if cell.pinned else cell.text for cell in row] for row in rows]


def rows_from_json(raw: object) -> list[list[Cell]]:
    """The inverse of `rows_to_json`; raises UserError."""
    if not isinstance(raw, list) or not all(isinstance(row, list) for row in raw):
        raise UserError("Field rows must be a list of lists.")
    return [[_cell(cell) for cell in row] for row in raw]


def _cell(raw: object) -> Cell:
    pinned = isinstance(raw, dict)
    text = raw.get("pinned") if isinstance(raw, dict) else raw
    if text is not None and not isinstance(text, str):
        raise UserError("A cell must be a text or null.")
    return Cell(text, pinned)
