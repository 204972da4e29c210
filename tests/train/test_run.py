"""A training run: batches, adapters, rounding, a falling loss, and exact resume after a kill."""

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
from dcomplete.train.adapter import adapt
from dcomplete.train.base import TINY, open_base
from dcomplete.train.batch import Batch, collate, fitting
from dcomplete.train.config import names, read
from dcomplete.train.feed import Feed, arrays_of, rows_of
from dcomplete.train.hardware import Hardware
from dcomplete.train.loss import dense
from dcomplete.train.rounding import rounded
from dcomplete.train.run import LOG, STATE, Run
from dcomplete.train.shards import Shards, Writer
from dcomplete.train.trainee import prepare_net
from tests.train.rows import S, example, row


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    writer = Writer(tmp_path / "data", TINY.vocab, {"tokenizer": "none", "seed": "0"})
    for n in range(200):
        writer.add(example(n % 40, 5 + n % 30, n % 20, seed=n))
    writer.flush()
    return Shards(tmp_path / "data")


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
@pytest.mark.long
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
            running.kill()
            break
    assert running.wait() == (1 if os.name == "nt" else -signal.SIGKILL)
    running.stdout.close()
    again = subprocess.run(
        command(data, tmp_path / "cut"), capture_output=True, text=True, check=True
    )
    assert len(again.stdout.splitlines()) < 30, f"killed at {kill_at}, it started anew"
    one, two = (torch.load(tmp_path / name / STATE, weights_only=True) for name in ("whole", "cut"))
    for kind in ("weights", "average"):
        assert all(torch.equal(one[kind][n], two[kind][n]) for n in one[kind]), kill_at
    logs = [(tmp_path / n / "log.jsonl").read_text("utf-8").splitlines() for n in ("whole", "cut")]
    assert [json.loads(x)["loss"] for x in logs[0]] == [json.loads(x)["loss"] for x in logs[1]]


def test_a_time_budget_stops_resumably(shards, tmp_path):
    config = read("tiny")
    run = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    assert len(list(run.go(time.monotonic()))) == 1
    again = Run(prepare_net(open_base("", 0).net, S, config), shards, config, tmp_path / "r")
    assert again.step == 1


def test_the_log_of_lost_steps_is_cut_by_one_process_and_never_half(shards, tmp_path):
    config, log = read("tiny"), tmp_path / "r" / LOG

    def run(rank: int) -> Run:
        trainee = prepare_net(open_base("", 0).net, S, config)
        return Run(trainee, shards, config, tmp_path / "r", Hardware(torch.device("cpu"), rank))

    list(run(0).go(0.0))
    whole = log.read_bytes()
    with log.open("ab") as file:
        file.write(b'{"step": 2, "loss": 1.0}\n{"step": 3, "lo')
    os.link(log, tmp_path / "as it was")
    longer = log.read_bytes()
    run(1)
    assert log.read_bytes() == longer
    run(0)
    assert log.read_bytes() == whole
    assert (tmp_path / "as it was").read_bytes() == longer, (
        "who is killed meanwhile leaves it whole"
    )
    assert sorted(p.name for p in log.parent.iterdir()) == [LOG, STATE]


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
        ("noise = 3", "'noise' must be a table"),
        ("noise = 'none'", "'noise' must be a table"),
        ("[noise]\ncanvases = 'x'", "'canvases' must be int"),
        ("save_every = 0", "'save_every' must be at least 1, not 0"),
        ("micro_rows = -1", "'micro_rows' must be at least 1, not -1"),
        ("rank = 0", "'rank' must be at least 1, not 0"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(text, sentence, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match=sentence):
        read(str(path))
