"""A language server that answers what a script says, so that a test knows the suggestion.

Run as `python nvim_stub.py SCRIPT LOG`. SCRIPT is a JSON file, read anew for every request; LOG gets
every message received, one JSON object a line. Keys of the script, all optional:

automatic, invoked  items `{text, before?, behind?}`; the numbers widen the range, in columns
at                  [line, character]: elsewhere the answer is an empty list
delay               seconds before an answer
hold                `initialize` is not answered until this is gone
null                answer null
frames              rows of cells for `dcomplete/watch`
sides               two items or nulls for `dcomplete/compare`
names               what `dcomplete/vote` tells
status              parameters of `dcomplete/status`, sent before an answer
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

Message = dict[str, Any]
SCRIPT, LOG = (Path(argument) for argument in sys.argv[1:3])


def read() -> Message | None:
    """The next message, or None at the end of the input."""
    length = 0
    while line := sys.stdin.buffer.readline():
        if line == b"\r\n":
            return dict(json.loads(sys.stdin.buffer.read(length)))
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return None


def write(message: Message) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    sys.stdout.buffer.flush()


def item(given: Message | None, position: Message, number: int) -> Message | None:
    if given is None:
        return None
    line, character = position["line"], position["character"]
    start, end = character - given.get("before", 0), character + given.get("behind", 0)
    return {
        "insertText": given["text"],
        "range": {
            "start": {"line": line, "character": start},
            "end": {"line": line, "character": end},
        },
        "command": {"title": "", "command": "dcomplete.didAccept", "arguments": [f"id{number}"]},
    }


def inline(params: Message, script: Message) -> Any:
    """The result of an inline completion."""
    position, at = params["position"], script.get("at")
    if script.get("null"):
        return None
    if at and at != [position["line"], position["character"]]:
        return []
    kind = "invoked" if params["context"]["triggerKind"] == 1 else "automatic"
    return [item(one, position, number) for number, one in enumerate(script.get(kind, []))]


def answer(method: str, params: Message, script: Message) -> Any:
    """The result of a request."""
    if method == "initialize":
        offered = params["capabilities"]["general"]["positionEncodings"]
        return {
            "capabilities": {
                "positionEncoding": script.get("encoding", offered[0]),
                "textDocumentSync": {"openClose": True, "change": 2},
                "inlineCompletionProvider": {},
                "executeCommandProvider": {"commands": ["dcomplete.didAccept"]},
                "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
            }
        }
    if method == "textDocument/inlineCompletion":
        return inline(params, script)
    if method == "dcomplete/watch":
        for step, row in enumerate(script.get("frames", [])):
            value = {"step": step, "rows": [row]}
            write(
                {
                    "method": "$/progress",
                    "params": {"token": params["partialResultToken"], "value": value},
                }
            )
        return {"items": inline(params, script)}
    if method == "dcomplete/compare":
        sides = [item(one, params["position"], n) for n, one in enumerate(script["sides"])]
        return {"id": "comparison", "items": sides}
    if method == "dcomplete/vote":
        return script["names"]
    return {"engine": {"state": "ready"}} if method == "workspace/executeCommand" else None


def serve() -> None:
    """Answer until the editor says exit or closes the stream."""
    with LOG.open("a", encoding="utf-8") as log:
        while (message := read()) is not None and message.get("method") != "exit":
            log.write(json.dumps(message) + "\n")
            log.flush()
            if "id" not in message or "method" not in message:
                continue
            script = json.loads(SCRIPT.read_text(encoding="utf-8"))
            while message["method"] == "initialize" and script.get("hold"):
                time.sleep(0.01)
                script = json.loads(SCRIPT.read_text(encoding="utf-8"))
            if message["method"] != "initialize":
                time.sleep(script.get("delay", 0))
                if "status" in script:
                    write({"method": "dcomplete/status", "params": script["status"]})
            result = answer(message["method"], message.get("params") or {}, script)
            write({"id": message["id"], "result": result})


if __name__ == "__main__":
    serve()
