"""Other answers beside the first: where they leave it, that rows do not disturb each other, their order."""

from dataclasses import replace

import pytest
import torch

from dcomplete.engine.branches import (
    _BEHIND,
    _LEAST,
    _WEIGHT,
    _near,
    _started,
    alternatives,
    branched,
)
from dcomplete.engine.constraints import Free
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.fill import Decided, Filled, Filler
from dcomplete.engine.policies import policy
from dcomplete.engine.prompt import make_task
from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.onward import Onward
from dcomplete.types import Finish, InfillRequest
from tests.conftest import SPECIALS, make_family
from tests.engine.test_tokens import TOKENS

PREFIX, SUFFIX = "def f(x):\n    return ", "\n\nprint(f(2))\n"
ASKED = InfillRequest(PREFIX, SUFFIX, branches=6, samples=64, max_tokens=24, policy="verify")


class Ending(Free):
    """The farther right, the likelier the gap ends: random networks never end one."""

    def mask(self, canvas, logits, rows, columns):
        logits = logits.clone()
        logits[:, SPECIALS.fill] += 1.5 * columns
        return logits


class Sharp(Ending):
    """And the network is surer of itself."""

    def mask(self, canvas, logits, rows, columns):
        return super().mask(canvas, 3 * logits, rows, columns)


def engine(seed: int = 0, few: int = 0) -> LocalEngine:
    family = make_family(seed=seed)
    family.few = few
    return LocalEngine(family, TOKENS, constraint=Ending())


def test_the_likeliest_ways_to_leave_an_answer():
    p = torch.tensor([[0.6, 0.3, 0.1], [0.05, 0.9, 0.05], [0.5, 0.02, 0.48]])
    own = torch.tensor([0, 1, 0])
    # beginnings: 0.3 and 0.1 at once, 0.6 * 0.05 twice, 0.6 * 0.9 * 0.48 and * 0.02
    assert alternatives(p.log(), own, 2) == [(0, 1), (2, 2)]
    assert alternatives(p.log(), own, 9, margin=2.0) == [(0, 1), (2, 2), (0, 2)]
    assert len(alternatives(p.log(), own, 9, margin=9.0)) == 6
    banned = p.log().masked_fill(torch.tensor([False, True, False]), float("-inf"))
    assert alternatives(banned[:1], own[:1], 9) == [(0, 2)]


def test_branches_come_best_first_each_once_and_with_the_first_answer_among_them():
    first = engine().infill(replace(ASKED, branches=0, samples=1)).best
    found = engine().infill(ASKED)
    texts = [a.texts for a in found.answers]
    assert len(texts) == len(set(texts)) > 3
    assert first.texts in texts
    assert found.answers[0].finish is Finish.DONE
    assert engine().infill(replace(ASKED, samples=2)).answers == found.answers[:2]


@pytest.mark.parametrize("length", ["auto", "5"])
@pytest.mark.parametrize("name", ["verify", "threshold"])
def test_warm_and_cold_find_the_same_branches(length, name):
    asked = replace(ASKED, length=length, policy=name)
    warm, cold = engine(), engine()
    warm.infill(replace(asked, prefix=PREFIX[:-2]))
    found, anew = warm.infill(asked), cold.infill(replace(asked, reuse=False))
    assert [a.texts for a in found.answers] == [a.texts for a in anew.answers]
    assert found.tokens_computed < anew.tokens_computed
    if length == "5":
        assert {a.tokens for a in found.answers} == {5}


@pytest.mark.parametrize(("most", "cells"), [(24, 12), (4, 5), (1, 4)])
def test_a_branch_may_be_longer_than_the_answer_but_not_than_was_asked_for(most, cells):
    asked = replace(ASKED, max_tokens=most)
    filler = Filler(make_family(), asked, Plan())
    ended = [60, 61, 62, SPECIALS.fill]
    whole = Canvas.from_rows([ended], [[0] * 4], SPECIALS.mask)
    plan = filler.planned([], make_task(TOKENS, asked), whole)
    assert _started(filler, ended, [(1, 70)], torch.zeros(4, 90), plan).width == cells


def rows_of(asked: InfillRequest, answer: list[int], constraint=None) -> list[Filled]:
    family, task = make_family(), make_task(TOKENS, asked)
    plan = Plan(policy=policy(asked.policy), constraint=constraint or Ending())
    filler = Filler(family, asked, plan)
    ended = [*answer, SPECIALS.fill]
    canvas = Canvas.from_rows([ended], [[0] * len(ended)], SPECIALS.mask)
    session = family.open(task.prompt)
    decided = Decided(task, session, Onward(session), filler.planned([], task, canvas), canvas)
    steps = branched(filler, decided, Filled([answer], 0.0, Finish.DONE))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_branch_alone_becomes_what_it_becomes_among_others():
    answer = [60, 61, 62]
    family, task = make_family(), make_task(TOKENS, ASKED)
    for found in rows_of(ASKED, answer):
        tokens = found.gaps[0]
        if tokens == answer:
            continue
        pairs = enumerate(zip([*tokens, 4], [*answer, 4], strict=False))
        place = next(i for i, (a, b) in pairs if a != b)
        begun = [*tokens, SPECIALS.fill][: place + 1]
        if begun[-1] == SPECIALS.fill:
            assert tokens == answer[:place]
            continue
        ids = begun + [SPECIALS.mask] * (len(answer) + 9 - len(begun))
        canvas = Canvas.from_rows([ids], [[0] * len(ids)], SPECIALS.mask)
        filler = Filler(family, ASKED, Plan(policy=policy("verify"), constraint=Ending()))
        with family.open(task.prompt) as session:
            list(denoise(session, canvas, filler.planned([], task, canvas)))
        assert canvas.filled(0, 0, SPECIALS.fill) == tokens


def test_worth_is_the_answers_own_likelihood_and_that_of_the_text_behind_it():
    """The slow twin: each answer by itself, token by token, nothing cached."""
    family, task = make_family(), make_task(TOKENS, ASKED)
    prefix, suffix = task.prompt.prefix, task.prompt.suffix

    def nats(before: list[int], after: list[int], constraint=None) -> float:
        ids = torch.tensor([[*before, *after]])
        see = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
        from dcomplete.models.visibility import Visibility

        hidden = family.net(ids, torch.arange(ids.shape[1])[None], Visibility(see))
        logits = family.net.head(hidden)[0, len(before) - 1 : -1]
        logits[:, [*SPECIALS.banned, *range(family.vocabulary, logits.shape[1])]] = float("-inf")
        if constraint is not None:
            rows, columns = torch.zeros(len(after), dtype=torch.int64), torch.arange(len(after))
            logits = constraint.mask(None, logits, rows, columns)
        logs = logits.log_softmax(-1)
        own = logs.gather(1, torch.tensor(after)[:, None])
        return float(own.clamp(min=_LEAST).sum())

    worth = []
    for found in rows_of(ASKED, [60, 61, 62]):
        tokens = found.gaps[0]
        around = [SPECIALS.suffix, *suffix, SPECIALS.prefix, *prefix, SPECIALS.middle]
        own = nats(around, [*tokens, SPECIALS.fill], Ending())
        assert found.score == pytest.approx(own / (len(tokens) + 1), abs=1e-4)
        behind = nats([SPECIALS.suffix, SPECIALS.prefix, *prefix, *tokens], suffix[:_BEHIND])
        worth.append(own + _WEIGHT * behind)
    assert len(worth) > 3 and worth == sorted(worth, reverse=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("change", [{}, {"length": "7"}, {"prefix": PREFIX[:-4]}, {"suffix": ""}])
def test_short_passes_one_after_another_find_what_rows_beside_each_other_become(change, seed):
    asked, found = replace(ASKED, **change), []
    for few in (0, 4):
        found.append(engine(seed, few).infill(asked).answers)
    together, short = found
    assert [a.texts for a in short] == [a.texts for a in together]
    assert [a.score for a in short] == pytest.approx([a.score for a in together], abs=1e-4)
    assert len(short) > 1


@pytest.mark.parametrize(("suffix", "tail"), [("urn x\n", True), (SUFFIX, False)])
def test_where_an_answer_must_end_with_half_a_word_none_is_given_up(suffix, tail):
    """The best may not do, and the next one that does may be far behind it."""
    asked = replace(ASKED, suffix=suffix)
    assert bool(make_task(TOKENS, asked).seam.tail) is tail
    every = rows_of(asked, [60, 61, 62])
    one = rows_of(replace(asked, samples=1), [60, 61, 62])
    assert len(every) > 1
    assert (one == every) is tail


def test_the_best_of_several_lengths_is_what_branches_leave():
    """Here the row that is chosen is not the first one, which has no rival."""

    class LastRow(Free):
        def mask(self, canvas, logits, rows, columns):
            logits = logits * 0.01
            logits[torch.arange(len(columns)), 60 + columns.clamp(max=4)] += 12.0 + 6.0 * rows
            logits[columns == 3, SPECIALS.fill] += 24.0
            loose = (columns == 2) & (rows == canvas.rows - 1)
            logits[loose] = 0.0
            logits[loose, 70], logits[loose, 71] = 30.0, 29.5
            return logits

    asked = replace(ASKED, samples=1, heal=False, length="candidates", suffix="")
    engine = LocalEngine(make_family(), TOKENS, constraint=LastRow())
    plain = engine.infill(replace(asked, branches=0))
    assert engine.infill(asked).forwards > plain.forwards


def test_nothing_is_tried_beside_an_answer_that_is_sure():
    class Sure(Free):
        def mask(self, canvas, logits, rows, columns):
            logits = logits * 0.01
            logits[torch.arange(len(columns)), 60 + columns] += 30.0
            logits[columns == 3, SPECIALS.fill] += 60.0
            return logits

    family = make_family()
    family.few = 4
    engine = LocalEngine(family, TOKENS, constraint=Sure())
    asked = replace(ASKED, samples=1, reuse=False, heal=False)
    plain, sure = engine.infill(replace(asked, branches=0)), engine.infill(asked)
    assert sure.best.texts == plain.best.texts
    assert sure.forwards == plain.forwards


@pytest.mark.parametrize("few", [0, 4])
def test_who_watches_sees_branches_below_the_answer_that_they_leave(few):
    shown = []
    found = engine(few=few).infill(ASKED, watch=lambda step, rows: shown.append(rows))
    first = next(rows for rows in reversed(shown) if len(rows) == 1)
    several = [rows for rows in shown if len(rows) > 1]
    assert several and shown[-1] is several[-1]
    text = "".join(cell.text for cell in first[0])
    assert text in {a.texts[0] for a in found.answers}
    for rows in several:
        assert "".join(cell.text for cell in rows[0] if cell.text) == text


def test_the_text_that_answers_are_judged_by_is_cut_where_it_was_while_somebody_types():
    cuts = {n - len(_near(list(range(n)))) for n in range(600, 640)}
    assert len(cuts) == 1 or max(cuts) - min(cuts) == 128
    for n in (0, 1, 256, 257, 2000):
        near = _near(list(range(n)))
        assert near == list(range(n))[n - len(near) :]
        assert min(n, 129) <= len(near) <= 256


def test_a_constraint_is_asked_for_each_token_of_a_branch():
    refused = {t for a in rows_of(ASKED, [60, 61, 62]) for t in a.gaps[0]} - {60, 61, 62}

    class Without(Ending):
        strict = True

        def accepts(self, canvas, row, column, token):
            return token not in refused

    found = rows_of(ASKED, [60, 61, 62], Without())
    assert len(found) > 1 and not {t for a in found for t in a.gaps[0]} & refused


@pytest.mark.parametrize(
    "changes", [{"between": ("+",)}, {"deadline_ms": 0.0}, {"prefix": "", "max_tokens": 1}]
)
def test_where_there_is_nothing_to_compare_the_first_answer_stays(changes):
    asked = replace(ASKED, **changes)
    found, plain = engine().infill(asked), engine().infill(replace(asked, branches=0, samples=1))
    assert found.answers[0].texts == plain.best.texts and len(found.answers) == 1


@pytest.mark.parametrize("regime", ["full", "block-causal"])
def test_weights_that_cannot_be_read_from_left_to_right_have_no_branches(regime, make_engine):
    asked = replace(ASKED, policy="threshold", max_tokens=8)
    found = make_engine(regime).infill(asked)
    assert len(found.answers) == 1


def test_branches_are_not_drawn():
    with pytest.raises(UserError, match="temperature with samples alone"):
        engine().infill(replace(ASKED, temperature=0.7))
    with pytest.raises(UserError, match="from 0 to 64"):
        engine().infill(replace(ASKED, branches=65))
