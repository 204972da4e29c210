"""The stop flag read one step late: the same canvas, at most one step more, nothing committed in it."""

import pytest
import torch

from dcomplete.engine.constraints import FirstOf
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import CloseAfterFill
from dcomplete.engine.pace import AtOnce, StepLate, pace_for
from dcomplete.engine.policies import POLICIES, policy
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Prompt
from dcomplete.types import Finish
from tests.conftest import SPECIALS, make_family

PROMPT = Prompt([50, 51, 52, 53], [60, 61])


def run(pace, spec, layout, steps=64, **values):
    family = make_family()
    canvas = Canvas.build(layout, SPECIALS.mask)
    plan = Plan(policy(spec), pace=lambda device: pace(), steps=steps, **values)
    with family.open(PROMPT) as session:
        said = list(denoise(session, canvas, plan))
        return canvas, said, session.forwards


@pytest.mark.parametrize("name", [n for n in POLICIES if n != "origin"])
@pytest.mark.parametrize(
    "layout", [[[9]], [[6], [9]], [[4, [70, 71], 3]]], ids=["one", "two", "pinned"]
)
def test_late_is_the_same_canvas_and_at_most_one_step_more(name, layout):
    values = {"length": CloseAfterFill(SPECIALS.fill), "constraint": FirstOf([80, 81])}
    now, said, forwards = run(AtOnce, name, layout, **values)
    late, said_late, forwards_late = run(StepLate, name, layout, **values)
    assert torch.equal(now.ids, late.ids)
    torch.testing.assert_close(now.confidence, late.confidence)
    assert not late.open.any()
    assert said[-1] is said_late[-1] is Finish.DONE
    assert len(said) < len(said_late) <= len(said) + 1
    assert forwards_late <= forwards + 2  # verify reads the canvas once more in it


def test_at_the_last_step_the_flag_is_read_at_once():
    """Exactly as many steps as are allowed: both end for the same reason."""
    for steps in (3, 4, 9):
        for pace in (AtOnce, StepLate):
            canvas, said, _ = run(pace, "topk=3", [[9]], steps=steps)
            assert not canvas.open.any()
            assert said[-1] is (Finish.STEPS if steps == 3 else Finish.DONE)


def test_late_reads_each_flag_one_call_later():
    pace, some, none = (
        StepLate(),
        torch.ones(1, 2, dtype=torch.bool),
        torch.zeros(1, 2, dtype=torch.bool),
    )
    assert [pace.done(flag, last=False) for flag in (some, none, none)] == [False, False, True]
    assert pace.done(none, last=True) and not pace.done(some, last=True)


def test_late_lists_every_cell_and_at_once_the_wanted_ones():
    wanted = torch.tensor([[True, False], [False, True]])
    assert [t.tolist() for t in AtOnce().cells(wanted)] == [[0, 1], [0, 1]]
    assert [t.tolist() for t in StepLate().cells(wanted)] == [[0, 0, 1, 1], [0, 1, 0, 1]]


def test_the_device_decides():
    assert isinstance(pace_for(torch.device("cpu")), AtOnce)
    assert isinstance(pace_for(torch.device("cuda")), StepLate)
