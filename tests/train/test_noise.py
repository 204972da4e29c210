"""Rows of training: noise, weights, and masks that agree with inference and with their dense twin."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import ContextCanvas, Prompt
from dcomplete.train.base import open_base
from dcomplete.train.batch import Batch, collate, pack
from dcomplete.train.config import TrainConfig
from dcomplete.train.loss import dense, flex, losses
from dcomplete.train.noise import BUCKETS, IGNORE, NoiseConfig, length_bin, make_row
from dcomplete.train.trainee import prepare_net
from tests.train.rows import S, example, row


def test_training_marks_are_those_of_inference():
    """Context and fully masked canvas of a training row are what the regime lays out."""
    ex = example()
    made = row(prefix_first=0.0, pinned=0.0, longer=0.0, shorter=0.0)
    regime, prompt = ContextCanvas(S), Prompt(ex.prefix.tolist(), ex.suffix.tolist())
    context = regime.context(prompt)
    n = len(context)
    assert made.ids[:n].tolist() == context.ids.tolist() and made.middle_at == n - 1
    assert made.groups[:n].tolist() == context.marks.groups.tolist()
    frame = regime.rows(prompt, context, Canvas.build([[8]], S.mask)).frame
    canvas = made.segments == 1
    assert made.ids[canvas].tolist() == frame.ids.tolist()
    assert made.positions[canvas].tolist() == frame.positions.tolist()
    assert made.groups[canvas].tolist() == frame.marks.groups.tolist()


def test_other_text_stands_before_the_prefix_and_is_never_cut():
    ex = replace(example(prefix=30), other=np.arange(60, 75))
    shown = [*ex.other.tolist(), *ex.prefix[-20:].tolist()]
    context = ContextCanvas(S).context(Prompt(shown, ex.suffix.tolist()))
    noise = NoiseConfig(prefix_first=0.0, min_prefix=2, max_prefix=20)
    for seed in range(20):
        made = make_row(ex, S, noise, 1.0, np.random.default_rng(seed))
        assert made.ids[: made.middle_at + 1].tolist() == context.ids.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_targets_are_the_truth_shifted_by_one(seed):
    ex, made = example(11), row(11, seed, pinned=0.5)
    n = made.middle_at + 1
    middle = ex.middle.tolist()
    assert made.targets[n - 1 : n + 11].tolist() == [*middle, S.fill]
    for segment in range(1, 5):
        cells = made.segments == segment
        given, targets = made.ids[cells], made.targets[cells]
        assert targets[-1] == IGNORE
        truth = np.where(targets[:-1] == IGNORE, given[1:], targets[:-1])
        real = [t for t in [*given[:1].tolist(), *truth.tolist()][1:] if t != S.fill]
        assert real == middle[1:][: len(real)], "a canvas holds the middle, then filler"
        assert (targets[:-1][given[1:] == S.mask] != IGNORE).all(), "every mask is predicted"


def test_complementary_masks_cover_each_cell_once():
    made = row(6, prefix_first=0.0, pinned=0.0, wrong=0.0, canvases=4)
    third, fourth = (made.ids[made.segments == n] == S.mask for n in (3, 4))
    assert (third ^ fourth).all()


def test_filler_weighs_as_much_as_two_tokens_one_of_them_the_end():
    made = row(2, prefix_first=0.0, pinned=0.0, wrong=0.0, longer=1.0, canvases=1)
    cells = (made.segments == 1) & (made.targets == S.fill)
    weights = made.weights[cells]
    assert cells.sum() > 2 and weights[0] == 1.0 and weights[1:].max() < 1.0
    assert weights[1:].sum() == pytest.approx(1.0, abs=0.2)


def test_the_gap_weighs_what_it_is_told_in_the_clean_stream():
    made = row(canvases=1, clean_weight=0.25, middle_weight=2.0, end_weight=3.0)
    clean = made.weights[made.segments == 0]
    assert set(clean[: made.middle_at]) == {0.25}
    assert set(clean[made.middle_at : -1]) == {2.0} and clean[-1] == 6.0


def test_warm_up_masks_little():
    few = [int((row(20, s, cap=0.05).ids == S.mask).sum()) for s in range(20)]
    many = [int((row(20, s, cap=1.0).ids == S.mask).sum()) for s in range(20)]
    assert sum(few) < 0.2 * sum(many)


def test_length_bins_respect_the_buckets():
    for size in BUCKETS[:3]:
        assert length_bin(size) == length_bin(size - 1) + 1
    assert length_bin(0) == 0 and length_bin(500) == length_bin(64)


def loss_of(rows, see=dense, length: int = 0):
    base = open_base("", 0)
    trainee = prepare_net(base.net, S, TrainConfig(mode="full"))
    batch = Batch.of(collate(pack(rows, length), length))
    return losses(trainee.net, trainee.length_head, batch, 0.1, see)


def test_packed_equals_padded():
    rows = [row(m, s) for s, m in enumerate((3, 9, 20, 0, 14))]
    padded, packed = loss_of(rows), loss_of(rows, length=256)
    for name in ("total", "canvas", "clean", "length"):
        torch.testing.assert_close(
            getattr(padded, name), getattr(packed, name), atol=1e-5, rtol=1e-5
        )


@pytest.mark.filterwarnings("ignore")  # FlexAttention without a compiler says that it is slow
def test_flex_equals_its_dense_twin():
    rows = [row(m, s) for s, m in enumerate((3, 9, 20))]
    with torch.no_grad():
        twin, fast = (loss_of(rows, see, 256) for see in (dense, flex))
    for name in ("total", "canvas", "clean"):
        torch.testing.assert_close(getattr(fast, name), getattr(twin, name), atol=1e-5, rtol=1e-5)


def test_a_canvas_sees_nothing_of_the_clean_middle():
    """Another middle, same length: the fully masked canvas's states do not move."""
    base = open_base("", 0)
    one = row(5, prefix_first=0.0, pinned=0.0, longer=0.0)
    ids = one.ids.copy()
    clean = (one.segments == 0) & (np.arange(len(ids)) > one.middle_at)
    ids[clean] = 77
    batch = Batch.of(collate([[one]]))
    states = [base.net(i, batch.positions, dense(batch)) for i in (batch.ids, batch.ids.clone())]
    changed = batch.ids.clone()
    changed[0, : len(ids)] = torch.from_numpy(ids)
    states[1] = base.net(changed, batch.positions, dense(batch))
    cells = batch.marks.segments[0] == 1
    torch.testing.assert_close(states[0][0, cells], states[1][0, cells])
    other = (batch.marks.segments[0] == 0) & (torch.arange(batch.ids.shape[1]) > one.middle_at)
    assert not torch.allclose(states[0][0, other], states[1][0, other])
