"""Random and mutated messages over real standard streams.

A driver of its own: ``python -m tests.lsp.fuzz COUNT [SEED]`` prints what was sent and answered. What
must hold: the server lives, every request with an id is answered, nothing in an answer or in the log
is a traceback, and the log does not quote the documents.
"""

import asyncio
import copy
import json
import random
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.lsp.fake_server import SECRET
from tests.lsp.wire import CAPABILITIES, INLINE, Client, Wire, at, frame, running

URIS = [f"file:///folder/{name}" for name in ("a.py", "b.rs", "ü 😀.ts", "slow", "broken")]
LANGUAGES = ["python", "rust", "slow", "broken", "refuse", "loading", "wrong", ""]
TEXTS = ["", "x", "\n", "\r\n", "\r", "😀", "\ud83d", "def f(", ")", "\tif x:\n", "é" * 50, SECRET]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**400, 1e308, "", "x", "\ud800", [], [None], {},
    {"a": 1}, [[[]]], "file:///folder/a.py", SECRET, float("nan"), float("inf"),
]  # fmt: skip
METHODS = [
    "textDocument/hover", "textDocument/didSave", "workspace/symbol", "$/progress", "$/setTrace",
    "$/unknown", "", "dcomplete/unknown", "notebookDocument/didOpen", "notebookDocument/didChange",
    "window/workDoneProgress/cancel", "client/registerCapability", "\ud800", "initialized",
    "workspace/didChangeWatchedFiles", "dcomplete/status",
]  # fmt: skip


@dataclass
class Tally:
    """What happened."""

    sent: int = 0
    requests: int = 0
    mutated: int = 0
    broken_frames: int = 0
    answered: int = 0
    errors: int = 0
    codes: dict[int, int] = field(default_factory=dict)


class Fuzzer:
    """Messages from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._version = 1

    def message(self) -> dict[str, Any]:
        """A message that is right but for its content, without id."""
        pick = self._random.choice
        method, params = pick(list(self._makers()))
        return {"jsonrpc": "2.0", "method": method, "params": params}

    def mutate(self, message: dict[str, Any]) -> Any:
        """Change, drop, add or exchange some part."""
        message = copy.deepcopy(message)
        for _ in range(self._random.choice([1, 1, 1, 2, 5])):
            holders = [message, *_holders(message)]
            holder = self._random.choice(holders)
            if not holder:
                continue
            key: Any = self._random.choice(list(holder) if isinstance(holder, dict) else [0])
            match self._random.randrange(4):
                case 0 if isinstance(holder, dict):
                    del holder[key]
                case 1 if isinstance(holder, dict):
                    name = "".join(self._random.choices(string.ascii_letters, k=5))
                    holder[self._random.choice([name, "jsonrpc", "id", "error", "result"])] = (
                        self._value()
                    )
                case 2:
                    holder[key] = copy.deepcopy(self._random.choice(holders))
                case _:
                    holder[key] = self._value()
        if self._random.random() < 0.02:
            return self._value()
        return message

    def broken_frame(self) -> bytes:
        """Bytes that are no message, though some begin like one."""
        body = json.dumps(self.message()).encode()
        match self._random.randrange(7):
            case 0:
                return b"Content-Length: %d\r\n\r\n%s" % (len(body) - 2, body)
            case 1:
                return b"Content-Length: %s\r\n\r\n" % self._random.choice(
                    [b"-1", b"abc", b"", b"99999999999", b"0x10", b"1e3"]
                )
            case 2:
                return b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc"
            case 3:
                return self._random.randbytes(self._random.randrange(1, 60)) + b"\r\n"
            case 4:
                cut = self._random.randrange(1, len(body))
                return b"Content-Length: %d\r\n\r\n%s" % (cut, body[:cut])
            case 5:
                deep = b"[" * 100_000
                return b"Content-Length: %d\r\n\r\n%s" % (len(deep), deep)
        return b"X-Header: 1\n\n\n"

    def _value(self) -> Any:
        return copy.deepcopy(self._random.choice(VALUES))

    def _place(self) -> dict[str, int]:
        return {
            "line": self._random.randrange(4),
            "character": self._random.choice([0, 1, 2, 9, 10**6]),
        }

    def _makers(self) -> Iterator[tuple[str, Any]]:
        pick = self._random.choice
        uri, text = pick(URIS), pick(TEXTS)
        self._version += 1
        document = {"uri": uri, "version": self._version}
        span = {"start": self._place(), "end": self._place()}
        inline = at(uri, kind=pick([1, 2])) | {"position": self._place()}
        inline["context"]["selectedCompletionInfo"] = pick([None, {"range": span, "text": text}])
        if inline["context"]["selectedCompletionInfo"] is None:
            del inline["context"]["selectedCompletionInfo"]
        item = {"insertText": "x", "command": {"title": "", "command": "", "arguments": ["1-0"]}}
        opened = document | {"languageId": pick(LANGUAGES), "text": text * 3}
        change = pick([{"text": text}, {"range": span, "text": text}, {"range": span, "text": ""}])
        for _ in range(6):
            yield INLINE, inline
            yield "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        yield "textDocument/didOpen", {"textDocument": opened}
        yield "textDocument/didOpen", {"textDocument": opened}
        yield "textDocument/didClose", {"textDocument": {"uri": uri}}
        yield "textDocument/completion", {"textDocument": document, "position": self._place()}
        yield "textDocument/didFocus", pick([{}, {"textDocument": {"uri": uri}}])
        yield "textDocument/didShowCompletion", {"item": item}
        yield "textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 2}
        yield "dcomplete/didDismiss", {"id": "1-0"}
        yield "dcomplete/didRest", {"textDocument": document, "position": self._place()}
        yield "dcomplete/watch", inline | {"partialResultToken": pick(["t", 1])}
        yield "dcomplete/compare", inline | {"contestants": [{}, {"model": "m"}]}
        yield "dcomplete/vote", {"id": "x", "choice": "tie"}
        yield (
            "workspace/executeCommand",
            {
                "command": f"dcomplete.{pick(['didAccept', 'status', 'restartEngine'])}",
                "arguments": [self._value()],
            },
        )
        yield (
            "workspace/didChangeConfiguration",
            {"settings": {"dcomplete": {"trigger": {"completion": pick([True, 3, None])}}}},
        )
        folder = {"uri": pick([uri, "untitled:x", "file://host/x"]), "name": "x"}
        yield (
            "workspace/didChangeWorkspaceFolders",
            {"event": {"added": [folder], "removed": [folder]}},
        )
        yield "$/cancelRequest", {"id": pick([1, 2, "x", self._version])}
        yield "initialize", {"processId": None, "rootUri": None, "capabilities": CAPABILITIES}
        yield pick(METHODS), self._value()


def _holders(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value
    for child in list(children):
        if isinstance(child, dict | list):
            yield child
            yield from _holders(child)


async def fuzz(wire: Client, count: int, seed: int) -> Tally:
    """Send `count` messages and wait until every request is answered."""
    fuzzer, tally = Fuzzer(seed), Tally()
    dice = random.Random(seed + 1)
    asked: set[str] = set()
    for n in range(count):
        tally.sent += 1
        if dice.random() < 0.02:
            tally.broken_frames += 1
            await wire.send(_guarded(fuzzer.broken_frame(), n, asked))
            continue
        message: Any = fuzzer.message()
        if dice.random() < 0.6 and not message["method"].startswith(("textDocument/did", "$/c")):
            message["id"] = f"f{n}"
        if dice.random() < 0.4:
            tally.mutated += 1
            message = fuzzer.mutate(message)
        if isinstance(message, dict) and message.get("method") in ("shutdown", "exit"):
            continue
        if isinstance(message, dict) and isinstance(message.get("id"), str) and "method" in message:
            asked.add(message["id"])
        await wire.send(frame(message))
        if n % 100 == 99:
            await wire.until(lambda: asked <= wire.responses.keys())
    await wire.until(lambda: asked <= wire.responses.keys())
    once = [id for id in asked if id[:1] in "fg" and id[1:].isdigit()]
    assert {wire.answered[id] for id in once} == {1}, "a request was answered twice"
    tally.requests, tally.answered = len(asked), len(asked & wire.responses.keys())
    for response in [*wire.responses.values(), *wire.orphans]:
        if "error" in response:
            tally.errors += 1
            code = response["error"]["code"]
            tally.codes[code] = tally.codes.get(code, 0) + 1
    return tally


def _guarded(broken: bytes, n: int, asked: set[str]) -> bytes:
    """Broken bytes, something that ends what they announced, and a request behind them."""
    asked.add(f"g{n}")
    request = {"jsonrpc": "2.0", "id": f"g{n}", "method": "dcomplete/unknown", "params": None}
    return broken + b"\r\n" + frame(request)


def check(wire: Wire) -> None:
    """Nothing that a person should not see."""
    said = json.dumps([*wire.responses.values(), *wire.orphans, *wire.notifications])
    assert "Traceback" not in said
    assert 'File \\"' not in said
    log = wire.errors.decode(errors="replace")
    assert "Traceback" not in log, log[-2000:]
    assert SECRET not in log, [line for line in log.splitlines() if SECRET in line]
    assert "file:///" not in log


async def main(count: int, seed: int) -> Tally:
    async with running() as wire:
        await wire.initialize()
        tally = await fuzz(wire, count, seed)
        assert wire.process.returncode is None, wire.errors.decode(errors="replace")
        check(wire)
        print(wire.errors.decode(errors="replace")[-3000:])
        return tally


if __name__ == "__main__":
    print(asyncio.run(main(int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]))))
