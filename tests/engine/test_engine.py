"""The engine over tiny random networks: what a request of every kind gives back."""

import threading
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcomplete.engine.clusters import MAX_PINNED
from dcomplete.engine.constraints import Banned, Free
from dcomplete.engine.denoise import Plan
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.fill import Filler
from dcomplete.engine.policies import POLICIES, policy
from dcomplete.engine.prompt import make_task
from dcomplete.engine.tokens import ANY
from dcomplete.errors import Cancelled, UserError
from dcomplete.types import CancelToken, Finish, InfillRequest
from tests.conftest import REGIMES, SPECIALS, make_family
from tests.engine.test_tokens import TOKENS

ENGINE = LocalEngine(make_family(), TOKENS)
PREFIX, SUFFIX = "def f(x):\n    ", "\n\nprint(f(2))\n"


@dataclass(frozen=True)
class EndsAfter(Free):
    """Gaps end after so many tokens, and not before."""

    count: int

    def mask(self, canvas, logits, rows, columns):
        ends = columns >= self.count
        logits[~ends, SPECIALS.fill] = float("-inf")
        others = torch.arange(logits.shape[1]) != SPECIALS.fill
        return logits.masked_fill(ends[:, None] & others, float("-inf"))


def test_warm_and_cold_give_the_same_answer():
    text = "value = 1\n" * 30 + PREFIX
    ENGINE.infill(InfillRequest(text[:-3], SUFFIX, max_tokens=24))
    warm = ENGINE.infill(InfillRequest(text, SUFFIX, max_tokens=24))
    cold = ENGINE.infill(InfillRequest(text, SUFFIX, max_tokens=24, reuse=False))
    assert warm.best.texts == cold.best.texts
    assert warm.tokens_computed < cold.tokens_computed


def test_one_typed_character_computes_at_most_canvas_plus_sixteen_tokens():
    engine = LocalEngine(make_family(), TOKENS)
    text = "".join(f"value_{n} = {n} * 2\n" for n in range(40))[:720]
    request = {"suffix": SUFFIX * 8, "length": "16", "steps": 1, "context_tokens": 2000}
    first = engine.infill(InfillRequest(text + "y = val", **request))
    assert first.context_tokens > 700
    for typed in "u", "ue", "ue_", "ue_1":
        result = engine.infill(InfillRequest(text + "y = val" + typed, **request))
        assert result.tokens_computed <= 16 + 16


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("policy", [p for p in POLICIES if p != "verify"])
def test_every_regime_with_every_policy(regime, policy, make_engine):
    result = make_engine(regime).infill(InfillRequest(PREFIX, SUFFIX, max_tokens=8, policy=policy))
    assert result.best.finish in (Finish.DONE, Finish.LENGTH) and result.forwards >= 1


def test_verify_needs_a_causal_context(make_engine):
    with pytest.raises(UserError, match="causally"):
        make_engine("full").infill(InfillRequest(PREFIX, SUFFIX, policy="verify"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=12), max_size=3))
def test_any_text_gets_an_answer_for_each_gap(prefix, suffix, between):
    request = InfillRequest(prefix, suffix, tuple(between), max_tokens=8, steps=4)
    result = ENGINE.infill(request)
    assert len(result.best.texts) == len(between) + 1
    assert all("\ufffd" not in t[-1:] for t in result.best.texts)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_the_healed_border_is_taken_off_and_nothing_else(prefix, suffix):
    request = InfillRequest(prefix, suffix, length="6", steps=4)
    task = make_task(TOKENS, request)
    starts, plan = TOKENS.starts(task.seam), Plan(steps=4)
    [filled] = finished(Filler(ENGINE.family, request, plan).fill(task, starts, None))
    assert TOKENS.decode(filled.gaps[0]).startswith(task.seam.head)


def test_gaps_too_far_apart_for_one_canvas_are_filled_one_after_another():
    between = ("\n", "x = 1\n" * (MAX_PINNED // 2), "\n")
    result = ENGINE.infill(InfillRequest("a = ", "\nend\n", between, max_tokens=8, steps=4))
    assert len(result.best.texts) == 4


def test_several_samples_differ_and_come_best_first():
    request = InfillRequest(PREFIX, SUFFIX, max_tokens=16, samples=6, temperature=1.5, seed=3)
    result = ENGINE.infill(request)
    scores = [a.score for a in result.answers]
    assert len({a.texts for a in result.answers}) > 1 and scores == sorted(scores, reverse=True)
    again = ENGINE.infill(request)
    assert [a.texts for a in result.answers] == [a.texts for a in again.answers], "the seed decides"


def test_candidate_lengths_are_tried_in_one_batch():
    rows = []
    request = InfillRequest(PREFIX, SUFFIX, length="candidates", max_tokens=32)
    result = ENGINE.infill(request, watch=lambda step, found: rows.append([len(r) for r in found]))
    assert len(result.answers) == 1 and rows[0] == [8, 16, 32]


def test_a_fixed_length_is_kept():
    tokens = ENGINE.infill(InfillRequest(PREFIX, SUFFIX, length="7", heal=False)).best.tokens
    assert tokens == 7


def endless_engine() -> LocalEngine:
    """An engine whose gaps never end by themselves, however long the canvas."""
    return LocalEngine(make_family(), TOKENS, constraint=Banned([SPECIALS.fill]))


def test_a_long_gap_goes_on_until_its_limit():
    best = endless_engine().infill(InfillRequest("a = [", "", max_tokens=150)).best
    assert best.finish is Finish.LENGTH and best.tokens == 150


def test_however_many_canvases_a_gap_takes_it_comes_to_an_end(monkeypatch):
    """The most that may be asked for, in the smallest canvases: no canvas waits inside another."""
    monkeypatch.setattr("dcomplete.engine.opening.bucket", lambda odds, sure, limit: min(2, limit))
    request = InfillRequest("a = [", "", max_tokens=1500, policy="topk=2", context_tokens=16)
    best = endless_engine().infill(request).best
    assert best.finish is Finish.LENGTH and best.tokens == 1500


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_draft_that_the_model_agrees_with_costs_fewer_steps():
    request = InfillRequest("f(", ")\n", max_tokens=8)
    task, plan = make_task(TOKENS, request), Plan(policy=policy("verify"))
    cold, warm = (Filler(make_family(), request, plan) for _ in range(2))
    answer = finished(cold.fill(task, (ANY,), None))[0]
    again = finished(warm.fill(task, (ANY,), answer.gaps[0]))[0]
    assert again.gaps == answer.gaps
    assert warm.counts.steps < cold.counts.steps
    changed = [*answer.gaps[0][:5], 60, *answer.gaps[0][6:]]
    corrected = finished(Filler(make_family(), request, plan).fill(task, (ANY,), changed))[0]
    assert corrected.gaps == answer.gaps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("draft", ["return x", "zz(", "()\n\n\n"])
def test_a_draft_changes_nothing_that_verify_answers(seed, draft):
    engine = LocalEngine(make_family(seed=seed), TOKENS, constraint=EndsAfter(5))
    request = InfillRequest(PREFIX, SUFFIX, max_tokens=24, policy="verify")
    cold = engine.infill(request).best
    warm = engine.infill(replace(request, draft=draft)).best
    assert warm.texts == cold.texts and warm.score == pytest.approx(cold.score, abs=1e-4)


@pytest.mark.parametrize("policy", ["verify", "threshold"])
def test_a_score_counts_what_the_answer_says_and_not_the_rest_of_the_canvas(policy):
    request = InfillRequest(PREFIX, SUFFIX, max_tokens=64, policy=policy)
    scores = {}
    for size in (8, 16, 32, 64):

        def sized(odds: object, sure: float, limit: int, size: int = size) -> int:
            return size

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dcomplete.engine.opening.bucket", sized)
            best = LocalEngine(make_family(), TOKENS, constraint=EndsAfter(3)).infill(request).best
        scores.setdefault(best.texts, []).append(best.score)
    for same in scores.values():
        assert same == pytest.approx([same[0]] * len(same), abs=0.02 if policy == "verify" else 0.8)
    assert max(map(len, scores.values())) > 1, "the same answer from canvases of several sizes"


def test_watching_sees_masks_become_text():
    frames = []
    result = ENGINE.infill(
        InfillRequest(PREFIX, SUFFIX, ("+",), max_tokens=8),
        watch=lambda step, rows: frames.append((step, rows)),
    )
    first, last = frames[0][1][0], frames[-1][1][0]
    assert all(c.text is None or c.pinned for c in first) and not any(c.text is None for c in last)
    assert [c.text for c in last if c.pinned] == ["+"]
    assert frames[-1][0] == result.steps


def test_cancelled_requests_stop():
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        ENGINE.infill(InfillRequest(PREFIX, SUFFIX), cancel)


def test_cancel_from_another_thread_stops_a_running_request():
    cancel = CancelToken()
    seen = threading.Event()

    def watch(step, rows):
        seen.set()
        threading.Event().wait(0.01)

    threading.Thread(target=lambda: (seen.wait(), cancel.cancel())).start()
    with pytest.raises(Cancelled):
        ENGINE.infill(InfillRequest(PREFIX, SUFFIX, policy="topk", length="64"), cancel, watch)


def test_an_immediate_deadline_answers_all_the_same():
    result = ENGINE.infill(InfillRequest(PREFIX, SUFFIX, deadline_ms=0, policy="topk", length="32"))
    assert result.best.finish is Finish.DEADLINE and result.steps == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": -1}, {"steps": 0}, {"samples": 0}, {"temperature": -1.0}, {"top_p": 0.0},
        {"deadline_ms": -1.0}, {"context_tokens": 1}, {"length": "long"}, {"length": "0"},
        {"policy": "guess"}, {"draft": "x", "between": ("y",)},
    ],
)  # fmt: skip
def test_values_out_of_range_are_one_sentence(wrong):
    with pytest.raises(UserError, match=r"\.$"):
        ENGINE.infill(InfillRequest(PREFIX, SUFFIX, **wrong))


def test_sentinels_are_never_proposed_even_at_a_high_temperature():
    request = InfillRequest("", "", length="64", temperature=50.0, samples=8, heal=False, steps=2)
    texts = "".join(a.texts[0] for a in ENGINE.infill(request).answers)
    assert "<|" not in texts


def test_steps_of_two_requests_may_alternate(make_engine):
    requests = [
        InfillRequest(
            f"def f{i}(x):\n    return x * {i}\n" * 20, "\n", max_tokens=24, policy="topk=1"
        )
        for i in range(6)
    ]
    alone = [make_engine().infill(r) for r in requests]
    engine = make_engine()
    running = {i: engine.steps(r) for i, r in enumerate(requests)}
    done, turns = {}, 0
    while running:
        for i, steps in list(running.items()):
            try:
                next(steps)
                turns += 1
            except StopIteration as end:
                done[i] = end.value
                del running[i]
    assert turns > 6 * 4
    for i, one in enumerate(alone):  # a score's last bits depend on how memory is aligned
        (found,), (wanted,) = done[i].answers, one.answers
        assert replace(found, score=wanted.score) == wanted
        assert found.score == pytest.approx(wanted.score, abs=1e-5)


def test_a_request_given_up_midway_leaves_its_cache_to_others(make_engine):
    engine = make_engine()
    request = InfillRequest("value = compute(1, 2)\n" * 30, "\n", max_tokens=8)
    for _ in range(8):
        steps = engine.steps(request)
        next(steps)
        steps.close()
    again = engine.infill(request)
    assert again.tokens_computed < 100  # what was computed before giving up is still cached
    assert again.best.texts == make_engine().infill(request).best.texts


@pytest.mark.parametrize("regime", REGIMES)
def test_a_context_is_computed_ahead_for_the_request_that_comes_next(regime, make_engine):
    engine, alone = make_engine(regime), make_engine(regime)
    request = InfillRequest("value = compute(1, 2)\n" * 30, "\n", max_tokens=8)
    ahead = engine.infill(replace(request, max_tokens=0, samples=2))
    assert [a.texts for a in ahead.answers] == [("",), ("",)] and ahead.steps == 0
    typed = replace(request, prefix=request.prefix + "va")
    found, expected = engine.infill(typed), alone.infill(typed)
    assert found.best.texts == expected.best.texts
    kept = regime not in ("full", "full-shifted")  # only a causal context is
    assert (ahead.tokens_computed > 0) == kept
    if kept:
        assert found.tokens_computed < expected.tokens_computed / 4
    told = engine.infill(replace(request, max_tokens=0, length="3"))
    assert told.best.tokens == 3
