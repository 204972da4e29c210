"""Self-tests of a loaded model: the things that a loader gets wrong silently.

Each asks for something that a wrong shift, mask, attention pattern or cache would break, on a few pieces
of code whose hidden parts can be read off from what stands around them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dcomplete.engine.engine import LocalEngine
from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Session
from dcomplete.models.frame import Frame, Rows
from dcomplete.models.regimes import BlockCausal, Full, Prompt, Regime
from dcomplete.types import InfillRequest

PROBES = (
    (
        "def add(left, right):\n    total = left + right\n    return",
        " total\n",
        "\n\nprint(add(1, 2))\n",
    ),
    ("for name in names:\n    print(name)\nfor name in", " names:\n", "    print(name)\n"),
    ("x = [1, 2, 3, 4, 5, 6]\ny = [1, 2, 3, 4,", " 5, 6]\n", "z = [1, 2, 3, 4, 5, 6]\n"),
)  # text before, hidden text, text after
_PREFIX, _HIDDEN, _SUFFIX = PROBES[0]
_MARGIN = 0.5  # nats per token by which another reading must be better to be the right one
_KNOWN = -3.0  # nats per token below which a model says nothing about the hidden text
_CELLS = 8


@dataclass(frozen=True, slots=True)
class Result:
    """What a test saw. `told` is False where the model knows too little for the test to say anything."""

    name: str
    passed: bool
    detail: str
    told: bool = True


def self_check(engine: LocalEngine) -> list[Result]:
    """Run all self-tests; a failed one says what it saw."""
    return [test(engine) for test in TESTS]


def _prompt(engine: LocalEngine, prefix: str = _PREFIX, suffix: str = _SUFFIX) -> Prompt:
    return Prompt(engine.tokens.encode(prefix), engine.tokens.encode(suffix))


def _states(session: Session, canvas: Canvas) -> Tensor:
    return session.states(canvas).float()


def _empty(engine: LocalEngine, cells: int = _CELLS, rows: int = 1) -> Canvas:
    canvas = Canvas.build([[cells]] * rows, engine.family.specials.mask)
    return canvas.to(engine.family.device)


def _knowledge(
    engine: LocalEngine, masks: Sequence[int] = (), regime: Regime | None = None
) -> list[float]:
    """The mean log-probability, in nats, of the hidden tokens of all probes on an empty canvas.

    One figure for the model's mask and for each of `masks` in its place; with another `regime` on
    request.
    """
    family = replace(engine.family, regime=regime or engine.family.regime)
    asked = [family.specials.mask, *masks]
    nats: list[Tensor] = []
    for prefix, hidden, suffix in PROBES:
        wanted = torch.tensor(engine.tokens.encode(hidden), device=family.device)
        cells = [[mask] * len(wanted) for mask in asked]
        canvas = Canvas.from_rows(cells, [[0] * len(wanted)] * len(asked), asked[0])
        with family.open(_prompt(engine, prefix, suffix), reuse=False) as session:
            states = session.states(canvas.to(family.device))
        found = family.net.head(states).float().log_softmax(-1)
        nats.append(found.gather(-1, wanted.expand(len(asked), -1).unsqueeze(-1))[..., 0])
    return [float(x) for x in torch.cat(nats, 1).mean(1)]


def _best(name: str, own: float, others: Sequence[tuple[str, float]]) -> Result:
    """The model's own reading must not be worse than another one."""
    what, best = max(others, key=lambda pair: pair[1], default=("nothing", float("-inf")))
    said = f"hidden code has {own:.2f} nats per token; {what}: {best:.2f}"
    told = max(own, best) > _KNOWN
    return Result(name, not told or best < own + _MARGIN, said, told)


def text(engine: LocalEngine) -> Result:
    """The tokenizer gives back the text that it was given."""
    sample = "".join(map("".join, PROBES)) + "\tÄ = 'naïve' # 数\n"
    same = engine.tokens.decode(engine.tokens.encode(sample)) == sample
    return Result("tokenizer", same, "text survives" if same else "text comes back changed")


def special_ids(engine: LocalEngine) -> Result:
    s = engine.family.specials
    named = [i for i in (s.mask, s.suffix, s.prefix, s.middle, s.fill, s.expand) if i is not None]
    good = len(set(named)) == len(named) and all(
        0 <= i < engine.family.net.config.vocab for i in named
    )
    return Result("special ids", good, f"{named} are distinct and inside the vocabulary")


def mask_id(engine: LocalEngine) -> Result:
    """Of all special tokens the mask is the one in whose place the model finds hidden code best."""
    s = engine.family.specials
    others = sorted({*s.reserved, *s.banned} - {s.mask, s.fill, s.expand})
    own, *found = _knowledge(engine, others)
    names = [f"token {i} as the mask" for i in others]
    return _best("mask id", own, list(zip(names, found, strict=True)))


@dataclass(frozen=True, slots=True)
class _Moved:
    """A regime whose cells are predicted one token further on or back; see `regimes.Regime`."""

    regime: Regime
    by: int

    def context(self, prompt: Prompt) -> Frame:
        return self.regime.context(prompt)

    def rows(self, prompt: Prompt, context: Frame, canvas: Canvas) -> Rows:
        rows = self.regime.rows(prompt, context, canvas)
        return replace(rows, at=(rows.at + self.by).clamp(max=len(rows.frame) - 1))

    def causal(self, context: Frame, canvas: Canvas, fill: int | None) -> Rows | None:
        return None

    def onward(self, context: Frame, ids: Sequence[int]) -> Frame | None:
        return None

    def text(self, prompt: Prompt) -> Frame | None:
        return None


def shift(engine: LocalEngine) -> Result:
    """Hidden code is predicted where the shift says it is, not one token beside it."""
    ways = {"one token earlier": -1, "one token later": 1}
    found = [
        (way, _knowledge(engine, regime=_Moved(engine.family.regime, by))[0])
        for way, by in ways.items()
    ]
    return _best("shift", _knowledge(engine)[0], found)


def right_context(engine: LocalEngine) -> Result:
    """Another text after the gap moves what is predicted in it."""
    other = _prompt(engine, suffix=" % left\n\nclass Stack:\n    pass\n")
    canvas = _empty(engine)
    with engine.family.open(_prompt(engine)) as here, engine.family.open(other) as there:
        moved = _apart(_states(here, canvas), _states(there, canvas))
    return Result("right context", moved > 1e-3, f"another suffix moves states by {moved:.3f}")


def both_ways(engine: LocalEngine) -> Result:
    """A decided cell moves the cells to its left, and nothing that may not see it."""
    regime = engine.family.regime
    blocks = regime if isinstance(regime, BlockCausal) else None
    size = _CELLS if blocks is None else blocks.size
    begun = 0 if blocks is None else -blocks.offset(_prompt(engine)) % size
    # where the state of the token before predicts a cell, a block's first cell is seen from outside it
    first = begun + int(getattr(regime, "shift", True))
    token = next(i for i in engine.tokens.encode(_PREFIX) if i not in engine.family.specials.banned)

    def moves(decided: int, cell: int) -> float:
        canvas = _empty(engine, begun + 3 * size)
        with engine.family.open(_prompt(engine)) as session:
            before = _states(session, canvas)[0, cell]
            canvas.commit(
                _cell(canvas, decided), torch.full_like(canvas.ids, token), canvas.confidence
            )
            return _apart(before, _states(session, canvas)[0, cell])

    seen = moves(begun + size - 1, first)
    said = f"a later cell moves an earlier one by {seen:.3f}"
    if blocks is None:
        return Result("both directions", seen > 1e-3, said)
    leaked = max(moves(begun + n * size, first + (n - 1) * size) for n in (1, 2))
    said += f", one of the next block by {leaked:.2g}"
    return Result("both directions", seen > 1e-3 and leaked <= _allowed(engine), said)


def _cell(canvas: Canvas, column: int) -> Tensor:
    where = torch.zeros_like(canvas.open)
    where[0, column] = True
    return where


def rows_apart(engine: LocalEngine) -> Result:
    """Canvases side by side, of several lengths, do not see one another.

    None is so short that its pass is one over 4-bit blocks, which rounds what goes into them.
    """
    mask = engine.family.specials.mask
    both = Canvas.build([[2 * _CELLS], [_CELLS]], mask).to(engine.family.device)
    with engine.family.open(_prompt(engine)) as session:
        together = _states(session, both)[1, :_CELLS]
        alone = _states(session, _empty(engine))[0]
    apart = _apart(together, alone)
    return Result("candidates apart", apart <= _allowed(engine), f"within {apart:.2g}")


def cached(engine: LocalEngine) -> Result:
    """After typing, deleting and editing, before and after a cell is decided: as if computed anew."""
    texts = (
        (_PREFIX[:-7], _SUFFIX),
        (_PREFIX, _SUFFIX),
        (_PREFIX[:-12], _SUFFIX),
        (_PREFIX.replace("left", "one", 1), _SUFFIX),
        (_PREFIX, "\n\nprint(add(3, 4))\n"),
    )
    token = engine.tokens.encode(_HIDDEN)[0]
    apart = 0.0
    for prefix, suffix in texts:
        prompt, canvas = _prompt(engine, prefix, suffix), _empty(engine)
        with engine.family.open(prompt) as warm:
            for decided in (None, 2, 5):
                if decided is not None:
                    tokens = torch.full_like(canvas.ids, token)
                    canvas.commit(_cell(canvas, decided), tokens, canvas.confidence)
                with engine.family.open(prompt, reuse=False) as cold:
                    apart = max(apart, _apart(_states(warm, canvas), _states(cold, canvas)))
    kind = "; there is no context to cache" if isinstance(engine.family.regime, Full) else ""
    return Result(
        "cached equals recomputed", apart <= _allowed(engine), f"within {apart:.2g}{kind}"
    )


def banned(engine: LocalEngine) -> Result:
    """No special token is ever proposed, however hot the sampling."""
    s = engine.family.specials
    free = set(engine.tokens.special) - {*s.banned, s.fill, s.expand}
    canvas = _empty(engine)
    with engine.family.open(_prompt(engine)) as session:
        logits = session.logits(session.states(canvas)[0])
    leaks = sorted(free | {i for i in s.banned if bool((logits[:, i] > float("-inf")).any())})
    request = InfillRequest(_PREFIX, _SUFFIX, max_tokens=16, temperature=5.0, length="16", steps=4)
    answer = "".join(engine.infill(request).best.texts)
    names = [engine.tokens.decode([i]) for i in s.banned]
    said = [engine.tokens.decode([i]) for i in leaks] + [n for n in names if n and n in answer]
    detail = f"could be proposed: {', '.join(said[:5])}" if said else "none can be proposed"
    return Result("sentinels never proposed", not said, detail)


def _apart(one: Tensor, other: Tensor) -> float:
    """How far two tensors of states are from one another, in units of their size."""
    return float((one - other).norm() / other.norm().clamp(min=1e-9))


def _allowed(engine: LocalEngine) -> float:
    """Equal up to rounding; integer activations are scaled per pass, and bfloat16 is coarse."""
    return 1e-4 if engine.family.label == "float32" else 0.1


TESTS: tuple[Callable[[LocalEngine], Result], ...] = (
    text,
    special_ids,
    mask_id,
    shift,
    right_context,
    both_ways,
    rows_apart,
    cached,
    banned,
)
