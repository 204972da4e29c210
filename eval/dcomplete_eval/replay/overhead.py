"""``python -m dcomplete_eval.replay.overhead``: what everything but the model costs per keystroke.

Someone types into the middle of a 2,000-line Python file; each keystroke's answer is awaited. From its
time the engine's own prefill and denoise times, as its log tells them, are taken off. What is left is
protocol, context, tokens, scheduling, filters.
"""

import asyncio
import inspect
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dcomplete import appending
from dcomplete.provenance import commit, processor
from dcomplete_eval.replay.editor import Editor
from dcomplete_eval.replay.play import percentiles, stop_engine
from dcomplete_eval.replay.trace import Patch

_LINES = 2000
_TYPED = "    found{0} = sorted(names{0}, key=lambda one{0}: (len(one{0}), one{0}))\n    first = found{0}["
_FIRST = 10  # answers that load the model and fill caches
_MODEL = re.compile(r"outcome=done .*?prefill_ms=([\d.]+) denoise_ms=([\d.]+)")
_FAST = {
    "model": {"policy": "topk=32", "confidence": 0, "lineTokens": 8, "blockTokens": 8},
    "trigger": {"precompute": False},
}


def source() -> str:
    """2,000 lines of real Python from the standard library."""
    lines = Path(inspect.__file__).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[:_LINES])


def keystrokes(text: str, rounds: int) -> Iterator[Patch]:
    """Someone types two lines into a function's body, deletes them, and types others."""
    at = text.index("\n    ", len(text) // 2) + 1
    yield Patch(at, 0, "\n")
    for number in range(rounds):
        typed = _TYPED.format(number)
        for offset, letter in enumerate(typed):
            yield Patch(at + offset, 0, letter)
        yield Patch(at, len(typed), "")


async def measure(
    env: Mapping[str, str], log: Path, rounds: int, settings: Mapping[str, Any]
) -> list[float]:
    """Milliseconds beside the model, for each keystroke that the model answered."""
    editor = Editor("file:///overhead/module.py", "python")
    await editor.start(env, settings=settings)
    text = source()
    editor.open(text)
    beside: list[float] = []
    seen = 0
    for patch in keystrokes(text, rounds):
        began = time.perf_counter()
        _, answer = editor.ask(editor.type((patch,)))
        said = await answer
        ms = (time.perf_counter() - began) * 1000
        lines = _MODEL.findall(log.read_text(encoding="utf-8")) if log.exists() else []
        if len(lines) == seen + 1 and said.outcome in ("suggested", "refused"):
            beside.append(ms - sum(map(float, lines[-1])))
        seen = len(lines)
    await editor.close()
    return beside[_FIRST:]


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often the lines are typed.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Append the JSON line to this file.")] = None,
) -> None:
    """Time everything but the model on a 2,000-line Python file."""
    appending.check(out)
    with tempfile.TemporaryDirectory(prefix="dcomplete-", ignore_cleanup_errors=True) as folder:
        env = os.environ | {"DCOMPLETE_RUNTIME_DIR": folder, "DCOMPLETE_LOG_DIR": folder}
        try:
            ms = asyncio.run(measure(env, Path(folder) / "engine.log", rounds, _FAST))
        finally:
            stop_engine(env)
    line = {
        "bench": "overhead",
        "commit": commit(),
        "device": processor(),
        "lines": _LINES,
        "keystrokes": len(ms),
        "overhead_ms": percentiles(ms),
    }
    appending.append(out, line)
    typer.echo(json.dumps(line))


if __name__ == "__main__":
    app()
