"""Cached equals uncached, for every regime and any sequence of edits."""

from contextlib import ExitStack

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcomplete.models.canvas import Canvas
from dcomplete.models.frame import Frame
from dcomplete.models.regimes import Prompt
from tests.conftest import REGIMES, SPECIALS, make_family

FAMILIES = {name: make_family(name) for name in REGIMES}
ids = st.lists(st.integers(8, 290), max_size=12)
edits = st.lists(
    st.tuples(st.sampled_from(["type", "delete", "edit-prefix", "edit-suffix", "jump"]), ids),
    min_size=1,
    max_size=6,
)


def change(prompt: Prompt, kind: str, new: list[int]) -> Prompt:
    match kind:
        case "type":
            return Prompt(prompt.prefix + new, prompt.suffix)
        case "delete":
            return Prompt(prompt.prefix[: max(1, len(prompt.prefix) - len(new))], prompt.suffix)
        case "edit-prefix":
            return Prompt([9, *new, *prompt.prefix[3:]], prompt.suffix)
        case "edit-suffix":
            return Prompt(prompt.prefix, [*prompt.suffix[:2], *new])
    return Prompt([10, *new], new[::-1])


@pytest.mark.parametrize("name", REGIMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(prefix=ids, suffix=ids, sequence=edits, width=st.integers(1, 9), rows=st.integers(1, 2))
def test_cached_equals_uncached_under_any_edits(name, prefix, suffix, sequence, width, rows):
    family = FAMILIES[name]
    family.pool.clear()
    prompt = Prompt(prefix or [8] * (name == "full-shifted"), suffix)  # which needs text before
    for kind, new in sequence:
        prompt = change(prompt, kind, new)
        canvas = Canvas.build([[width]] * rows, SPECIALS.mask)
        warm, cold = family.open(prompt), family.open(prompt, reuse=False)
        with warm:
            equal(warm.states(canvas), cold.states(canvas))
            canvas.commit(
                canvas.open & (torch.arange(width) % 2 == 0),
                torch.full_like(canvas.ids, 40),
                torch.ones_like(canvas.confidence),
            )
            equal(warm.states(canvas), cold.states(canvas))


@pytest.mark.parametrize("name", REGIMES)
def test_a_context_without_tokens_sees_nothing_of_another_document(name):
    family = make_family(name)
    with family.open(Prompt([8 + i for i in range(40)], [60] * 9)) as other:
        other.prefill()
    nearly = Prompt([8] * (name == "full-shifted"), [])
    canvas = Canvas.build([[5]], SPECIALS.mask)
    with family.open(nearly) as warm:
        equal(warm.states(canvas), family.open(nearly, reuse=False).states(canvas))


def equal(a, b):
    torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_typing_one_token_computes_only_what_is_new():
    family = make_family("suffix-first")
    canvas = Canvas.build([[16]], SPECIALS.mask)
    prefix = [8 + i % 200 for i in range(900)]
    with family.open(Prompt(prefix, [50] * 100)) as first:
        first.states(canvas)
    assert first.computed == 900 + 100 + 3 + 16
    second = family.open(Prompt([*prefix, 77], [50] * 100))
    second.states(canvas)
    assert second.computed == 2 + 16, "the new token, the middle sentinel, the canvas"


def test_prefix_first_recomputes_the_suffix_and_full_everything():
    for name, expected in (("prefix-first", 100 + 3 + 16), ("full", 1017 + 0)):
        family = make_family(name)
        canvas = Canvas.build([[16]], SPECIALS.mask)
        prefix = [8 + i % 200 for i in range(900)]
        with family.open(Prompt(prefix, [50] * 100)) as first:
            first.states(canvas)
        second = family.open(Prompt([*prefix, 77], [50] * 100))
        second.states(canvas)
        if name == "prefix-first":
            assert second.computed == expected
        else:
            assert second.computed == 1 + 901 + 16 + 100, "bos, prefix, canvas, suffix"


def test_reuse_is_cut_back_to_where_nothing_sees_further():
    blocks = torch.tensor([0, 0, 0, 1, 1, 1])
    whole = Frame.shared([1, 2, 3, 4, 5, 6], blocks)
    changed = Frame.shared([1, 2, 3, 4, 5, 7], blocks)
    assert changed.reusable(whole) == 3, "a changed block takes its whole block with it"
    assert whole.reusable(whole) == 6
    assert Frame.shared([9]).reusable(whole) == 0


def test_two_documents_keep_their_contexts():
    family = make_family()
    canvas = Canvas.build([[8]], SPECIALS.mask)
    one, two = Prompt([8] * 200, []), Prompt([9] * 200, [])
    for prompt in (one, two):
        with family.open(prompt) as session:
            session.states(canvas)
    for prompt in (one, two):
        with family.open(prompt) as again:
            again.states(canvas)
        assert again.computed == 8, "the canvas alone"


def test_the_pool_is_bounded():
    family = make_family()
    for n in range(10):
        with family.open(Prompt([10 + n] * 50, [])) as session:
            session.prefill()
    assert len(family.pool._slots) == 4


def test_a_cache_serves_one_request_at_a_time():
    family = make_family()
    canvas = Canvas.build([[8]], SPECIALS.mask)
    prompt = Prompt([8, 9, 10] * 40, [])
    with ExitStack() as stack:
        sessions = [stack.enter_context(family.open(prompt)) for _ in range(6)]
        assert len({id(s.cache) for s in sessions}) == 6
        for session in sessions:
            equal(session.states(canvas), sessions[0].states(canvas))
    assert len(family.pool._slots) == 4, "what was beyond the pool is gone"
    with family.open(prompt) as again:
        again.states(canvas)
    assert again.computed == 8


def test_the_same_context_again_costs_the_canvas_alone_and_gives_the_same():
    family = make_family()
    canvas = Canvas.build([[8]], SPECIALS.mask)
    prompt, longer = Prompt([8, 9, 10] * 40, []), Prompt([8, 9, 10] * 40 + [11], [])
    with family.open(prompt, reuse=False) as anew:
        expected = anew.states(canvas)
    with family.open(prompt) as first:
        first.states(canvas)
    with family.open(prompt) as again:
        torch.testing.assert_close(again.states(canvas), expected, atol=1e-5, rtol=1e-5)
    assert again.computed == 8 and again.forwards == 1
    with family.open(longer) as typed:  # the state left by another context is not this one's
        typed.states(canvas)
    with family.open(prompt) as back:
        torch.testing.assert_close(back.states(canvas), expected, atol=1e-5, rtol=1e-5)
    with family.open(prompt) as idle:  # computes nothing, and leaves what it found
        pass
    assert torch.equal(idle.cache.last, back.cache.last)


def test_a_long_answer_does_not_push_its_own_small_context_out():
    family = make_family()
    before = [8 + i % 100 for i in range(30)]
    with family.open(Prompt(before + [50] * 200, [])) as continued:
        continued.prefill()
    with family.open(Prompt([*before, 51], [])) as typed:
        typed.prefill()
    assert typed.computed <= 3 and len(family.pool._slots) == 1


def test_a_part_of_the_context_computed_before_giving_up_is_kept():
    family = make_family()
    prompt = Prompt([8 + i % 100 for i in range(900)], [])
    with family.open(prompt) as session:
        parts = session.warm()
        next(parts)
        parts.close()
    with family.open(prompt) as again:
        again.prefill()
    assert again.computed + session.computed == len(again.context)
