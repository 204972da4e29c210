"""Any HTTP endpoint that fills gaps, on this machine unless it is said that code may leave it."""

import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dcomplete.errors import UserError
from dcomplete_eval.contestants.continuing import RULE
from dcomplete_eval.contestants.dialects import DIALECTS, Asking, Dialect
from dcomplete_eval.contestants.endpoint import Endpoint
from dcomplete_eval.contestants.engine import MAX_TOKENS
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.contestants.templates import TEMPLATES
from dcomplete_eval.types import Answer, Task

OPTIONS = (
    "model", "max_tokens", "temperature", "seed", "context", "template", "fim", "lines", "reuse",
    "key", "timeout", "anywhere",
)  # fmt: skip
_HERE = {"localhost", "127.0.0.1", "::1"}


def make(spec: Spec) -> "HttpContestant":
    """See `contestants.contestant`; asks for one token to see that somebody answers."""
    endpoint = Endpoint(*_read(spec))
    endpoint.first()
    return HttpContestant(spec, endpoint)


def _read(spec: Spec) -> tuple[str, Dialect, Asking, int, int | None, dict[str, str], float]:
    """What an `Endpoint` is made of."""
    dialect = DIALECTS[spec.kind.removeprefix("http+")]
    asking = _asking(spec, dialect)
    return (
        _address(spec, dialect.path(asking)),
        dialect,
        asking,
        spec.number("context", 1024, 16),
        None if spec.text("lines", "gold") == "gold" else spec.number("lines", 1),
        _headers(spec),
        spec.number("timeout", 120.0),
    )


def _asking(spec: Spec, dialect: Dialect) -> Asking:
    name = spec.text("template")
    if name and name not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise UserError(f"There is no template {name!r}; known: {known}.")
    fim = spec.yes("fim", True)
    if not fim and not dialect.streams:
        raise UserError(f"{spec.kind} cannot continue a prefix alone; leave out fim=no.")
    return Asking(
        model=spec.text("model"),
        max_tokens=spec.number("max_tokens", MAX_TOKENS, 1),
        temperature=spec.number("temperature", 0.0),
        seed=spec.number("seed", 0),
        reuse=spec.yes("reuse", True),
        template=TEMPLATES[name] if name else None,
        fim=fim,
    )


def _address(spec: Spec, path: str) -> str:
    """The whole address: `path` follows unless the address has (a beginning of) it already."""
    parts = urlsplit(spec.target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{spec.target!r} is no address; write http://HOST:PORT.")
    if parts.hostname not in _HERE and not spec.yes("anywhere", False):
        raise UserError(
            f"{parts.hostname} is another machine: the code of the tasks would be sent there. "
            "Add anywhere=yes if that is meant."
        )
    given = parts.path.rstrip("/")
    if given.endswith(path):
        path = given
    elif given.endswith("/v1"):
        path = given + path.removeprefix("/v1")
    else:
        path = given + path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _headers(spec: Spec) -> dict[str, str]:
    """The key is read from the environment variable named by ``key=``; it is written nowhere."""
    variable = spec.text("key")
    if not variable:
        return {}
    value = os.environ.get(variable)
    if not value:
        raise UserError(f"The environment variable {variable} (key=) is not set.")
    return {"Authorization": f"Bearer {value}"}


class HttpContestant:
    """See `types.Contestant`."""

    def __init__(self, spec: Spec, endpoint: Endpoint) -> None:
        place = urlsplit(endpoint.address)
        where = place.hostname or ""
        self.name = spec.label(where + (f":{place.port}" if place.port else ""))
        self._kind, self._endpoint = spec.kind, endpoint
        self._told = {
            n: v for n, v in spec.options.items() if n in ("context", "lines", "template")
        }

    def settings(self) -> dict[str, Any]:
        asking = self._endpoint.asking
        return {
            "kind": self._kind,
            "address": self._endpoint.address,
            "model": asking.model,
            "max_tokens": asking.max_tokens,
            "temperature": asking.temperature,
            "seed": asking.seed,
            "reuse": asking.reuse,
            "fim": asking.fim,
            "rule": "" if asking.fim else RULE,
            **self._told,
        }

    def answer(self, task: Task) -> Answer:
        return self._endpoint.answer(task)

    def close(self) -> None:
        self._endpoint.close()


KIND = Kind(make, OPTIONS, target="an address, such as http://127.0.0.1:8080", read=_read)
