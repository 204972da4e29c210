"""Runs spread over a real Ray cluster of two nodes on this machine."""

import json
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from dcomplete.cli import run as dcomplete
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.store import read_run
from tests.eval.tiny_benchmark import Tiny

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BENCHMARKS._entries, "tiny", Tiny())


def call(capsys, *arguments: object) -> tuple[int, list[dict], str]:
    status = dcomplete([str(a) for a in ("eval", "run", "tiny", "--ray", *arguments)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def test_without_ray_one_sentence_says_what_to_install(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    status, _, shown = call(capsys, "-c", "gold", "--out", tmp_path)
    assert status == 2 and "pip install 'dcomplete[ray]'" in shown and shown.count("\n") == 1


@needs_ray
@pytest.mark.e2e
@pytest.mark.filterwarnings("ignore")  # ray's own
def test_without_a_cluster_one_sentence_says_how_to_start_one(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "ray"))
    status, _, shown = call(capsys, "-c", "gold", "--out", tmp_path)
    assert status == 2 and "ray start --head" in shown and shown.count("\n") == 1


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    root = str(Path(__file__).parents[2])  # where nodes find the benchmark of the tests
    monkeypatch.setenv("PYTHONPATH", root, prepend=os.pathsep)
    running = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    running.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", running.address)
    yield
    ray.shutdown()
    running.shutdown()


@needs_ray
@pytest.mark.e2e
@pytest.mark.filterwarnings("ignore")
def test_every_task_is_answered_once_by_the_cluster(tiny, tmp_path, capsys, cluster):
    status, [line], shown = call(capsys, "-c", "empty", "--out", tmp_path, "--limit", 12)
    assert status == 0 and line["settings"] == {"kind": "empty"} and line["nodes"] == 2
    assert line["tasks"] == 12 and 0 < line["pass"]["value"] < 100
    status, [again], _ = call(capsys, "-c", "empty", "--out", tmp_path)
    assert status == 0 and again["tasks"] == 30 and again["pass"]["value"] == 50.0
    records = [
        json.loads(x) for x in (tmp_path / "tiny__empty.jsonl").read_text("utf-8").splitlines()
    ]
    tasks = [r["task"] for r in records if "task" in r]
    assert len(tasks) == len(set(tasks)) == 30
    assert len(read_run(tmp_path / "tiny__empty.jsonl").records) == 30
    status, _, shown = call(capsys, "-c", "engine:model=nope", "--out", tmp_path)
    assert status == 2 and "Unknown model 'nope'" in shown
