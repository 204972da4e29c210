"""What an answer begins with: white space is cut to tokens by what follows it."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.engine.beginning import beginning
from dcomplete.engine.branches import _nats
from dcomplete.engine.denoise import Plan
from dcomplete.engine.fill import Filler
from dcomplete.engine.load import read_tokens
from dcomplete.engine.policies import policy
from dcomplete.engine.prompt import make_task
from dcomplete.engine.tokens import ANY, Tokens
from dcomplete.models.canvas import Canvas
from dcomplete.models.onward import Onward
from dcomplete.models.store import embedded_folder
from dcomplete.types import InfillRequest
from tests.conftest import byte_tokenizer_json, make_family
from tests.engine.test_engine import finished

LINES = [("Ċ", "Ċ"), ("ĊĊ", "Ċ"), ("Ċ", "ĉ"), ("b", "c"), ("a", "b"), ("Ġ", "x"), ("ĊĊ", "Ġ")]
TOKENS = Tokens.from_json(byte_tokenizer_json(LINES))
ZERO = torch.tensor([0])
REAL = read_tokens(embedded_folder() / "smol-135m")


@pytest.mark.parametrize(
    ("prefix", "ways"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a ", [" "]),
        ("a\n", ["\n"]),
        ("a\n\t", ["\t"]),
        ("a\n\t\t", ["\t"]),
        ("a\n\n", ["\n\n", "\n|\n"]),
        ("a\n\n\n", ["\n\n\n", "\n\n|\n"]),
    ],
)
def test_white_space_is_taken_back_as_what_follows_cuts_it(prefix, ways):
    seam = TOKENS.seam(prefix, "")
    told = ["|".join([*(TOKENS.decode([i]) for i in w.fixed), w.rest]) for w in seam.ways]
    assert told == ways and all(way.replace("|", "") == seam.head for way in ways)
    for number in range(len(ways)):
        one = seam.parted(number)
        assert TOKENS.decode(one.prefix) + one.head == prefix


@pytest.mark.parametrize("tokens", [TOKENS, REAL], ids=["bytes", "embedded"])
@given(st.sampled_from(["", "a:", "x = 1", "}"]), st.text("\n\t ", max_size=6))
def test_code_behind_white_space_is_cut_as_any_text_is(tokens, before, white):
    whole, seam = tokens.encode(before + white + "def f"), tokens.seam(before + white, "").parted()
    if white:
        assert [*seam.prefix, *tokens.encode(seam.middle("def f"))] == whole
        assert tokens.pieces[whole[len(seam.prefix)]].startswith(seam.head.encode())


def decided(seed, few=0):
    """A network that prefers some tokens by far."""
    family = make_family(seed=seed)
    for parameter in family.net.parameters():
        parameter.mul_(12.0 if parameter.dim() == 2 else 1.0)
    return replace(family, few=few)


def asked(family, lines=2):
    """(session, canvas, starts) for a gap behind empty lines."""
    prefix = "a = b" + lines * "\n"
    task = make_task(TOKENS, InfillRequest(prefix, "\nc", context_tokens=64))
    session = family.open(task.prompt, False)
    list(session.warm())
    return session, Canvas.build([[4]], family.specials.mask), TOKENS.starts(task.seam)


@pytest.mark.parametrize("few", [0, 4])
def test_all_answers_that_begin_so_count_together(few):
    """The slow twin reads every beginning by itself."""
    taken = set()
    for seed in range(4):
        session, canvas, starts = asked(decided(seed, few))
        plan = Plan(policy=policy("verify"))
        found = beginning(starts, session, Onward(session), canvas, plan)
        worth = []
        for start in starts:
            rows = [[*start.fixed, i] for i in start.ids.tolist()]
            worth.append(
                float(torch.tensor(_nats(session, rows, list(map(len, rows)))).logsumexp(0))
            )
        best = starts[worth.index(max(worth))]
        taken.add(len(found))
        allowed = [best.fixed, best.ids.tolist()] if best.fixed else [best.ids.tolist()]
        for column, (constraint, ids) in enumerate(zip(found, allowed, strict=True)):
            masked = constraint.mask(canvas, torch.zeros(1, 271), ZERO, ZERO + column)
            assert masked.isfinite()[0].nonzero()[:, 0].tolist() == sorted(ids)
        session.__exit__(None, None, None)
    assert taken == {1, 2}, "else this test has seen one way alone"


def test_weights_that_are_not_read_from_left_to_right_begin_as_before():
    session, canvas, starts = asked(make_family("full"))
    [first] = beginning(starts, session, Onward(session), canvas, Plan())
    masked = first.mask(canvas, torch.zeros(1, 271), ZERO, ZERO)
    assert masked.isfinite()[0].nonzero()[:, 0].tolist() == sorted(starts[0].ids.tolist())


@settings(max_examples=40, deadline=None)
@given(
    st.text("a\n\t ", min_size=1, max_size=6), st.sampled_from(["threshold", "verify", "topk=2"]),
    st.sampled_from([None, "c", "bc", "\nx", " x"]), st.integers(0, 3),
)  # fmt: skip
def test_every_answer_begins_with_what_was_taken_back(prefix, rule, draft, seed):
    """Also where a draft is cut otherwise: `ab` is one token, and `abc` two, the first of them `a`."""
    prefix += "ab" if draft in ("c", "bc") else ""
    request = InfillRequest(prefix, "\n", max_tokens=8, steps=6)
    task, plan = make_task(TOKENS, request), Plan(policy=policy(rule), steps=6)
    ids = None if draft is None else TOKENS.encode(task.seam.middle(draft))
    filler = Filler(make_family(seed=seed), request, plan)
    [filled] = finished(filler.fill(task, TOKENS.starts(task.seam), ids))
    assert TOKENS.decode(filled.gaps[0]).startswith(task.seam.head)


def test_a_beginning_is_judged_by_its_first_tokens():
    two, parted = TOKENS.starts(TOKENS.seam("a\n\n", ""))
    line, lines, more = (TOKENS.encode(text)[0] for text in ("\n", "\n\n", "\n\n\n"))
    assert parted.fixed == (line,) and not two.fixed
    assert all(map(two.fits, [[], [lines, 9], [more]])) and not two.fits([line, line])
    assert all(map(parted.fits, [[], [line], [line, line], [line, lines, 9]]))
    assert not parted.fits([line, 9]) and not parted.fits([lines])
    assert ANY.fits([9])
