"""The loop with an oracle in place of a network: what it commits, refuses, resizes and how it ends."""

from dataclasses import dataclass, field

import pytest
import torch

from dcomplete.engine.constraints import Banned, Every, FirstOf, Free
from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import (
    CloseAfterFill,
    ExpandDelete,
    GrowFull,
    bucket,
    candidate_sizes,
)
from dcomplete.engine.policies import TopK, policy
from dcomplete.engine.windows import LeftToRightBlocks
from dcomplete.errors import Cancelled
from dcomplete.models.canvas import Canvas
from dcomplete.models.specials import Specials
from dcomplete.models.whole_step import Then
from dcomplete.types import CancelToken, Finish

IDS = Specials(mask=3, fill=4, expand=5, reserved=(0, 1, 2))
VOCAB = 40


@dataclass
class Oracle:
    """A session that knows the answer: states are probabilities of the right token, as logits."""

    answer: list[int]
    sure: list[float] = field(default_factory=list)
    forwards: int = 0

    def states(self, canvas: Canvas) -> torch.Tensor:
        self.forwards += 1
        out = torch.zeros(*canvas.ids.shape, VOCAB)
        out[..., [IDS.fill, IDS.expand]] = -1.0  # a second choice is a token
        for row in range(canvas.rows):
            wanted = self.wanted(canvas, row)
            for column, token in enumerate(wanted[: canvas.width]):
                sure = self.sure[column] if column < len(self.sure) else 12.0
                out[row, column, token] = sure
        return out

    def advance(self, canvas: Canvas, recipe: object, then: Then) -> None:
        then(self.states(canvas), canvas)

    def wanted(self, canvas: Canvas, row: int) -> list[int]:
        return self.answer + [IDS.fill] * canvas.width

    def causal_states(self, canvas: Canvas) -> torch.Tensor | None:
        return self.states(canvas)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        states[:, IDS.banned] = float("-inf")
        return states


def run(session, canvas: Canvas, **plan) -> tuple[list[int], list[Finish | None]]:
    ends = list(denoise(session, canvas, Plan(**plan)))
    return canvas.filled(0, 0, IDS.fill), ends


ANSWER = [10, 11, 12, 13, 14]


def test_oracle_is_decided_in_one_sure_step():
    session = Oracle(ANSWER)
    filled, ends = run(session, Canvas.build([[8]], 3), length=CloseAfterFill(4))
    assert filled == ANSWER and ends == [None, Finish.DONE] and session.forwards == 1


def test_one_by_one_takes_a_step_each_but_filler_closes_the_rest():
    canvas = Canvas.build([[16]], 3)
    session = Oracle(
        ANSWER, sure=[9.0, 8.0, 7.0, 6.0, 5.0, 10.0]
    )  # the filler right after is surest
    filled, _ = run(session, canvas, policy=TopK(1), length=CloseAfterFill(4))
    assert filled == ANSWER and session.forwards <= 1 + 5 + 10


def test_filler_right_of_filler_needs_no_step():
    canvas = Canvas.build([[16]], 3)
    session = Oracle(ANSWER, sure=[1.0] * 5 + [15.0])
    ends = run(session, canvas, policy=policy("threshold"), length=CloseAfterFill(4))[1]
    assert canvas.ids[0, 5:].eq(4).all() and len(ends) == 1 + 5 + 1


def test_the_surest_filler_does_not_cost_a_step_for_each_filler():
    canvas = Canvas.build([[16]], 3)
    session = Oracle(ANSWER, sure=[2.0] * 5 + [3.0] * 11)
    filled, ends = run(session, canvas, policy=policy("threshold"), length=CloseAfterFill(4))
    assert filled == ANSWER and len(ends) <= 1 + 5 + 1


def test_expand_and_delete_grow_and_shrink_a_gap():
    """DreamOn: two masks grow to five tokens, twelve shrink to five."""

    class Growing(Oracle):
        def wanted(self, canvas, row):
            return (
                [IDS.expand] * 40
                if canvas.width < len(self.answer)
                else super().wanted(canvas, row)
            )

    for size in (2, 12):
        canvas = Canvas.build([[size]], 3)
        filled, _ = run(Growing(ANSWER), canvas, policy=TopK(1), length=ExpandDelete(IDS, 20))
        assert filled == ANSWER


def test_expansion_stops_at_its_budget():
    class Endless(Oracle):
        def wanted(self, canvas, row):
            return [IDS.expand] * 200

    canvas = Canvas.build([[2]], 3)
    list(denoise(Endless([]), canvas, Plan(length=ExpandDelete(IDS, 6), steps=30)))
    assert canvas.width <= 2 + 6


def test_full_gap_before_pinned_text_grows():
    class TwoGaps(Oracle):
        def wanted(self, canvas, row):
            first = (canvas.gap[row] == 0).sum().item()
            head = [10 + i for i in range(min(first, 11))] + [IDS.fill] * max(0, first - 11)
            return [*head, 30, 31, 20, IDS.fill, IDS.fill, IDS.fill]

    canvas = Canvas.build([[4, [30, 31], 4]], 3)
    plan = Plan(length=GrowFull(CloseAfterFill(4), 8, 32))
    list(denoise(TwoGaps([]), canvas, plan))
    assert canvas.filled(0, 0, 4) == [10 + i for i in range(11)]
    assert canvas.filled(0, 1, 4) == [20]
    assert canvas.ids[0][canvas.gap[0] == -1].tolist() == [30, 31], "pinned text stays"


def test_banned_tokens_are_never_committed():
    filled, _ = run(Oracle(ANSWER), Canvas.build([[5]], 3), constraint=Banned([11]))
    assert 11 not in filled and filled[0] == 10


def test_first_cell_takes_only_the_given_tokens():
    filled, _ = run(Oracle(ANSWER), Canvas.build([[5]], 3), constraint=FirstOf([20, 21]))
    assert filled[0] in (20, 21) and filled[1:] == ANSWER[1:]


def test_a_refused_token_is_not_offered_again():
    class No12(Free):
        strict = True

        def accepts(self, canvas, row, column, token):
            return token != 12

    session = Oracle(ANSWER)
    filled, _ = run(session, Canvas.build([[5]], 3), constraint=Every((Free(), No12())))
    assert 12 not in filled and len(filled) == 5 and session.forwards == 2


def test_a_constraint_that_refuses_everything_ends():
    class Never(Free):
        strict = True

        def accepts(self, canvas, row, column, token):
            return False

    canvas = Canvas.build([[3]], 3)
    ends = list(denoise(Oracle(ANSWER), canvas, Plan(constraint=Never(), steps=6)))
    assert ends[-1] is Finish.STEPS and canvas.open.all()


def test_cancel_stops_between_two_steps():
    cancel = CancelToken()
    canvas = Canvas.build([[8]], 3)
    steps = denoise(Oracle(ANSWER), canvas, Plan(policy=TopK(1), cancel=cancel))
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert int(canvas.open.sum()) == 7


def test_last_step_commits_everything():
    canvas = Canvas.build([[8]], 3)
    filled, ends = run(Oracle(ANSWER), canvas, policy=TopK(1), steps=2, length=CloseAfterFill(4))
    assert filled == ANSWER and ends[-1] is Finish.STEPS


def test_a_passed_deadline_still_answers():
    canvas = Canvas.build([[8]], 3)
    filled, ends = run(
        Oracle(ANSWER), canvas, policy=TopK(1), deadline=0.0, length=CloseAfterFill(4)
    )
    assert filled == ANSWER and ends == [Finish.DEADLINE]


def test_blocks_are_finished_from_left_to_right():
    canvas = Canvas.build([[8]], 3)
    steps = denoise(Oracle([*ANSWER, 15, 16, 17]), canvas, Plan(window=LeftToRightBlocks(4)))
    next(steps)
    assert canvas.open[0].tolist() == [False] * 4 + [True] * 4


def test_bucket_follows_the_length_head():
    odds = torch.zeros(21)
    odds[4] = 1.0  # four tokens
    assert bucket(odds, 0.8, 64) == 8
    odds = torch.zeros(21)
    odds[8] = 1.0  # eight or nine: a canvas of eight could not end
    assert bucket(odds, 0.8, 64) == 16
    odds[20] = 9.0
    assert bucket(odds / 10, 0.8, 64) == 64
    assert bucket(odds / 10, 0.8, 10) == 10
    assert bucket(None, 0.8, 64) == 16
    assert list(candidate_sizes(20)) == [8, 16]


def test_what_stands_right_of_the_filler_is_no_part_of_the_answer():
    """Decided early, by a draft or by a policy that works in parallel; the gap ends before it."""
    canvas = Canvas.build([[6]], IDS.mask)
    ids = torch.tensor([[10, 11, IDS.fill, 0, 13, 0]])
    decided = torch.tensor([[True, True, True, False, True, False]])
    canvas.commit(decided, ids, torch.full((1, 6), 0.5))
    CloseAfterFill(IDS.fill).resize(canvas)
    assert canvas.filled(0, 0, IDS.fill) == [10, 11] and not canvas.open.any()
    assert canvas.confidence[0].tolist() == [0.5, 0.5, 0.5, 1, 1, 1]


@pytest.mark.parametrize("offset", [0, 7, 31])
@pytest.mark.parametrize("width", [1, 2, 3, 8])
def test_blocks_from_the_left_leave_no_cell_open(offset, width):
    canvas = Canvas.build([[width]], IDS.mask)
    window = LeftToRightBlocks(8, offset)
    for _ in range(width):
        reach = window(canvas)
        assert reach.any(), "as long as something is open"
        first = torch.zeros_like(reach)
        first[0, reach[0].nonzero()[0]] = True
        canvas.commit(first, torch.full_like(canvas.ids, 9), torch.ones(1, width))
    assert not canvas.open.any()
