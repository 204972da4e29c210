"""Whole steps by recordings fill the same canvas as the ordinary ones; what cannot be recorded is not."""

from dataclasses import replace

import pytest
import torch

from dcomplete.engine.constraints import Banned, Every, FirstOf, Free
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import CloseAfterFill, ExpandDelete, GrowFull
from dcomplete.engine.pace import StepLate
from dcomplete.engine.policies import POLICIES, policy
from dcomplete.engine.recipe import recipe
from dcomplete.engine.sampling import Sampler
from dcomplete.engine.windows import LeftToRightBlocks
from dcomplete.models.canvas import Canvas
from dcomplete.models.graphs import Buckets, StaticSteps
from dcomplete.models.recording import Graphs, plain
from dcomplete.models.regimes import Prompt
from tests.conftest import SPECIALS, make_family

SMALL = Buckets(widths=(8, 16), rows=(1, 2, 4), contexts=(64,))
PROMPT = Prompt([50, 51, 52, 53], [60, 61])
LAYOUTS = {"one": [[9]], "bucket": [[8]], "rows": [[6], [9], [4]], "pinned": [[4, [70, 71], 3]]}
RECORDED = ("threshold", "topk=2", "margin", "entropy=3", "entropy-bound", "factor")
CLOSE = CloseAfterFill(SPECIALS.fill)


def late(device):
    return StepLate()


def filled(family, layout, plan):
    canvas = Canvas.build(layout, SPECIALS.mask).to(family.device)
    with family.open(PROMPT) as session:
        session.prefill()
        said = list(denoise(session, canvas, plan))
        return canvas, said, session.forwards


@pytest.mark.parametrize("spec", RECORDED)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_whole_steps_equal_the_ordinary_ones(spec, layout):
    plans = [
        Plan(policy(spec), pace=late, steps=4),
        Plan(policy(spec), pace=late, length=CLOSE, constraint=Banned([80, 81])),
        Plan(policy(spec), pace=late, window=LeftToRightBlocks(4)),
    ]
    family, twin = make_family(), make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    for plan in (*plans, *plans):  # what was recorded before serves again
        found, expected = filled(family, layout, plan), filled(twin, layout, plan)
        assert torch.equal(found[0].ids, expected[0].ids)
        assert torch.equal(found[0].open, expected[0].open)
        torch.testing.assert_close(found[0].confidence, expected[0].confidence)
        assert found[1:] == expected[1:]
    assert 3 <= len(family.static._wholes) <= 6  # a last step is another one


def test_requests_that_take_turns_do_not_write_to_each_others_canvas():
    plan = Plan(policy("topk=1"), pace=late)
    prompts = [PROMPT, Prompt(list(range(40, 80)), []), Prompt([], [20])]
    family = make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    expected, found, running = [], [], []
    for prompt in prompts:
        alone, mine = (Canvas.build([[7]], SPECIALS.mask) for _ in range(2))
        with make_family().open(prompt) as session:
            session.prefill()
            list(denoise(session, alone, plan))
        expected.append(alone.ids.tolist())
        session = family.open(prompt)
        session.prefill()
        found.append(mine)
        running.append(denoise(session, mine, plan))
    for _ in zip(*running, strict=True):
        pass
    assert [canvas.ids.tolist() for canvas in found] == expected


def test_only_steps_that_repeat_themselves_have_a_recipe():
    canvas = Canvas.build([[8]], SPECIALS.mask)
    two = Canvas.build([[4, [70], 3]], SPECIALS.mask)
    plan = Plan(policy("topk=2"))
    assert recipe(plan, canvas, False) == recipe(Plan(policy("topk=2")), canvas, False)
    grown = replace(plan, length=GrowFull(CLOSE, 8, 64))
    assert recipe(grown, canvas, False) is not None and recipe(grown, two, False) is None
    different = [
        recipe(plan, canvas, True),
        recipe(plan, two, False),
        recipe(replace(plan, policy=policy("margin=2")), canvas, False),
        recipe(replace(plan, policy=policy("topk=3")), canvas, False),
        recipe(replace(plan, constraint=Every((Free(), Banned([9])))), canvas, False),
        recipe(replace(plan, constraint=Every((Free(), Banned([8])))), canvas, False),
        recipe(plan, canvas, False),
    ]
    assert None not in different and len(set(different)) == len(different)
    for other in (
        replace(plan, sampler=Sampler(0.5)),
        replace(plan, constraint=FirstOf([9])),
        replace(plan, length=ExpandDelete(SPECIALS, 3)),
        replace(plan, policy=policy("topk=2,alg_temp=0.5")),
        *(replace(plan, policy=policy(name)) for name in ("origin", "p2", "verify")),
    ):
        assert recipe(other, canvas, False) is None
    assert len(POLICIES._entries) == len(RECORDED) + 3


def test_what_cannot_be_recorded_runs_all_the_same(caplog):
    def broken(body):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    family = make_family()
    family.static = StaticSteps(family.net, SMALL, broken)
    plan = Plan(policy("topk=2"), pace=late)
    found, expected = filled(family, [[9]], plan), filled(make_family(), [[9]], plan)
    assert torch.equal(found[0].ids, expected[0].ids)
    assert "what follows a pass runs launch by launch: operation not permitted" in caplog.text


def test_recordings_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr("dcomplete.models.graphs._MOST_WHOLES", 3)
    family = make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    for value in (1, 2, 3, 4, 5):
        filled(family, [[9]], Plan(policy(f"topk={value}"), pace=late))
    assert len(family.static._wholes) == 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("spec", RECORDED)
def test_recorded_whole_steps_equal_the_unrecorded_ones(spec):
    tiny = make_family()
    net = tiny.net.to("cuda")
    found = []
    for recorder in (Graphs(), plain):
        family = replace(tiny, net=net, static=StaticSteps(net, SMALL, recorder))
        for length in (CLOSE, GrowFull(CLOSE, 8, 64)):
            plan = Plan(policy(spec), length=length)
            for _ in range(2):
                canvas, said, _ = filled(family, [[9]], plan)
                found.append((canvas.ids.tolist(), said))
        assert not family.static.trouble and len(family.static._wholes) >= 2
    assert found[:4] == found[4:]
