"""A step in parts is the same step: micro-batches, processes, and a run that goes on."""

import datetime
import json
import os
import socket
import time
from pathlib import Path

import pytest
import torch

from dcomplete.errors import UserError
from dcomplete.train.base import TINY, open_base
from dcomplete.train.batch import Batch
from dcomplete.train.config import read
from dcomplete.train.feed import arrays_of, rows_of
from dcomplete.train.hardware import Hardware
from dcomplete.train.loss import Share, dense, losses
from dcomplete.train.run import Run
from dcomplete.train.shards import Shards, Writer
from dcomplete.train.trainee import prepare_net
from tests.train.rows import S, example


def data(folder: Path, count: int = 200, seed: str = "0", tokenizer: str = "none") -> Shards:
    writer = Writer(folder, TINY.vocab, {"tokenizer": tokenizer, "seed": seed})
    for n in range(count):
        writer.add(example(n % 40, 5 + n % 30, n % 20, seed=n))
    writer.flush()
    return Shards(folder)


@pytest.mark.parametrize("changes", [{"rows": 9}, {"rows": 40, "pack_tokens": 512}])
@pytest.mark.parametrize("micro_rows", [2, 4])
def test_rows_a_pass_change_no_gradient(tmp_path, changes, micro_rows):
    shards = data(tmp_path)

    def gradient(size: int) -> torch.Tensor:
        config = read("tiny", {"mask_warmup": 0.0, "micro_rows": size, **changes})
        trainee = prepare_net(open_base("", 0).net, S, config)
        parts = [Batch.of(x) for x in arrays_of(rows_of(shards, S, config, 0), config)]
        assert len(parts) == 1 or size < 64
        share = Share.of(parts)
        for part in parts:
            weight = config.length_weight
            losses(trainee.net, trainee.length_head, part, weight, dense, share).total.backward()
        return torch.cat([p.grad.flatten() for p in trainee.parameters])

    whole, in_parts = gradient(64), gradient(micro_rows)
    assert float((whole - in_parts).norm() / whole.norm()) < 1e-4


def test_a_step_sums_what_its_parts_come_to(tmp_path):
    lines, examples = [], data(tmp_path / "data")
    for size in (64, 2):
        config = read("tiny", {"steps": 2, "rows": 9, "micro_rows": size})
        trainee = prepare_net(open_base("", 0).net, S, config)
        run = Run(trainee, examples, config, tmp_path / str(size))
        lines.append(list(run.go()))
    for one, other in zip(*lines, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=2e-3)
        assert one["norm"] == pytest.approx(other["norm"], rel=1e-2)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"count": 199}, "number of examples"),
        ({"seed": "7"}, "seed of the data"),
        ({"tokenizer": "other"}, "tokenizer of the data"),
    ],
)
def test_a_run_does_not_go_on_with_other_data(tmp_path, changes, named):
    config = read("tiny", {"steps": 9})

    def run(shards: Shards, hardware: Hardware | None = None) -> Run:
        trainee = prepare_net(open_base("", 0).net, S, config)
        return Run(trainee, shards, config, tmp_path / "run", hardware)

    first = data(tmp_path / "first")
    list(run(first).go(0.0))
    assert run(first).step == 1
    with pytest.raises(UserError, match=f"another {named} "):
        run(data(tmp_path / "second", **changes))
    with pytest.raises(UserError, match="another number of processes"):
        run(first, Hardware(torch.device("cpu"), 0, 2))


def test_data_that_were_not_finished_are_not_taken_for_whole(tmp_path):
    writer = Writer(tmp_path, TINY.vocab, {"tokenizer": "none", "seed": "0"}, per_shard=16)
    for n in range(40):
        writer.add(example(seed=n))
    with pytest.raises(UserError, match="holds no examples"):
        Shards(tmp_path)  # killed before the end
    assert len(data(tmp_path, 50)) == 50
    Writer(tmp_path, TINY.vocab, {"tokenizer": "none", "seed": "1"}, per_shard=1).add(example())
    assert len(Shards(tmp_path)) == 50, "the old ones are there until the new ones are"
    (tmp_path / ".examples-new").rename(tmp_path / ".examples-moving")
    with pytest.raises(UserError, match="half written"):
        Shards(tmp_path)
    assert len(data(tmp_path, 20)) == 20 and len(list(tmp_path.iterdir())) == 1


def test_data_that_are_read_are_not_replaced_where_the_system_keeps_them(tmp_path):
    old = data(tmp_path, 50)
    assert len(old[0].middle) >= 0  # mapped from here on
    if os.name != "nt":
        assert len(data(tmp_path, 20)) == 20 and len(old) == 50
        return
    with pytest.raises(UserError, match="end the training"):
        data(tmp_path, 20)


def test_data_of_somebody_else_are_not_replaced(tmp_path, monkeypatch):
    def refused(self: Path) -> None:
        raise PermissionError(13, "Access is denied")

    data(tmp_path, 50)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(UserError, match="in use or not yours"):
        data(tmp_path, 20)


def work(rank: int, folder: Path, port: int) -> None:
    """One of two processes; its time is up half a second after the other's."""
    os.environ.update(
        RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    torch.set_num_threads(1)
    limit = datetime.timedelta(seconds=30)
    torch.distributed.init_process_group("gloo", timeout=limit)
    config = read("tiny", {"steps": 100_000, "save_every": 100_000, "rows": 3})
    trainee = prepare_net(open_base("", 0).net, S, config)
    run = Run(trainee, Shards(folder / "data"), config, folder / "run", Hardware.find("cpu"))
    losses = [line["loss"] for line in run.go(time.monotonic() + 1 + rank / 2)]
    weights = float(sum(p.double().sum() for p in trainee.parameters))
    (folder / f"{rank}.json").write_text(
        json.dumps([run.step, losses, weights]), encoding="utf-8", newline="\n"
    )


@pytest.mark.e2e
def test_processes_stop_together_and_take_the_same_steps(tmp_path):
    data(tmp_path / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(work, (tmp_path, port), nprocs=2, join=True)
    one, two = (json.loads((tmp_path / f"{rank}.json").read_text("utf-8")) for rank in (0, 1))
    assert one == two and one[0] >= 1
    config = read("tiny", {"steps": 100_000, "save_every": 100_000, "rows": 6})
    trainee = prepare_net(open_base("", 0).net, S, config)
    alone = next(Run(trainee, Shards(tmp_path / "data"), config, tmp_path / "alone").go())
    assert alone["loss"] == pytest.approx(one[1][0], abs=2e-3), "one process with all rows"
