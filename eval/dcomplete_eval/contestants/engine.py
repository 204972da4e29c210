"""Our engine: in this process, or the running engine process that editors share.

``line_end=outside`` asks as an editor does. A benchmark's gap of whole lines holds the last line's end;
in an editor the cursor stands on a line whose end is there already. So that line end is put behind the
gap, and added to the answer, which tells the engine no more than that the gap is whole lines. What is
shown beside that text, `sight` says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import dcomplete
from dcomplete.errors import DcompleteError, UserError
from dcomplete.types import Engine, InfillRequest, Stopwatch
from dcomplete_eval.contestants import sight, weights
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.contestants.threads import Threads
from dcomplete_eval.types import Answer, Task

OPTIONS = (
    "model", "policy", "steps", "length", "max_tokens", "context", "temperature", "seed", "deadline",
    "reuse", "device", "dtype", "threads", "via", "line_end", "branches", "confidence",
    *sight.OPTIONS,
)  # fmt: skip
MAX_TOKENS = 256  # of an answer, here and for every other contestant that counts tokens
_LONGEST = 512  # cells that the engine accepts as a told length


@dataclass(frozen=True, slots=True)
class _Said:
    """A contestant's words, read."""

    request: InfillRequest
    choice: tuple[str, str, str]  # model, device, number format
    threads: int
    here: bool
    oracle: bool
    outside: bool
    sight: sight.Sight


def _read(spec: Spec) -> _Said:
    deadline = spec.number("deadline", 0.0)
    length = spec.text("length", "auto")
    request = InfillRequest(
        "x = ",
        policy=spec.text("policy"),
        steps=spec.number("steps", 64, 1),
        length="auto" if length == "oracle" else length,
        max_tokens=spec.number("max_tokens", MAX_TOKENS, 1),
        context_tokens=spec.number("context", 1024, 16),
        temperature=spec.number("temperature", 0.0),
        seed=spec.number("seed", 0),
        deadline_ms=deadline or None,
        reuse=spec.yes("reuse", True),
        branches=spec.number("branches", 0),
        confidence=spec.number("confidence", 0.0, 0.0),
    )
    choice = spec.text("model"), spec.text("device", "auto"), spec.text("dtype", "auto")
    dcomplete.check_request(request, choice[0])
    here = spec.choice("via", ("here", "process")) == "here"
    outside = spec.choice("line_end", ("inside", "outside")) == "outside"
    threads = spec.number("threads", 0)
    if threads and not here:
        raise UserError("The engine process chooses its threads itself; leave out threads=.")
    seen = sight.Sight.read(spec, request.context_tokens)
    return _Said(request, choice, threads, here, length == "oracle", outside, seen)


def make(spec: Spec) -> "EngineContestant":
    """Load the model and answer a first request, which tells what "the default" is."""
    said = _read(spec)
    threads = Threads.use(said.threads)
    try:
        count = dcomplete.gap_counter(said.choice[0])
        return EngineContestant(spec, _open(said), count, said, threads)
    except BaseException:
        threads.restore()
        raise


def _open(said: _Said) -> Engine:
    if not said.here:
        return dcomplete.connect_engine(*said.choice)
    return dcomplete.open_engine(*said.choice)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the engine said of itself with the first answer."""

    model: str
    policy: str
    device: str
    dtype: str
    threads: int | None


class EngineContestant:
    """See `types.Contestant`. `count` says how many tokens a text is in a request's gap."""

    def __init__(
        self,
        spec: Spec,
        engine: Engine,
        count: Callable[[InfillRequest, str], int],
        said: _Said,
        threads: Threads,
    ) -> None:
        self._engine, self._count, self._threads = engine, count, threads
        request, oracle = said.request, said.oracle
        self._request, self._oracle, self._outside = request, oracle, said.outside
        self._sight = said.sight
        self._via = "here" if said.here else "process"
        first = engine.infill(replace(request, max_tokens=1, deadline_ms=None))
        self._weights = weights.of_model(spec.text("model"))
        used = _threads() if self._via == "here" else None
        self._told = _Told(first.model, first.policy, first.device, first.dtype, used)
        length = "oracle" if oracle else "" if request.length == "auto" else request.length
        parts = (spec.text("model") or first.model, first.policy, length)  # a path tells more
        self.name = spec.label(*parts, known=("model", "policy", "length", "threads"))

    def settings(self) -> dict[str, Any]:
        told, asked = self._told, self._request
        return {
            "kind": "engine",
            "model": told.model,
            "weights": self._weights,
            "policy": told.policy,
            "length": "oracle" if self._oracle else asked.length,
            "steps": asked.steps,
            "max_tokens": asked.max_tokens,
            "context": asked.context_tokens,
            "temperature": asked.temperature,
            "seed": asked.seed,
            "deadline_ms": asked.deadline_ms,
            "reuse": asked.reuse,
            "branches": asked.branches,
            "confidence": asked.confidence,
            "device": told.device,
            "dtype": told.dtype,
            "threads": told.threads,
            "via": self._via,
            "line_end": "outside" if self._outside else "inside",
            "post": "none",
            **self._sight.settings(),
        }

    def answer(self, task: Task) -> Answer:
        end = "\n" if self._outside and _whole_lines(task) else ""
        seen = self._sight.shown(replace(task, suffix=end + task.suffix))
        request = replace(
            self._request,
            prefix=seen.prefix,
            suffix=seen.suffix,
            preamble=seen.other,
            beside=seen.beside,
        )
        true = self._count(request, task.gold.removesuffix(end))
        if self._oracle:
            told = min(max(1, true), _LONGEST)
            request = replace(request, length=str(told), max_tokens=max(told, request.max_tokens))
        watch = Stopwatch()
        try:
            result = self._engine.infill(request)
        except DcompleteError as error:
            return Answer("", watch.total(), true_tokens=true, error=str(error))
        best = result.best
        return Answer(
            best.texts[0] + end,
            watch.total(),
            tokens=best.tokens,
            true_tokens=true,
            steps=result.steps,
            forwards=result.forwards,
            score=best.score,
        )

    def close(self) -> None:
        self._threads.restore()
        close = getattr(self._engine, "close", None)
        if close is not None:
            close()


def _whole_lines(task: Task) -> bool:
    return task.gold.endswith("\n") and (not task.prefix or task.prefix.endswith("\n"))


def _threads() -> int:
    import torch

    return torch.get_num_threads()


KIND = Kind(make, OPTIONS, read=_read)
