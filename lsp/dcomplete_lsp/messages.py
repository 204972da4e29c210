"""Messages of our own, and sentences about messages that do not fit."""

from typing import Any

import attrs
import cattrs
from pygls.protocol import default_converter
from pygls.uris import to_fs_path


@attrs.define
class RawMessage:
    """A message whose parameters stay as they came: ours, and those with extra fields."""

    method: str
    jsonrpc: str
    id: Any = None
    params: Any = None


def make_converter() -> cattrs.Converter:
    """The protocol's converter, which leaves the parameters of a `RawMessage` alone."""
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_structure_hook(
        RawMessage,
        lambda raw, _: RawMessage(raw["method"], raw["jsonrpc"], raw.get("id"), raw.get("params")),
    )
    return converter


def is_uri(text: str) -> bool:
    """Whether a text can be taken apart as a URI."""
    try:
        return to_fs_path(text) is not None or ":" in text
    except ValueError:
        return False


def sentence(method: str, error: Exception) -> str:
    """What is wrong with the parameters and where, without their values."""
    try:
        wrong = cattrs.transform_error(error, "params", _what)[0]
    except Exception:
        wrong = "their shape is wrong"
    wrong = wrong.replace("params.params", "params")
    return f"The parameters of {method[:80]} do not fit: {wrong[:200]}."


def _what(error: BaseException, kind: Any) -> str:
    if isinstance(error, KeyError):
        return "a required field is missing"
    name = getattr(kind, "__name__", "")
    return f"not {'a fitting value' if not name else 'a valid ' + name}"
