"""A whole denoise step off the CPU neither looks at a value nor mixes devices.

torch's meta device knows shapes but no values, so that whatever would make the host wait for a GPU
raises here, on any machine.
"""

from functools import partial

import pytest
import torch

from dcomplete.bench.shapes import random_family
from dcomplete.engine.constraints import Banned, Every, FirstOf, Free
from dcomplete.engine.denoise import Plan, advance, apply, propose
from dcomplete.engine.lengths import CloseAfterFill, GrowFull, KeepSize
from dcomplete.engine.pace import AtOnce, StepLate
from dcomplete.engine.policies import POLICIES, policy
from dcomplete.engine.recipe import recipe
from dcomplete.models.canvas import Canvas
from dcomplete.models.graphs import Buckets, StaticSteps
from dcomplete.models.recording import plain
from dcomplete.models.regimes import Prompt

META = torch.device("meta")
LENGTHS = {"kept": KeepSize(), "filler": GrowFull(CloseAfterFill(5), 8, 64)}


@pytest.fixture
def pretended():
    """A session on a device without values, its context computed."""
    family = random_family("tiny", META, torch.bfloat16)
    family.static = StaticSteps(family.net, Buckets(contexts=(64,)), plain)
    with family.open(Prompt([20, 21, 22], [30])) as session, torch.inference_mode():
        session.cache.room(len(session.context))
        session.cache.keep(session.context, len(session.context))
        session.edge = torch.zeros(64, dtype=torch.bfloat16, device=META)
        yield session


def step(session, plan, pace):
    canvas = Canvas.build([[8]], session.family.specials.mask).to(session.family.device)
    window = plan.window(canvas)
    cells = window
    if plan.policy.revisits:
        cells = cells | ((canvas.gap >= 0) & ~canvas.open)
    found = propose(session, session.states(canvas), canvas, cells, plan, 1, pace)
    apply(canvas, plan.policy.decide(found), plan.constraint)
    plan.length.resize(canvas)
    return canvas


@pytest.mark.parametrize("name", [n for n in POLICIES if n != "verify"])
@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("free", [True, False], ids=["free", "constrained"])
def test_a_step_never_waits(pretended, name, length, free):
    constraint = Free() if free else Every((Banned([9]), FirstOf([40, 41])))
    plan = Plan(policy(name), constraint=constraint, length=length)
    canvas = step(pretended, plan, StepLate())
    assert canvas.ids.device == canvas.confidence.device == META
    assert pretended.family.static._steps  # by the step of fixed shape
    assert pretended.forwards == 1


@pytest.mark.parametrize(
    "name", ["threshold", "topk=2", "margin", "entropy", "entropy-bound", "factor"]
)
@pytest.mark.parametrize("last", [False, True])
def test_a_whole_step_never_waits(pretended, name, last):
    """Everything that is recorded, and what goes on around a recording."""
    plan = Plan(policy(name), length=GrowFull(CloseAfterFill(5), 8, 64))
    canvas = Canvas.build([[7]], pretended.family.specials.mask).to(META)
    for index in range(3):
        then = partial(advance, pretended, plan, index, last, StepLate())
        pretended.advance(canvas, recipe(plan, canvas, last), then)
    assert canvas.ids.shape == (1, 7) and canvas.ids.device == META
    assert len(pretended.family.static._wholes) == 1


def test_what_waits_is_noticed(pretended):
    with pytest.raises(RuntimeError, match="meta tensors"):
        AtOnce().done(torch.ones(1, 8, dtype=torch.bool, device=META), last=False)
    with pytest.raises((RuntimeError, NotImplementedError)):
        step(pretended, Plan(policy("topk=1")), AtOnce())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_step_never_waits():
    family = random_family("tiny", torch.device("cuda"), torch.bfloat16)
    family.static = StaticSteps(family.net)
    plan, pace = Plan(policy("threshold")), StepLate()
    with family.open(Prompt([20, 21, 22], [30])) as session, torch.inference_mode():
        session.prefill()
        canvas = step(session, plan, pace)  # chooses kernels, records
        torch.cuda.set_sync_debug_mode("error")
        try:
            found = propose(session, session.states(canvas), canvas, canvas.open, plan, 1, pace)
            apply(canvas, plan.policy.decide(found), plan.constraint)
        finally:
            torch.cuda.set_sync_debug_mode("default")
