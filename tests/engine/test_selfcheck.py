"""Every self-test passes on a tiny model that learned the probes, and catches the fault it is there for."""

from dataclasses import replace
from functools import cache

import pytest
import torch
import torch.nn.functional as F

from dcomplete.engine import selfcheck
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.tokens import Tokens
from dcomplete.models import batched, family
from dcomplete.models.canvas import Canvas
from dcomplete.models.decoder import Decoder
from dcomplete.models.family import Family
from dcomplete.models.frame import Frame
from dcomplete.models.regimes import BlockCausal, ContextCanvas, Full, Prompt
from dcomplete.models.visibility import Visibility
from tests.conftest import SPECIALS, TINY, byte_tokenizer_json

TOKENS = Tokens.from_json(byte_tokenizer_json())
REGIMES = {
    "canvas": ContextCanvas(SPECIALS),
    "full": Full(SPECIALS),
    "full-shifted": Full(SPECIALS, shift=True),
    "block": BlockCausal(SPECIALS, 4),
    "block-shifted": BlockCausal(SPECIALS, 4, shift=True),
}


@cache
def learned(name: str) -> Decoder:
    """A tiny network that knows the probes by heart, in the layout of `name`."""
    torch.manual_seed(0)
    net, regime = Decoder(TINY), REGIMES[name]
    best = torch.optim.AdamW(net.parameters(), 4e-3)
    for step in range(210):
        prefix, hidden, suffix = selfcheck.PROBES[step % len(selfcheck.PROBES)]
        prompt, wanted = Prompt(TOKENS.encode(prefix), TOKENS.encode(suffix)), TOKENS.encode(hidden)
        canvas = Canvas.build([[len(wanted)]], SPECIALS.mask)
        shown = torch.rand(1, len(wanted)) < (step // 3 % 2) * 0.5
        canvas.commit(shown, torch.tensor([wanted]), torch.ones(1, len(wanted)))
        if step // 3 % 3 == 2:  # another special token in the mask's place means something else
            canvas.ids = torch.full_like(canvas.ids, 6 + step % 2)
            wanted, shown = [SPECIALS.fill] * len(wanted), torch.zeros_like(shown)
        context = regime.context(prompt)
        rows = regime.rows(prompt, context, canvas)
        whole = context.join(rows.frame)
        see = Visibility.between(whole.marks, whole.marks)
        hidden_states = net(whole.ids[None], whole.positions[None], see)[0]
        edge = hidden_states[[max(0, len(context) - 1)]]
        found = net.head(torch.cat([hidden_states[len(context) :], edge])[rows.at[0]])
        loss = F.cross_entropy(found, torch.tensor(wanted))
        best.zero_grad()
        loss.backward()
        best.step()
    return net.eval().requires_grad_(False)


def engine(name: str, **changes: object) -> LocalEngine:
    made = Family("tiny", learned(name), REGIMES[name], SPECIALS, vocabulary=271)
    return LocalEngine(replace(made, **changes), TOKENS)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REGIMES)
def test_a_sound_model_passes_and_nothing_is_left_open(name):
    results = selfcheck.self_check(engine(name))
    assert [r for r in results if not r.passed or not r.told] == []


@pytest.mark.parametrize("name", ["full", "full-shifted", "block", "block-shifted"])
def test_a_shift_off_by_one_is_caught(name):
    regime = REGIMES[name]
    result = selfcheck.shift(engine(name, regime=replace(regime, shift=not regime.shift)))
    assert result.told and not result.passed


def test_a_canvas_read_one_cell_late_is_caught():
    moved = selfcheck._Moved(REGIMES["canvas"], 1)
    assert not selfcheck.shift(engine("canvas", regime=moved)).passed


@pytest.mark.parametrize("name", REGIMES)
def test_a_wrong_mask_id_is_caught(name):
    wrong = replace(SPECIALS, mask=7, reserved=(3, 6))
    regime = replace(REGIMES[name], specials=wrong)
    result = selfcheck.mask_id(engine(name, specials=wrong, regime=regime))
    assert result.told and not result.passed


class Causal:
    """Visibility as an autoregressive model has it, whatever it is asked for."""

    @staticmethod
    def between(query, key):
        see = torch.ones(len(query), len(key), dtype=torch.bool)
        return Visibility(see.tril(len(key) - len(query)))


@pytest.mark.parametrize("name", ["canvas", "block"])
def test_a_causal_mask_by_mistake_is_caught_in_a_canvas(name, monkeypatch):
    sound = engine(name)
    monkeypatch.setattr(family, "Visibility", Causal)
    assert not selfcheck.both_ways(sound).passed


@pytest.mark.parametrize("name", ["full", "full-shifted"])
def test_a_causal_mask_by_mistake_is_caught_in_a_full_model(name, monkeypatch):
    sound = engine(name)
    monkeypatch.setattr(batched, "Visibility", Causal)
    assert not selfcheck.right_context(sound).passed
    assert not selfcheck.both_ways(sound).passed


def test_blocks_that_see_the_next_block_are_caught():
    blind = engine("block")
    wide = replace(REGIMES["block"], size=8)

    class Leaky(BlockCausal):
        def rows(self, prompt, context, canvas):
            return wide.rows(prompt, wide.context(prompt), canvas)

        def context(self, prompt):
            return wide.context(prompt)

    blind.family.regime = Leaky(SPECIALS, 4)
    assert not selfcheck.both_ways(blind).passed


@pytest.mark.parametrize("name", ["canvas", "block"])
def test_a_stale_cache_is_caught(name, monkeypatch):
    sound = engine(name)
    monkeypatch.setattr(Frame, "reusable", lambda self, cached: min(len(self), len(cached)))
    assert not selfcheck.cached(sound).passed


@pytest.mark.parametrize("name", ["full", "full-shifted"])
def test_a_context_that_is_kept_without_being_asked_for_is_caught(name, monkeypatch):
    exact = Family.open
    monkeypatch.setattr(
        Family,
        "open",
        lambda self, prompt, reuse=True, stale=1: exact(self, prompt, reuse, 4 if reuse else 1),
    )
    assert not selfcheck.cached(engine(name)).passed


def test_rows_that_see_one_another_are_caught(monkeypatch):
    sound = engine("canvas")
    real = Visibility.between

    class Crowd:
        @staticmethod
        def between(query, key):
            alike = (
                replace(query, segments=query.segments * 0),
                replace(key, segments=key.segments * 0),
            )
            return real(*alike)

    monkeypatch.setattr(family, "Visibility", Crowd)
    assert not selfcheck.rows_apart(sound).passed


def test_a_special_token_that_is_not_banned_is_caught():
    loose = replace(SPECIALS, reserved=(6,))
    assert not selfcheck.banned(engine("canvas", specials=loose)).passed


def test_a_tokenizer_that_changes_text_is_caught():
    class Lossy(Tokens):
        def decode(self, ids):
            return super().decode(ids).replace("\t", " ")

    checked = LocalEngine(engine("canvas").family, Lossy.from_json(byte_tokenizer_json()))
    checked.tokens.__class__ = Lossy
    assert not selfcheck.text(checked).passed


def test_a_model_that_knows_nothing_passes_but_says_so():
    from tests.conftest import make_family

    results = {r.name: r for r in selfcheck.self_check(LocalEngine(make_family(), TOKENS))}
    assert results["shift"].passed and not results["shift"].told
    assert results["mask id"].passed and not results["mask id"].told
