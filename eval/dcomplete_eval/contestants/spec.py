"""A contestant in words, ``KIND[:TARGET][,NAME=VALUE...]``, as it is given on the command line."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from dcomplete.errors import UserError
from dcomplete_eval.types import Contestant

_OPTION = re.compile(r"[a-z][a-z_]*=")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Spec:
    """`target` is a path or an address; options are read, and checked, by the kind's own maker."""

    kind: str
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def read(text: str) -> "Spec":
        """From the command line's words; raises UserError.

        A comma ends an option only where another option begins behind it, so that paths and
        addresses may hold commas: ``ar:a,b.gguf,threads=2``.
        """
        kind, _, rest = text.strip().partition(":")
        parts: list[str] = []
        for part in rest.split(",") if rest else ():
            if parts and not _OPTION.match(part):
                parts[-1] += f",{part}"
            else:
                parts.append(part)
        target = "" if not parts or _OPTION.match(parts[0]) else parts.pop(0)
        pairs = [part.partition("=")[::2] for part in parts]
        doubled = [name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at])]
        if doubled:
            raise UserError(f"{text!r} says {doubled[0]} twice.")
        return Spec(kind, target, dict(pairs))

    def text(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)

    def choice(self, name: str, known: Sequence[str]) -> str:
        """One of `known`, the first where nothing is said."""
        value = self.options.get(name, known[0])
        if value not in known:
            raise UserError(f"{self.kind}: {name} is one of {', '.join(known)}, not {value!r}.")
        return value

    def yes(self, name: str, default: bool) -> bool:
        if name not in self.options:
            return default
        try:
            return _YES[self.options[name].lower()]
        except KeyError:
            raise UserError(
                f"{self.kind}: {name} is yes or no, not {self.options[name]!r}."
            ) from None

    def number(self, name: str, default: N, least: float = 0) -> N:
        """A number of the default's type, at least `least`."""
        if name not in self.options:
            return default
        try:
            value = type(default)(self.options[name])
        except ValueError:
            raise UserError(
                f"{self.kind}: {name} is a number, not {self.options[name]!r}."
            ) from None
        if not value >= least:
            raise UserError(f"{self.kind}: {name} is at least {least:g}, not {value:g}.")
        return value

    def label(self, *parts: str, known: Sequence[str] = ()) -> str:
        """The name in reports: its own, or kind, `parts` and all options but those `known` by then."""
        if own := self.options.get("name"):
            return own
        told = (f"{name}={value}" for name, value in self.options.items() if name not in known)
        return ":".join((self.kind, *filter(None, parts), *sorted(told)))


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of contestant: how one is made, and what may be said of it.

    `target` says in words what stands behind the colon, "" where nothing does. `read` reads all that is
    said, and starts and loads nothing.
    """

    make: Callable[[Spec], Contestant]
    options: Sequence[str] = ()
    target: str = ""
    read: Callable[[Spec], object] = lambda spec: None

    def check(self, spec: Spec) -> None:
        """Raise UserError for an option that is unknown or has no sense, and for a target that is missing
        or too much: before a run begins, not when the contestant's turn comes."""
        for name in spec.options:
            if name not in (*self.options, "name"):
                near = get_close_matches(name, self.options, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise UserError(
                    f"Contestant {spec.kind!r} has no option {name!r}.{hint} "
                    f"Known: {', '.join((*self.options, 'name'))}."
                )
        if self.target and not spec.target:
            raise UserError(f"Contestant {spec.kind!r} needs {self.target}: {spec.kind}:...")
        if spec.target and not self.target:
            raise UserError(f"Contestant {spec.kind!r} takes options only, not {spec.target!r}.")
        self.read(spec)
