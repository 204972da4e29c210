"""The model's program inside the sandbox: it answers for its names, or runs as a whole.

Standard library only. Nothing here is secret, and nothing here is believed: the program shares this
process and may change all of it.
"""

import os
import sys
import types
from collections.abc import Mapping
from typing import Any

from dcomplete_eval.sandbox.wire import Link, built, plain

_NAME = "candidate"  # the module's: not __main__, as in the published harness
_HIGH = 20  # above the files that this process has opened, below its limit
_LAST_FILE = 1 << 16


def become(given: Mapping[str, Any], link: Link, printing: int) -> None:
    """Turn this process into the program's, left with its link and no other file. Never returns.

    `given` has the `program` and, where it runs as a whole, the text of its `stdin`, else None;
    `printing` is an open file that takes what it prints then.
    """
    try:
        link.receive()  # until the guard has read what is secret
        null = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1, 2):
            os.dup2(null, file)
        if given["stdin"] is None:
            _keep(link.reading, link.writing)
            _serve(given["program"], Link(3, 4))
        else:
            _keep(printing)
            os.dup2(3, 1)
            _play(given["program"], given["stdin"])
    finally:
        os._exit(1)


def _keep(*files: int) -> None:
    """Close all open files but 0, 1, 2 and these, which become 3 and so on."""
    high = [os.dup2(file, _HIGH + at) for at, file in enumerate(files)]
    for at, file in enumerate(high):
        os.dup2(file, 3 + at)
    os.closerange(3 + len(high), _LAST_FILE)


def _play(program: str, stdin: str) -> None:
    """Become a fresh interpreter that runs a whole program."""
    for name, text in (("stdin.txt", stdin), ("program.py", program)):
        with open(name, "w", encoding="utf-8", errors="surrogatepass") as file:  # noqa: PTH123
            file.write(text)
    os.dup2(os.open("stdin.txt", os.O_RDONLY), 0)
    os.unlink("stdin.txt")  # noqa: PTH108 - pathlib costs milliseconds
    os.closerange(3, _LAST_FILE)
    os.execv(sys.executable, [sys.executable, "-s", "-S", "-B", "-P", "program.py"])


def _serve(program: str, link: Link) -> None:
    """Load the program when told to, then answer for its names."""
    module = types.ModuleType(_NAME)
    sys.modules[_NAME] = module
    while True:
        asked = link.receive()
        try:
            answer = _answer(module, program, asked)
        except Exception as error:
            answer = {"raised": type(error).__name__, "text": str(error)[:1000]}
        link.send(answer)


def _answer(module: types.ModuleType, program: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    if "load" in asked:
        exec(compile(program, f"<{_NAME}>", "exec"), module.__dict__)
        return {}
    if "call" in asked:
        given, named = built(asked["given"]), built(asked["named"])
        return {"value": plain(getattr(module, asked["call"])(*given, **named))}
    name = asked["name"]
    if not hasattr(module, name):
        raise NameError(f"name {name!r} is not defined")
    value = getattr(module, name)
    return {"function": True} if callable(value) else {"value": plain(value)}
