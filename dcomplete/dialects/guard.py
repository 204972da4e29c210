"""Who may ask. The requests hold source code, so no web page and no other machine may, unasked.

A page in a browser reaches ports of this machine. It names itself in Origin, and where it does not (a
name of its own that leads to 127.0.0.1: DNS rebinding) its name stands in Host. Neither is let in,
and no answer carries a header that lets pages read it.
"""

import hmac
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dcomplete.dialects.table import OPEN
from dcomplete.errors import UserError

Refuse = Callable[[str, int, str], Response]  # path, status, sentence


@dataclass(frozen=True, slots=True)
class Rules:
    """`host` is the address that is listened at, `token` what opens it, "" for none."""

    host: str
    token: str = ""

    def check(self) -> None:
        """Raise UserError for what would let anybody in."""
        if not self.token and not is_here(self.host):
            raise UserError(
                f"{self.host} can be reached from other machines: give a token, "
                "best in DCOMPLETE_HTTP_TOKEN."
            )
        if not self.token.isascii() or any(not c.isprintable() or c == " " for c in self.token):
            raise UserError("The token must be of printable ASCII characters without spaces.")


def is_here(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Lets through what the rules allow; `refuse` makes the answer for the rest."""

    def __init__(self, app: ASGIApp, rules: Rules, refuse: Refuse) -> None:
        self._app, self._rules, self._refuse = app, rules, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        said = self._problem(scope["path"], headers)
        if said is None:
            await self._app(scope, receive, send)
        else:
            await self._refuse(scope["path"], *said)(scope, receive, send)

    def _problem(self, path: str, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
        if b"origin" in headers:
            return 403, "Web pages may not ask: the request has an Origin."
        if is_here(self._rules.host) and not is_here(_name(headers.get(b"host", b""))):
            return 403, "Ask for this machine as 127.0.0.1 or localhost: the Host is another."
        if self._rules.token and path not in OPEN and not self._knows(headers):
            return 401, "The token is missing or wrong; send it as Bearer or x-api-key."
        return None

    def _knows(self, headers: Mapping[bytes, bytes]) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        said = token.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        return hmac.compare_digest(said, self._rules.token.encode())


def _name(host: bytes) -> str:
    """The host of a Host header, without its port and the brackets of IPv6."""
    text = host.decode("latin-1")
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
