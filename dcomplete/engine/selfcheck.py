"""Self-tests of a loaded model: the things that a loader gets wrong silently."""

from dataclasses import dataclass

import torch

from dcomplete.engine.engine import LocalEngine
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Full, Prompt
from dcomplete.types import InfillRequest

_PREFIX = "def add(left, right):\n    total = left + right\n    return"
_SUFFIX = "\n\n\nprint(add(1, 2))\n"


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    passed: bool
    detail: str


def self_check(engine: LocalEngine) -> list[Result]:
    """Run all self-tests; a failed one says what it saw."""
    return [_ids(engine), _knows(engine), _suffix(engine), _cache(engine), _banned(engine)]


def _prompt(engine: LocalEngine, prefix: str = _PREFIX, suffix: str = _SUFFIX) -> Prompt:
    return Prompt(engine.tokens.encode(prefix), engine.tokens.encode(suffix))


def _probabilities(
    engine: LocalEngine, prompt: Prompt, cells: int, reuse: bool = True
) -> torch.Tensor:
    """Probabilities [cells, vocab] on a fully masked canvas."""
    canvas = Canvas.build([[cells]], engine.family.specials.mask).to(engine.family.device)
    with engine.family.open(prompt, reuse=reuse) as session:
        return session.logits(session.states(canvas)[0]).softmax(-1)


def _ids(engine: LocalEngine) -> Result:
    s = engine.family.specials
    named = [i for i in (s.mask, s.suffix, s.prefix, s.middle, s.fill, s.expand) if i is not None]
    good = len(set(named)) == len(named) and all(
        0 <= i < engine.family.net.config.vocab for i in named
    )
    return Result("special ids", good, f"{named} are distinct and inside the vocabulary")


def _knows(engine: LocalEngine) -> Result:
    """The first masked cell after `return` is predicted where the shift says it is."""
    wanted = engine.tokens.encode(" total")[0]
    p = _probabilities(engine, _prompt(engine), 8)[0]
    rank = int((p > p[wanted]).sum())
    return Result("shift", rank < 50, f"the obvious token has rank {rank + 1} at the first cell")


def _suffix(engine: LocalEngine) -> Result:
    here = _probabilities(engine, _prompt(engine), 8)
    other = _probabilities(engine, _prompt(engine, suffix=" % left\n\nclass Stack:\n    pass\n"), 8)
    moved = float((here - other).abs().max())
    return Result(
        "right context", moved > 1e-3, f"another suffix moves a probability by {moved:.3f}"
    )


def _cache(engine: LocalEngine) -> Result:
    """Answers with a reused context equal those computed anew."""
    _probabilities(engine, _prompt(engine, prefix=_PREFIX[:-7]), 8)
    warm = _probabilities(engine, _prompt(engine), 8)
    cold = _probabilities(engine, _prompt(engine), 8, reuse=False)
    apart = float((warm - cold).abs().max())
    # Integer activations are scaled per pass, so equal up to that rounding only.
    allowed = 1e-3 if engine.family.label == "float32" else 0.1
    kind = (
        "no context to cache" if isinstance(engine.family.regime, Full) else f"within {apart:.2g}"
    )
    return Result("cached equals recomputed", apart <= allowed, kind)


def _banned(engine: LocalEngine) -> Result:
    request = InfillRequest(_PREFIX, _SUFFIX, max_tokens=16, temperature=5.0, length="16", steps=4)
    answer = engine.infill(request).best
    text = "".join(answer.texts)
    names = [engine.tokens.decode([i]) for i in engine.family.specials.banned]
    leaked = [n for n in names if n and n in text]
    return Result(
        "sentinels never proposed", not leaked, f"leaked {leaked}" if leaked else "none leaked"
    )
