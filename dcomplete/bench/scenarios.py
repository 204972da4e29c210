"""What an editor asks of the engine, timed: a cold context, then short and longer gaps while typing."""

import inspect
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dcomplete.engine.engine import LocalEngine
from dcomplete.types import InfillRequest, Stopwatch


@dataclass(frozen=True, slots=True)
class Scenario:
    """`gap` is the number of tokens to fill; a warm scenario has its context cached but for a keystroke."""

    name: str
    gap: int
    cold: bool


SCENARIOS = (
    Scenario("cold", 1, True),
    Scenario("warm10", 10, False),
    Scenario("warm32", 32, False),
)


def sample_text() -> str:
    """Real code that is on every machine: the standard library's argparse."""
    import argparse

    return inspect.getsource(argparse)


def cut(engine: LocalEngine, context: int) -> tuple[str, str]:
    """Prefix and suffix of about 3/4 and 1/4 of `context` tokens around a statement."""
    text = sample_text()
    at = text.index("    def _match_arguments_partial(self, actions, arg_strings_pattern):")
    at = text.index("for i in range(", at)
    before, after = engine.tokens.encode(text[:at]), engine.tokens.encode(text[at:])
    left = engine.tokens.decode(before[-(context * 3 // 4) :])
    right = engine.tokens.decode(after[60 : 60 + context // 4])
    return left, right


def quantile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]


def measure(
    engine: LocalEngine,
    context: int,
    repeats: int,
    policy: str,
    told: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """p50 and p90 in milliseconds, steps and forwards of every scenario."""
    prefix, suffix = cut(engine, context)
    request = InfillRequest(prefix, suffix, policy=policy, context_tokens=2 * context, heal=False)
    results: dict[str, Any] = {}
    for scenario in SCENARIOS:
        times, steps, forwards = [], [], []
        for turn in range(repeats + 1):
            ms, result = _once(engine, request, scenario, turn)
            if turn:  # the first one warms up
                times.append(ms)
                steps.append(result.steps)
                forwards.append(result.forwards)
        results[scenario.name] = {
            "gap_tokens": scenario.gap,
            "p50_ms": round(quantile(times, 0.5), 1),
            "p90_ms": round(quantile(times, 0.9), 1),
            "steps": statistics.fmean(steps),
            "forwards": statistics.fmean(forwards),
            "tokens_computed": result.tokens_computed,
            "context_tokens": result.context_tokens,
        }
        told(scenario.name)
    return results


def _once(
    engine: LocalEngine, request: InfillRequest, scenario: Scenario, turn: int
) -> tuple[float, Any]:
    request = replace(request, length=str(scenario.gap), max_tokens=max(1, scenario.gap))
    if scenario.cold:
        engine.family.pool.clear()
    else:  # what was typed since the last request is all that is new
        engine.infill(
            replace(request, length="1", max_tokens=1, prefix=request.prefix + "x" * (turn % 2))
        )
        request = replace(request, prefix=request.prefix + "x" * (1 + turn % 2))
    watch = Stopwatch()
    result = engine.infill(request)
    return watch.lap(), result
