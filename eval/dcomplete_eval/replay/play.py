"""Plays a trace at a typist's pace and counts what came of every request."""

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from dcomplete_eval.replay.editor import Editor, Said
from dcomplete_eval.replay.trace import Trace, is_typing
from dcomplete_eval.summary import quantiles

_WARM = 0.2  # share of the keystrokes after which memory should not grow any more
# Asked for then, all over the document: kernels and cached contexts are all there after it.
_PLACES = 60
# Memory is measured at rest: in a pause the engine gives back what it computed with.
_REST_S = 7.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` times as fast as it was typed; pauses are cut to `longest` seconds before that."""

    speed: float = 1.0
    longest: float = 2.0
    seed: int = 0


@dataclass(slots=True)
class Tally:
    """Outcomes and times of a replay."""

    outcomes: Counter[str] = field(default_factory=Counter)
    answer_ms: list[float] = field(default_factory=list)  # of requests that were not overtaken
    first_ms: list[float] = field(default_factory=list)  # of those with a suggestion
    memory: dict[str, dict[str, float]] = field(default_factory=dict)  # MiB by process and moment
    same_text: bool = False
    tokens_computed: int = 0

    def note(self, said: Said) -> None:
        self.outcomes[said.outcome] += 1
        if said.outcome in ("suggested", "refused"):
            self.answer_ms.append(said.ms)
        if said.outcome == "suggested":
            self.first_ms.append(said.ms)


async def play(
    trace: Trace,
    pace: Pace,
    env: Mapping[str, str],
    told: Callable[[int], None] = lambda done: None,
    arguments: tuple[str, ...] = (),
) -> Tally:
    """Type `trace` into a language server as it was typed.

    As VS Code does, each insertion asks for a suggestion and cancels the request before it.
    """
    tally = Tally()
    editor = Editor(f"file:///replay/{trace.name}", trace.language)
    await editor.start(env, *arguments)
    editor.open(trace.start)
    number, pending = 0, None
    loop = asyncio.get_running_loop()
    began, moments = loop.time(), trace.moments(pace.longest, random.Random(pace.seed))
    for index, (stroke, moment) in enumerate(zip(trace.keystrokes, moments, strict=True)):
        await asyncio.sleep(max(0.0, began + moment / pace.speed - loop.time()))
        cursor = editor.type(stroke)
        if is_typing(stroke):
            if pending is not None and not pending.done():
                editor.cancel(number)
            number, pending = editor.ask(cursor)
            pending.add_done_callback(lambda task: tally.note(task.result()))
        if index == int(_WARM * len(trace.keystrokes)):
            paused = loop.time()
            await warm_up(editor)
            await asyncio.sleep(_REST_S)
            tally.memory["warm"] = memory(editor, env)
            began += loop.time() - paused
        told(index + 1)
    if pending is not None:
        await pending
    await asyncio.sleep(_REST_S)
    tally.memory["end"] = memory(editor, env)
    tally.tokens_computed = int(engine_status(env).get("tokens_computed", 0))
    tally.same_text = await editor.same_text()
    await editor.close()
    return tally


async def warm_up(editor: Editor) -> None:
    """Ask all over the document, and wait for each answer; typing goes on afterwards."""
    for place in range(_PLACES):
        _, answer = editor.ask((2 * place + 1) * len(editor.text) // (2 * _PLACES))
        await answer


def engine_status(env: Mapping[str, str]) -> dict[str, Any]:
    """What the engine process says of itself; {} where none runs."""
    command = [sys.executable, "-m", "dcomplete", "serve", "--status", "--json"]
    said = subprocess.run(
        command, env=dict(env), capture_output=True, encoding="utf-8", check=False
    )
    return dict(json.loads(said.stdout)) if said.returncode == 0 else {}


def stop_engine(env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "dcomplete", "serve", "--stop"]
    subprocess.run(command, env=dict(env), capture_output=True, check=False)


def memory(editor: Editor, env: Mapping[str, str]) -> dict[str, float]:
    """Resident memory of the language server and the engine, in MiB.

    The contexts that the engine keeps cached, four at most, are told apart: they fill up as places in
    documents are visited, and then they stay.
    """
    found = {"server": _resident(editor.pid)}
    status = engine_status(env)
    if pid := status.get("pid"):
        cached = sum(int(model["cached_bytes"]) for model in status["models"]) / 2**20
        found["engine"] = round(_resident(int(pid)) - cached, 1)
        found["cached"] = round(cached, 1)
    return found


def _resident(pid: int) -> float:
    resident: int = psutil.Process(pid).memory_info().rss
    return round(resident / 2**20, 1)


def summary(trace: Trace, tally: Tally, pace: Pace) -> dict[str, Any]:
    """The replay as one JSON line's content."""
    asked = sum(tally.outcomes.values())
    errors = sum(n for name, n in tally.outcomes.items() if name.startswith("error"))
    growth = {
        name: round(100 * (tally.memory["end"][name] / warm - 1), 1)
        for name, warm in tally.memory.get("warm", {}).items()
        if name in tally.memory["end"] and name != "cached"
    }
    return {
        "trace": trace.name,
        "keystrokes": len(trace.keystrokes),
        "pace": asdict(pace),
        "requests": asked,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "errors": errors,
        "answer_ms": percentiles(tally.answer_ms),
        "suggestion_ms": percentiles(tally.first_ms),
        "tokens_per_keystroke": round(tally.tokens_computed / max(1, len(trace.keystrokes)), 1),
        "memory_mib": tally.memory,
        "memory_growth_percent": growth,
        "same_text": tally.same_text,
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p90 and p99, or nothing of nothing."""
    return quantiles(values) or {}
