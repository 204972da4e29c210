"""Answers at the edge of what is allowed: nothing before the gap, no room, no cell left, told lengths."""

from dataclasses import replace

import pytest
import torch

from dcomplete.engine.constraints import Banned
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.engine import LocalEngine, _behind
from dcomplete.engine.lengths import CloseAfterFill, ExpandDelete, GrowFull
from dcomplete.engine.pace import AtOnce, StepLate
from dcomplete.engine.policies import policy
from dcomplete.engine.tokens import Tokens
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Full, Prompt
from dcomplete.types import Cell, Finish, InfillRequest
from tests.conftest import SPECIALS, TINY, byte_tokenizer_json, make_family
from tests.engine.test_tokens import TOKENS


@pytest.mark.parametrize("prefix", ["", " ", "return"])
def test_a_gap_at_the_start_of_a_file_has_something_before_it(prefix):
    """Where the state of the token before predicts a cell, and healing took the only one back."""
    family = make_family("full-shifted")
    family.regime = Full(replace(SPECIALS, bos=None), shift=True)
    best = LocalEngine(family, TOKENS).infill(InfillRequest(prefix, "\n", max_tokens=8)).best
    assert best.finish in (Finish.DONE, Finish.LENGTH)


@pytest.mark.parametrize(("cells", "grown"), [(16, 17), (8, 16), (17, 17)])
def test_a_gap_before_other_text_grows_to_its_limit_and_no_further(cells, grown):
    canvas = Canvas.from_rows([[80] * cells + [81, 3]], [[0] * cells + [-1, 1]], 3)
    GrowFull(CloseAfterFill(SPECIALS.fill), 8, 17).resize(canvas)
    assert int((canvas.gap == 0).sum()) == grown


def test_an_inner_gap_without_an_end_says_so():
    engine = LocalEngine(make_family(), TOKENS, constraint=Banned([SPECIALS.fill]))
    request = InfillRequest("a = ", "\n", between=("\nb = ",), max_tokens=17, steps=64)
    best = engine.infill(request).best
    assert best.finish is Finish.LENGTH and best.tokens <= 2 * 17


def test_a_canvas_as_long_as_it_may_be_is_done_when_it_ends():
    """DreamOn begins with 32 cells: no budget is left where no more may be asked for."""
    family = make_family("full-shifted")
    family.specials = replace(SPECIALS, expand=6, reserved=(7,))
    family.usage = replace(family.usage, canvas=32)
    engine = LocalEngine(family, TOKENS, constraint=Banned([6]))
    request = InfillRequest("x = ", "\n", max_tokens=32, policy="entropy", heal=False)
    assert engine.infill(request).best.finish is Finish.DONE


@pytest.mark.parametrize("pace", [AtOnce, StepLate])
def test_an_answer_that_is_deleted_to_nothing_is_empty(pace):
    family = make_family("full-shifted")
    ids = replace(SPECIALS, expand=6)
    only = Banned([i for i in range(271) if i != ids.fill])
    canvas = Canvas.build([[4]], SPECIALS.mask)
    plan = Plan(
        policy("entropy"), constraint=only, length=ExpandDelete(ids, 8), pace=lambda _: pace()
    )
    with family.open(Prompt([20], [30])) as session:
        *_, last = denoise(session, canvas, plan)
    assert canvas.width == 0 and canvas.ids.dtype == torch.int64 and last is Finish.DONE


def test_a_told_length_leaves_less_context():
    engine = LocalEngine(make_family(config=replace(TINY, max_positions=256)), TOKENS)
    request = InfillRequest("value = 1\n" * 90, "\n", max_tokens=8, length="120", steps=2)
    assert engine.infill(request).context_tokens <= 256 - 120


def test_a_sentinel_that_a_tokenizer_does_not_set_apart_is_text_in_a_file():
    """As Qwen2.5-Coder has `<|fim_prefix|>`."""
    plain = Tokens.from_json(byte_tokenizer_json())
    plain._tokenizer.add_tokens(["<|fim|>"])
    id = plain._tokenizer.token_to_id("<|fim|>")
    assert id in plain.encode("a<|fim|>b"), "else there is nothing to show"
    sealed = Tokens.from_json(plain._tokenizer.to_str()).sealed([id])
    assert id not in sealed.encode("a<|fim|>b")
    assert (
        sealed.decode(sealed.encode("a<|fim|>b")) == "a<|fim|>b" and len(sealed) == len(plain) + 1
    )


@pytest.mark.parametrize(
    ("head", "texts", "shown"),
    [
        ("", ["a", "b"], ["a", "b"]),
        ("re", ["return", " x"], ["turn", " x"]),
        ("\n\n\n", ["\n\n", "\n", "class"], ["", "", "class"]),
        ("\n\n", ["\n", "\nclass", " A"], ["", "class", " A"]),
        ("\n\n", ["\n", None, "x"], ["", None, "x"]),
        ("re", [None, "re"], [None, "re"]),
        ("re", ["", "re"], ["", "re"]),
    ],
)
def test_whoever_watches_does_not_see_again_what_stands_before_the_gap(head, texts, shown):
    row = [Cell(text, False) for text in texts]
    assert [cell.text for cell in _behind(head, row)] == shown
