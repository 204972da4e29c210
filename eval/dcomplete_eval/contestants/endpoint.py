"""Asking an HTTP endpoint: one request a gap, its answer whole or piece by piece."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from dcomplete.errors import UserError
from dcomplete.types import Stopwatch
from dcomplete_eval.contestants.around import Around
from dcomplete_eval.contestants.continuing import Cut
from dcomplete_eval.contestants.dialects import Asking, Dialect
from dcomplete_eval.contestants.templates import cut_at
from dcomplete_eval.types import Answer, Task


class Trouble(Exception):
    """The endpoint did not answer; the message is one sentence."""


class Endpoint:
    """One server, one dialect. For one thread. `lines` is for prefixes continued, see `Cut`."""

    def __init__(
        self,
        address: str,
        dialect: Dialect,
        asking: Asking,
        context: int,
        lines: int | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 120.0,
    ) -> None:
        self.address, self.dialect, self.asking = address, dialect, asking
        self._context, self._lines = context, lines
        # llama.cpp's server may close a connection just when the next request goes out on it
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(headers=headers, timeout=timeout, limits=fresh)

    def first(self) -> None:
        """Ask for one token, so that the model is loaded. Closes and raises UserError where none comes."""
        asking = replace(self.asking, max_tokens=1)
        try:
            self._whole(self.dialect.body(Around("x = ", "\n"), asking))
        except Trouble as trouble:
            self.close()
            raise UserError(str(trouble)) from None

    def answer(self, task: Task) -> Answer:
        """See `types.Contestant.answer`."""
        around, cut = Around.of(task, self._context), Cut.of(task, self._lines)
        watch = Stopwatch()
        try:
            if self.asking.fim:
                text, tokens = self._whole(self.dialect.body(around, self.asking))
            else:
                body = self.dialect.body(cut.shown(around), self.asking)
                text, tokens = self._continued(body, cut)
        except Trouble as trouble:
            return Answer("", watch.total(), error=str(trouble))
        return Answer(text, watch.total(), tokens=tokens)

    def close(self) -> None:
        self._http.close()

    def _whole(self, body: Mapping[str, Any]) -> tuple[str, int | None]:
        try:
            reply = self._http.post(self.address, json={**body, "stream": False})
            raw = reply.content
        except httpx.HTTPError as error:
            raise Trouble(self._failed(error)) from None
        said = self._read(reply.status_code, raw)
        text, tokens = self._text(said), self.dialect.tokens(said)
        ends = self.asking.template.ends if self.asking.template else ()
        return cut_at(text, ends), tokens

    def _continued(self, body: Mapping[str, Any], cut: Cut) -> tuple[str, int]:
        """Read pieces until there is enough; hanging up tells the server to stop."""
        text, pieces = "", 0
        try:
            with self._http.stream("POST", self.address, json={**body, "stream": True}) as reply:
                if reply.status_code != 200:
                    self._read(reply.status_code, reply.read())
                for said in self._events(reply):
                    piece = self._text(said)
                    text, pieces = text + piece, pieces + bool(piece)
                    if cut.enough(text):
                        break
        except httpx.HTTPError as error:
            raise Trouble(self._failed(error)) from None
        return cut.apply(text), pieces

    def _events(self, reply: httpx.Response) -> Iterator[Mapping[str, Any]]:
        for line in reply.iter_lines():
            data = line.removeprefix("data:").strip()
            if line.startswith("data:") and data and data != "[DONE]":
                yield self._read(200, data.encode())

    def _read(self, status: int, raw: bytes) -> Mapping[str, Any]:
        try:
            said = json.loads(raw)
        except ValueError:
            said = None
        if status != 200 or not isinstance(said, dict) or "error" in said:
            raise Trouble(f"{self.address} answered {status}: {_reason(said, raw)}")
        return said

    def _text(self, said: Mapping[str, Any]) -> str:
        try:
            return self.dialect.text(said)
        except (KeyError, IndexError, TypeError):
            raise Trouble(f"{self.address} answers in another format.") from None

    def _failed(self, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.TimeoutException):
            return f"{self.address} did not answer in time."
        return f"{self.address} cannot be reached ({type(error).__name__})."


def _reason(said: object, raw: bytes) -> str:
    """The server's own words, one line of them."""
    error = said.get("error", said.get("message")) if isinstance(said, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    words = str(error or raw[:200].decode("utf-8", "replace")).strip()
    return (words.splitlines() or ["nothing"])[0][:200]
