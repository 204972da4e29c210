"""A client's JSON object, read field by field; what does not fit becomes one sentence.

Lenient where clients differ: null is as good as absent, whole numbers may be written as 128.0, and
fields that nobody reads are no mistake.
"""

import math
from collections.abc import Mapping

from dcomplete.errors import UserError


class Fields:
    """One JSON object. Every reader raises UserError that names the field and no value of it."""

    def __init__(self, raw: Mapping[str, object], path: str = "") -> None:
        self._raw, self._path = raw, path

    @staticmethod
    def of(raw: object) -> "Fields":
        """The body of a request."""
        if not isinstance(raw, Mapping):
            raise UserError("The body must be a JSON object.")
        return Fields(raw)

    def has(self, name: str) -> bool:
        return self._raw.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def number(self, name: str, default: float) -> float:
        value = self._raw.get(name)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                if math.isfinite(number := float(value)):
                    return number
            except OverflowError:
                pass
        raise self._wrong(name, "a number")

    def whole(self, name: str, default: int) -> int:
        value = self._raw.get(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """One text or a list of them."""
        value = self._raw.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(name, "a text or a list of texts")
        return tuple(value)

    def object(self, name: str) -> "Fields":
        """An object within this one; an empty one where there is none."""
        value = self._raw.get(name)
        if value is None:
            return Fields({}, f"{self._path}{name}.")
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object")
        return Fields(value, f"{self._path}{name}.")

    def objects(self, name: str) -> list["Fields"]:
        value = self._raw.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            raise self._wrong(name, "a list of objects")
        return [Fields(v, f"{self._path}{name}[{i}].") for i, v in enumerate(value)]

    def _wrong(self, name: str, wanted: str) -> UserError:
        return UserError(f"Field {self._path}{name} must be {wanted}.")
