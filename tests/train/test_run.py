"""The trainer's machinery: noise, packing, masks that agree with inference, exact resume after a kill."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import ContextCanvas, Prompt
from dcomplete.train.adapter import adapt
from dcomplete.train.base import TINY, TINY_SPECIALS, open_base
from dcomplete.train.batch import Batch, collate, fitting, pack
from dcomplete.train.config import TrainConfig, names, read
from dcomplete.train.feed import Feed, arrays_of, rows_of
from dcomplete.train.hardware import Hardware
from dcomplete.train.loss import dense, flex, losses
from dcomplete.train.noise import BUCKETS, IGNORE, NoiseConfig, length_bin, make_row
from dcomplete.train.rounding import rounded
from dcomplete.train.run import STATE, Run
from dcomplete.train.shards import Example, Shards, Writer
from dcomplete.train.trainee import prepare_net

S = TINY_SPECIALS


def example(middle: int = 5, prefix: int = 9, suffix: int = 4, seed: int = 0) -> Example:
    start = int(np.random.default_rng(seed).integers(0, 40))
    ids = 10 + (start + np.arange(prefix + suffix + middle)) % 40  # something that can be learnt
    return Example(ids[:suffix], ids[suffix : suffix + prefix], ids[suffix + prefix :], 0)


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    writer = Writer(tmp_path / "data", TINY.vocab, {"tokenizer": "none", "seed": "0"})
    for n in range(200):
        writer.add(example(n % 40, 5 + n % 30, n % 20, seed=n))
    writer.flush()
    return Shards(tmp_path / "data")


def row(middle: int = 5, seed: int = 0, cap: float = 1.0, **noise):
    return make_row(example(middle), S, NoiseConfig(**noise), cap, np.random.default_rng(seed))


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


def test_adapters_change_nothing_at_first_and_little_is_trained():
    base, batch = open_base("", 0), Batch.of(collate([[row()]]))
    before = base.net(batch.ids, batch.positions, dense(batch))
    trained = adapt(base.net, [0, 1, 2, 3, 4], 4, 2.0)
    torch.testing.assert_close(base.net(batch.ids, batch.positions, dense(batch)), before)
    total = sum(p.numel() for p in base.net.parameters())
    assert sum(p.numel() for p in trained) < total / 2


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_loss_falls(mode, shards, tmp_path):
    config = read("tiny", {"mode": mode, "steps": 25, "rank": 8, "mask_warmup": 0.0, "lr": 1e-2})
    base = open_base("", 0)
    run = Run(prepare_net(base.net, S, config), shards, config, tmp_path / mode)
    lines = list(run.go())
    first, last = (np.mean([line["loss"] for line in part]) for part in (lines[:5], lines[-5:]))
    assert last < first - 0.2
    assert {"tokens_per_s", "tflops", "mfu", "norm", "lr"} <= set(lines[0])


def test_rows_depend_on_the_position_alone(shards):
    config = read("tiny")
    assert [r.ids.tolist() for r in rows_of(shards, S, config, 7)] == [
        r.ids.tolist() for r in rows_of(shards, S, config, 7)
    ]
    assert (
        rows_of(shards, S, config, 7)[0].ids.tolist()
        != rows_of(shards, S, config, 8)[0].ids.tolist()
    )


def test_batches_of_one_shape_hold_what_fits():
    config = read("tiny", {"rows": 40, "bins": 4, "micro_rows": 2, "pack_tokens": 256})
    rows = [row(m % 30, m) for m in range(40)]
    parts = arrays_of(rows, config)
    assert [part.named["ids"].shape for part in parts] == [(2, 256), (2, 256)]
    kept = sum(part.real for part in parts)
    assert 0.85 * 4 * 256 < kept <= 4 * 256
    assert kept <= sum(map(len, fitting(rows, 4 * 256))) < sum(map(len, rows))


@pytest.mark.e2e
def test_processes_make_the_same_batches_as_a_thread(shards):
    config = read("tiny", {"steps": 5})
    beside_gpu = Hardware(torch.device("cuda"))  # the feed itself touches no device
    with (
        Feed(shards, S, config, Hardware.cpu()) as one,
        Feed(shards, S, config, beside_gpu) as two,
    ):
        for step in range(5):
            for a, b in zip(one.take(step), two.take(step), strict=True):
                assert torch.equal(a.ids, b.ids) and torch.equal(a.targets, b.targets)
                assert torch.equal(a.marks.groups, b.marks.groups) and a.real == b.real


def test_training_through_the_rounding_shows_the_stored_values_and_keeps_the_exact_ones(
    shards, tmp_path
):
    config = read("tiny", {"steps": 6, "round_from": 0.5, "lr": 1e-2})
    run = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    name, weight = "net.layers.0.down.weight", run.trainee.net.blocks[0].down.weight
    for line in run.go():
        same = torch.equal(rounded(weight.detach(), "q4_1"), weight.detach())
        assert same == (line["step"] >= 3)
    state = torch.load(tmp_path / "r" / STATE, weights_only=True)
    exact = state["weights"][name]
    assert not torch.equal(exact, weight.detach())
    assert torch.equal(rounded(exact, "q4_1"), weight.detach())
    again = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    assert torch.equal(again.trainee.net.blocks[0].down.weight, weight)


def test_rounding_twice_is_rounding_once():
    """What was read from 4-bit blocks is stored without loss: training starts where the base is."""
    once = rounded(torch.randn(16, 64, generator=torch.Generator().manual_seed(1)), "q4_1")
    assert torch.equal(rounded(once, "q4_1"), once)


def command(data: Path, out: Path) -> list[str]:
    fixed = ["train", "run", "--config", "tiny", "--threads", "1", "--device", "cpu", "--json"]
    return [sys.executable, "-m", "dcomplete", *fixed, "--data", str(data), "--out", str(out)]


@pytest.mark.e2e
def test_a_killed_run_ends_with_the_same_weights_as_an_unbroken_one(shards, tmp_path):
    data = tmp_path / "data"
    whole = subprocess.run(
        command(data, tmp_path / "whole"), capture_output=True, text=True, check=True
    )
    assert len(whole.stdout.splitlines()) == 30
    assert (tmp_path / "whole" / "loss.png").read_bytes().startswith(b"\x89PNG")
    kill_at = random.SystemRandom().randrange(6, 29)
    running = subprocess.Popen(command(data, tmp_path / "cut"), stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    for line in running.stdout:
        if json.loads(line)["step"] == kill_at:
            os.kill(running.pid, signal.SIGKILL)
            break
    assert running.wait() == -signal.SIGKILL
    running.stdout.close()
    again = subprocess.run(
        command(data, tmp_path / "cut"), capture_output=True, text=True, check=True
    )
    assert len(again.stdout.splitlines()) < 30, f"killed at {kill_at}, it started anew"
    one, two = (torch.load(tmp_path / name / STATE, weights_only=True) for name in ("whole", "cut"))
    for kind in ("weights", "average"):
        assert all(torch.equal(one[kind][n], two[kind][n]) for n in one[kind]), kill_at
    logs = [(tmp_path / n / "log.jsonl").read_text().splitlines() for n in ("whole", "cut")]
    assert [json.loads(x)["loss"] for x in logs[0]] == [json.loads(x)["loss"] for x in logs[1]]


def test_a_time_budget_stops_resumably(shards, tmp_path):
    config = read("tiny")
    run = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    assert len(list(run.go(time.monotonic()))) == 1
    again = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    assert again.step == 1


def test_another_configuration_does_not_resume(shards, tmp_path):
    config = read("tiny")
    list(Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r").go(0.0))
    other = read("tiny", {"seed": 9})
    with pytest.raises(UserError, match="other settings"):
        Run(prepare_net(open_base("", 0).net, S, other), shards, other, tmp_path / "r")


def test_every_shipped_configuration_is_valid():
    assert {"tiny", "smol-135m", "smol-135m-cpu", "coder-0.5b"} <= set(names())
    for name in names():
        read(name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stepz = 3", "Did you mean 'steps'"),
        ("steps = 'x'", "must be int"),
        ("a = ", "not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(text, sentence, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        read(str(path))
