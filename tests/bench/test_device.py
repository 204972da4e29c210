"""The benchmark of shapes on a CPU: the command, its definitions, and that peers do what they say."""

import json
import os
from pathlib import Path

import pytest
import torch

from dcomplete.bench import loops, peers
from dcomplete.bench.autoregressive import OwnDecoder, Transformers
from dcomplete.bench.device import ratios
from dcomplete.bench.loops import Task
from dcomplete.bench.roofline import Roofline, measure, timed
from dcomplete.bench.scenarios import quantile
from dcomplete.bench.shapes import SHAPES, Cost, pass_cost, prefill_cost, random_family
from dcomplete.cli import run
from dcomplete.errors import UserError
from dcomplete.models.visibility import Visibility
from dcomplete.provenance import processor

CPU = torch.device("cpu")
WHO = {"ours", "published loop", "dual cache", "own autoregressive", "transformers"}
transformers_warns = pytest.mark.filterwarnings("ignore")  # its own warnings


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny():
    return random_family("tiny", CPU, torch.float32)


@transformers_warns
def test_the_command_on_tiny_shapes(tmp_path, capsys):
    out = tmp_path / "new" / "lines.jsonl"
    asked = ["bench", "--device", "cpu", "--shape", "tiny", "--dtype", "float32", "--repeats", "1"]
    assert run([*asked, "--out", str(out)]) == 0
    said = capsys.readouterr()
    line = json.loads(said.out.splitlines()[-1])
    assert json.loads(out.read_text("utf-8")) == line
    assert line["bench"] == "device" and line["device"] and line["torch"] == torch.__version__
    assert line["settings"]["canvases"] == [16, 32, 64]
    assert {row["who"] for row in line["rows"]} == WHO
    assert {row["state"] for row in line["rows"] if row["who"] == "ours"} == {"warm", "cold"}
    assert all(0 < row["p50_ms"] <= row["p90_ms"] for row in line["rows"])
    assert line["roofline"]["bandwidth_gb_s"] > 0 and line["roofline"]["matmul_tflops"] > 0
    assert len(line["ratios"]) == 2 * 3 * 2  # contexts, canvases, numbers of steps
    assert all(set(ratio) >= WHO - {"ours"} for ratio in line["ratios"])
    assert "attention" in line and "launch by launch" in line["notes"]["tiny graphs"]
    assert "tokens/s" in said.err and "roofline" in said.err


def test_a_peer_that_compiles_can_be_left_out(capsys):
    asked = ["bench", "--device", "cpu", "--shape", "tiny", "--dtype", "float32", "--repeats", "1"]
    short = ["--contexts", "64", "--canvases", "16", "--steps", "1", "--seconds", "1"]
    assert run([*asked, *short, "--compiled-for", "0.5b"]) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {row["who"] for row in line["rows"]} == WHO - {"transformers"}
    assert line["settings"]["seconds"] == 1.0 and line["settings"]["compiled"] == ["0.5b"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--shape", "70b"], "Unknown shape '70b'"),
        (["--shape", "tiny", "--steps", "1,x"], "--steps takes whole numbers"),
        (["--shape", "tiny", "--canvases", "0"], "--canvases takes whole numbers"),
        (["--shape", "tiny", "--dtype", "int8"], "float32 or bfloat16"),
        (["--shape", "tiny", "--policy", "topk"], "--policy has no use in a benchmark of shapes"),
        (["--shape", "tiny", "--context", "70"], "--context has no use"),
        (["--shape", "tiny", "--peer-model", "x"], "--peer-model has no use"),
        (["--contexts", "64"], "--contexts has no use in a benchmark of a model; give --shape"),
        (["--node-peer", "x"], "llama.cpp needs --peer-model and"),
        (["--peer-model", "x.gguf"], "llama.cpp needs --peer-model and"),
        (["--peer-model", "x.gguf", "--python-peer", "python"], "no GGUF file x.gguf"),
        (["--peer-model", __file__, "--python-peer", "/no/python"], "no Python interpreter /no"),
        (["--out", f"{__file__}/below.jsonl"], "Cannot write"),
    ],
)
def test_wrong_use_is_one_sentence(options, sentence, capsys):
    assert run(["bench", "--device", "cpu", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_quantile_is_the_nearest_rank():
    ten = list(map(float, range(10, 0, -1)))
    assert [quantile(ten, share) for share in (0.0, 0.5, 0.51, 0.9, 1.0)] == [1, 5, 6, 9, 10]
    assert quantile([7.0], 0.5) == 7.0


def test_threads_are_set_for_shapes_too(capsys, monkeypatch):
    from dcomplete.cli import bench

    monkeypatch.setattr(bench, "run_device", lambda *_: {"threads": torch.get_num_threads()})
    assert run(["bench", "--shape", "tiny", "--threads", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"threads": 2}


@pytest.mark.skipif(os.name == "nt", reason="the peer is a shell script")
def test_a_peer_that_hangs_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "_LIMIT_S", 0.5)
    hanging = peers.Peer("xllamacpp", "peer_xllamacpp.py", str(tmp_path / "python"), tmp_path)
    Path(hanging.program).write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match="cannot be started: Permission denied"):
        peers.measure(hanging, tmp_path / "x.gguf", "", 1, 1)
    Path(hanging.program).chmod(0o755)
    with pytest.raises(UserError, match="did not end within"):
        peers.measure(hanging, tmp_path / "x.gguf", "", 1, 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without a GPU says")
def test_without_a_gpu_it_says_so(capsys):
    assert run(["bench", "--device", "cuda"]) == 2
    assert "There is no CUDA device here" in capsys.readouterr().err


@pytest.mark.parametrize(("steps", "forwards"), [(1, 1), (2, 2), (4, 4), (8, 8)])
def test_all_diffusion_loops_take_as_many_passes_as_steps(tiny, steps, forwards, monkeypatch):
    task, calls = Task(40, 8, steps), []
    whole = type(tiny.net).forward

    def counted(net, ids, *rest):
        calls.append(ids.shape[1])
        return whole(net, ids, *rest)

    monkeypatch.setattr(type(tiny.net), "forward", counted)
    mask = tiny.specials.mask
    for cold in (False, True):
        loops.ours(tiny, task, cold=True)
        calls.clear()
        ids = loops.ours(tiny, task, cold)
        assert mask not in ids and ids.shape == (1, 8)
        assert len(calls) == forwards  # a short context shares the first canvas's pass
    calls.clear()
    assert mask not in loops.published(tiny, task)
    assert calls == [45] * forwards  # 37 random ids and the gap, at every step
    calls.clear()
    assert mask not in loops.dual_cache(tiny, task)
    assert len(calls) == forwards and all(n <= 9 for n in calls[1:])


def test_own_decoding_is_the_greedy_continuation(tiny):
    task = Task(20, 6, 6)
    decoder = OwnDecoder(tiny, 64)
    prompt = task.prompt(tiny.net.config.vocab)
    ids = [*prompt.prefix, *prompt.suffix]
    decoder.prefill(task)
    for _ in range(2):  # the context stays: decoding again is the same
        found = decoder.decode(task).tolist()
        text = list(ids)
        for _ in range(6):
            places = torch.arange(len(text))[None]
            hidden = tiny.net(torch.tensor([text]), places, Visibility(None, causal=True))
            text.append(int(tiny.net.head(hidden[0, -1]).argmax()))
        assert found == text[len(ids) :]


@transformers_warns
def test_transformers_decoding_is_the_greedy_continuation(tiny):
    task = Task(20, 6, 6)
    peer = Transformers.load(tiny.net.config, 64, tiny)
    prompt = task.prompt(tiny.net.config.vocab)
    text = torch.tensor([[*prompt.prefix, *prompt.suffix]])
    for _ in range(2):
        peer.prefill(task)
        found = peer.decode(task)
        so_far = text
        for _ in range(6):
            with torch.no_grad():
                token = peer.model(so_far, use_cache=False).logits[:, -1:].argmax(-1)
            so_far = torch.cat([so_far, token], 1)
        assert found.tolist() == so_far[0, text.shape[1] :].tolist()


def test_costs_by_hand():
    """The 7B figures of the roofline table in the research: 4.25 ms a step at 3.35 TB/s, 64 cells, 1k."""
    config = SHAPES.get("7b")
    assert config.parameters == pytest.approx(7.61e9, rel=0.01)
    assert SHAPES.get("0.5b").parameters == pytest.approx(0.494e9, rel=0.01)
    assert SHAPES.get("1.5b").parameters == pytest.approx(1.54e9, rel=0.01)
    card = Roofline(3.35e12, 800e12)
    assert card.floor_ms(pass_cost(config, 64, 1024, 2)) == pytest.approx(4.25, rel=0.02)
    assert card.floor_ms(pass_cost(SHAPES.get("0.5b"), 64, 1024, 2)) == pytest.approx(
        0.31, rel=0.05
    )
    first = prefill_cost(config, 1024, 2) + pass_cost(config, 64, 1024, 2)
    assert card.floor_ms(first) == pytest.approx(18, rel=0.1)
    assert card.floor_ms(Cost(3.35e9, 1.0)) == pytest.approx(1.0)


def test_limits_are_measured_and_repeats_bounded():
    limits = measure(CPU, torch.float32)
    assert 1e8 < limits.bandwidth < 1e13 and 1e8 < limits.throughput < 1e14
    seen = []
    found = timed(
        lambda: seen.append("run"), CPU, 50, seconds=0.0, before=lambda: seen.append("before")
    )
    assert found.runs == 3 and seen == ["before", "run"] * 4


def test_ratios_compare_like_with_like():
    def row(who, state, steps, p50):
        return {
            "who": who, "state": state, "shape": "s", "context": 1, "canvas": 8,
            "steps": steps, "p50_ms": p50,
        }  # fmt: skip

    rows = [
        row("ours", "warm", 2, 2.0),
        row("ours", "cold", 2, 9.0),
        row("published loop", "no cache", 2, 20.0),
        row("published loop", "no cache", 4, 40.0),
        row("transformers", "warm", 8, 10.0),
        row("transformers", "cold", 8, 99.0),
    ]
    expected = {"published loop": 10.0, "transformers": 5.0}
    assert ratios(rows) == [{"shape": "s", "context": 1, "canvas": 8, "steps": 2, **expected}]


def test_an_unwritable_file_is_one_sentence(tmp_path):
    from dcomplete.appending import append

    (tmp_path / "file").write_text("", encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match="Cannot write"):
        append(tmp_path / "file" / "below.jsonl", {})


def test_a_line_says_which_processor_it_is_of():
    assert not processor().startswith("CPU,")
    assert f", {os.cpu_count()} cores" in processor()
