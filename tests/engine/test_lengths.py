"""How the length of a gap is found: CAL's search, PILL's choice, DreamOn's growing and shrinking."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import ExpandDelete, length_bias, search_length
from dcomplete.engine.policies import policy
from dcomplete.models.canvas import Canvas
from dcomplete.models.judging import judge
from dcomplete.models.regimes import Prompt
from dcomplete.types import InfillRequest
from tests.conftest import SPECIALS, make_family
from tests.engine.test_denoise import IDS, Oracle
from tests.models.reference import logits

MASK = IDS.mask


def searched(sure: dict[int, float], limit: int = 64) -> tuple[int, int]:
    """What the search finds where an empty canvas of n cells is `sure[n]` sure, and in how many passes."""
    search = search_length(limit)
    asked, passes = next(search), 0
    while True:
        passes += 1
        try:
            asked = search.send([sure[n] for n in asked])
        except StopIteration as found:
            return found.value, passes


def one_by_one(sure: dict[int, float], limit: int = 64) -> int:
    """Algorithm 1 of the paper as its authors run it: one size, one forward pass."""

    def phi(size: int) -> float:
        return sure[size] / length_bias(size)

    start = min(8, limit)
    best, score = start, phi(start)
    for way in (1, -1):
        size, decreases = start + way, 0
        while 1 <= size <= limit and decreases < 4:
            if phi(size) > score:
                best, score, decreases = size, phi(size), 0
            else:
                decreases += 1
            size += way
    return best


@given(st.lists(st.floats(0.01, 1.0), min_size=64, max_size=64), st.integers(1, 64))
@settings(max_examples=200, deadline=None)
def test_side_by_side_finds_what_one_by_one_finds(values, limit):
    sure = dict(enumerate(values, 1))
    assert searched(sure, limit)[0] == one_by_one(sure, limit)


def test_a_peak_at_the_right_length_is_found_in_few_passes():
    for right in (1, 5, 8, 12, 20):
        slope = {n: length_bias(n) * (1 - 0.01 * abs(n - right)) for n in range(1, 65)}
        length, passes = searched(slope)
        assert length == right and passes <= 2 + abs(right - 8) // 4


def test_the_bias_is_the_papers():
    assert length_bias(1) == pytest.approx(math.exp(-1.77) + 0.56 * math.exp(-0.06) + 0.24)
    assert length_bias(64) == pytest.approx(0.252, abs=1e-3)


def twin(family, ids: list[int]) -> torch.Tensor:
    """Log-probabilities by the plain mathematics of tests/models/reference."""
    state = family.net.state_dict()
    c = family.net.config
    tensors = dict(state.items())
    wide, narrow = c.heads * c.head_dim, c.kv_heads * c.head_dim
    for n in range(c.layers):
        q, k, v = state[f"layers.{n}.qkv.weight"].split([wide, narrow, narrow])
        gate, up = state[f"layers.{n}.gate_up.weight"].chunk(2)
        tensors |= {f"{n}.{x}.weight": t for x, t in zip("qkvgu", (q, k, v, gate, up), strict=True)}
    names = {
        "table": "embed.weight", "norm": "norm.weight", "head": "none",
        "norm1": "layers.{}.attn_norm.weight", "norm2": "layers.{}.mlp_norm.weight",
        "q": "{}.q.weight", "k": "{}.k.weight", "v": "{}.v.weight", "o": "layers.{}.o.weight",
        "gate": "{}.g.weight", "up": "{}.u.weight", "down": "layers.{}.down.weight",
    }  # fmt: skip
    shape = {
        "layers": c.layers, "heads": c.heads, "kv": c.kv_heads, "theta": c.rope_theta, "eps": c.norm_eps
    }  # fmt: skip
    see = torch.ones(len(ids), len(ids)).tril().bool()
    return logits(tensors, names, shape, ids, see).log_softmax(-1)


@pytest.mark.parametrize("shift", [True, False])
def test_candidates_are_judged_by_a_causal_reading(shift):
    """PILL: half the candidate's mean log-probability, half that of the first tokens behind it."""
    family = make_family("full-shifted" if shift else "full")
    prompt, candidates = Prompt([20, 21, 22], [30, 31, 32]), [[40, 41], [42, 43, 44, 45, 46], []]
    found = judge(family.net, SPECIALS, shift, prompt, candidates)
    for tokens, worth in zip(candidates, found, strict=True):
        before = [SPECIALS.bos, *prompt.prefix]
        text, nats = [*before, *tokens, *prompt.suffix], []
        for at in range(len(before), len(text)):
            if shift:  # the token before predicts it
                nats.append(twin(family, text[:at])[-1, text[at]])
            else:  # a mask in its place does
                nats.append(twin(family, [*text[:at], MASK])[-1, text[at]])
        halves = [p for p in (nats[: len(tokens)], nats[len(tokens) :]) if p]
        expected = sum(float(torch.stack(p).mean()) for p in halves) / len(halves)
        assert worth == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("regime", ["full", "full-shifted"])
def test_a_frozen_model_finds_a_length_and_candidates_lie_around_it(regime, tokens):
    from dataclasses import replace

    from dcomplete.engine.engine import LocalEngine
    from dcomplete.engine.opening import Opening
    from dcomplete.engine.prompt import make_task

    family = make_family(regime)
    family.specials = replace(SPECIALS, fill=None)
    engine = LocalEngine(family, tokens)
    request = InfillRequest("def f(x):\n    return", "\n\nf(1)\n", max_tokens=32)
    one = engine.infill(request)
    assert one.forwards > one.steps, "the search takes passes of its own"
    task = make_task(tokens, request)
    sizes = {}
    for length in ("auto", "candidates"):
        opening = Opening(family, replace(request, length=length), Plan())
        with family.open(task.prompt) as session:
            steps = opening._sizes(session, task)
            try:
                while True:
                    next(steps)
            except StopIteration as found:
                sizes[length] = found.value
    [likely] = sizes["auto"]
    assert sizes["candidates"] == [n for n in range(likely - 2, likely + 3) if 1 <= n <= 32]
    assert engine.infill(replace(request, length="candidates")).answers


ANSWER = [10, 11, 12, 13, 14]


class Variable(Oracle):
    """DreamOn's conditions: too few masks ask for more, too many ask for deletion."""

    def wanted(self, canvas, row):
        cells = int((canvas.gap[row] == 0).sum())
        if cells < len(self.answer):
            decided = [t if t != MASK else IDS.expand for t in canvas.ids[row].tolist()]
            return decided + [IDS.expand] * 9
        return self.answer + [IDS.fill] * canvas.width


@pytest.mark.parametrize("clear_right", [False, True])
@pytest.mark.parametrize("masks", [1, 2, 4, 5, 8, 16, 32, 64])
def test_any_number_of_masks_grows_or_shrinks_to_the_answer(masks, clear_right):
    """arXiv 2602.01326: expand gives two masks, delete removes one, until the length fits."""
    canvas = Canvas.build([[masks]], MASK)
    length = ExpandDelete(IDS, 64, clear_right)
    steps = list(
        denoise(Variable(ANSWER), canvas, Plan(policy("entropy"), length=length, steps=200))
    )
    assert canvas.filled(0, 0, IDS.fill) == ANSWER and canvas.width == len(ANSWER)
    surplus = max(0, masks - len(ANSWER))
    if clear_right:  # the first deletion takes the masks right of it along
        assert len(steps) <= 2 * len(ANSWER) + 2
    elif surplus:
        assert len(steps) >= surplus


def test_a_deletion_clears_open_cells_of_its_own_gap_only():
    canvas = Canvas.build([[4, [30], 3]], MASK)
    done = torch.zeros_like(canvas.open)
    done[0, [0, 1, 3]] = True
    ids = torch.tensor([[10, IDS.fill, 0, 12, 0, 0, 0, 0]])
    canvas.commit(done, ids, torch.ones(1, 8))
    ExpandDelete(IDS, 8, clear_right=True).resize(canvas)
    assert canvas.ids[0].tolist() == [10, 12, 30, MASK, MASK, MASK]


def test_expansion_is_not_offered_beyond_the_budget():
    class Greedy(Oracle):
        def wanted(self, canvas, row):
            return [IDS.expand] * 99

    canvas = Canvas.build([[2], [3]], MASK)
    plan = Plan(policy("entropy"), length=ExpandDelete(IDS, 5), steps=60)
    list(denoise(Greedy([]), canvas, plan))
    assert [int((canvas.gap[row] == 0).sum()) for row in (0, 1)] == [2 + 5, 3 + 5]
    assert not canvas.open.any() and not (canvas.ids == IDS.expand).any()


@pytest.mark.parametrize("spent", [False, True])
def test_a_gap_that_grows_says_whether_it_had_to_stop(spent, tokens):
    """DreamOn ends its gaps itself: only who used up all expansions may be cut short."""
    from dataclasses import replace

    from dcomplete.engine.constraints import Banned
    from dcomplete.engine.engine import LocalEngine
    from dcomplete.types import Finish

    family = make_family("full-shifted")
    family.specials = replace(SPECIALS, expand=6, reserved=(7,))
    others = [i for i in range(300) if i != 6]  # nothing but expansions, or none
    constraint = Banned(others if spent else [6])
    engine = LocalEngine(family, tokens, constraint=constraint)
    best = engine.infill(
        InfillRequest("x = ", "\n", max_tokens=20, policy="entropy", heal=False)
    ).best
    assert best.finish is (Finish.LENGTH if spent else Finish.DONE)
