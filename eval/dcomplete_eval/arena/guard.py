"""Who may talk to the page's server: the person who started it, from this machine, from this page.

A port of this machine can be reached by every page that the person's browser shows, and by every
user of the machine. Therefore a request needs

* a ``Host`` that is this server's own: a foreign name that resolves to 127.0.0.1 (DNS rebinding) is
  refused, whatever else it knows;
* an ``Origin`` that is this server's own, where there is one; to change something there must be one,
  or a bearer token, which no page can add to a request for another site without being asked first;
* no ``Sec-Fetch-Site`` that says another site sent it (a form, a link, an image);
* the token: in the address of the first request, from then on in a cookie that scripts cannot read
  and that other sites' requests do not carry.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {"GET", "HEAD"}
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Lets through what the module describes, and gives every answer the headers that protect it."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"dcomplete-arena-{port}"  # cookies are shared by all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope) or self._entrance(scope)
        await (answer or self._app)(scope, receive, protected)

    def _refusal(self, scope: Scope) -> Response | None:
        """An answer to requests that come from elsewhere."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in ([host] for host in self._hosts):
            return PlainTextResponse("This is another host's name.", 421)
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            return PlainTextResponse("Another site sent this request.", 403)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("Another site sent this request.", 403)
        if scope["method"] not in _SAFE and origin is None and not self._bears(headers):
            return PlainTextResponse("No origin: send the token as a bearer.", 403)
        return None

    def _entrance(self, scope: Scope) -> Response | None:
        """The first request leaves the token in a cookie, later ones show that; else a refusal."""
        headers = Headers(scope=scope)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if scope["path"] == "/" and scope["method"] in _SAFE and any(map(self._fits, given)):
            answer = RedirectResponse("/", 303)  # the token leaves the address and the history
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return answer
        if self._bears(headers) or self._fits(self._shown_cookie(headers)):
            return None
        return PlainTextResponse("Open the address that the command printed: it has a token.", 403)

    def _shown_cookie(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return found.value if found is not None else ""

    def _bears(self, headers: Headers) -> bool:
        kind, _, value = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._fits(value)

    def _fits(self, value: str) -> bool:
        return hmac.compare_digest(value.encode("utf-8", "replace"), self._token.encode())
