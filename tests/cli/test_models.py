"""`dcomplete models` and `doctor`: install, show, check, remove; nothing half-installed."""

import json
import re
from pathlib import Path

import pytest
import torch

from dcomplete.cli import run
from dcomplete.cli.doctor import kernels
from dcomplete.engine.load import load_engine
from dcomplete.models.checkpoint import read_tensors
from dcomplete.models.quant import FORMATS
from dcomplete.serve.start import absolute_model
from tests.conftest import byte_tokenizer_json, install_tiny
from tests.models.test_decoder import ours
from tests.systems import WINDOWS


def call(capsys, *arguments) -> tuple[int, str, str]:
    status = run([str(a) for a in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_list_info_remove(tiny_model, capsys):
    rows = json.loads(call(capsys, "models", "list", "--json")[1])
    assert [r["infills"] for r in rows if r["name"] == "tiny"] == [True]
    assert "tiny" in call(capsys, "models", "list")[1]
    facts = json.loads(call(capsys, "models", "info", "tiny", "--json")[1])
    assert facts["net"]["hidden"] == 32 and facts["regime"] == "context-canvas"
    assert call(capsys, "models", "remove", "tiny")[0] == 0 and not tiny_model.exists()
    assert call(capsys, "models", "remove", "tiny")[0] == 2


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_import_of_a_hugging_face_folder(kind, hf_tiny, data_home, tmp_path, capsys):
    raw, model = hf_tiny(kind)
    source = tmp_path / f"my-{kind}"
    source.mkdir()
    ours(raw, model, source)
    status, out, _ = call(capsys, "models", "import", source)
    assert status == 0 and "autoregressive base" in out
    status, _, err = call(capsys, "models", "import", source)
    assert status == 2 and "already" in err
    assert call(capsys, "models", "import", source, "--name", "other", "--json")[0] == 0


def test_a_base_with_sentinels_infills_at_once(hf_tiny, data_home, tmp_path, capsys):
    raw, model = hf_tiny("qwen2")
    source = tmp_path / "coder"
    source.mkdir()
    ours(raw, model, source)
    names = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|fim_pad|>"]
    text = byte_tokenizer_json()
    for number, name in enumerate(names):
        text = text.replace(f"<|{number}|>", name)
    (source / "tokenizer.json").write_text(text, encoding="utf-8")
    assert call(capsys, "models", "import", source)[0] == 0
    result = load_engine("coder").infill(_request())
    assert result.policy == "verify" and result.best.texts


def _request():
    from dcomplete.types import InfillRequest

    return InfillRequest("a = ", "\n", max_tokens=8)


@pytest.mark.parametrize("bad", ["missing.gguf", "someone/some-model-that-is-not-there"])
def test_a_failed_import_leaves_nothing(bad, data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    status, _, err = call(capsys, "models", "import", bad)
    assert status == 2 and err.count("\n") == 1
    folder = data_home / "dcomplete" / "models"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_broken_gguf_file_leaves_nothing(data_home, tmp_path, capsys):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 100)
    assert call(capsys, "models", "import", path)[0] == 2
    assert not list((data_home / "dcomplete" / "models").iterdir())


def test_a_base_in_the_home_of_nobody_is_one_that_is_not_there(data_home, capsys):
    from dcomplete.train.base import installed

    source = "~nobody-of-that-name/base"
    status, _, err = call(capsys, "models", "import", source)
    assert status == 2 and f"There is no file or folder {source}" in err
    assert installed(source) == source


@pytest.mark.parametrize(
    "command",
    [["infill", __file__, "--at", "1:1", "--in-process", "--model"], ["models", "import"]],
)
def test_a_name_that_no_file_can_have_is_one_sentence(command, data_home, capsys):
    status, _, err = call(capsys, *command, "a" * 300)
    said = "There is no file|Unknown model" if WINDOWS else "cannot be read: File name too long."
    assert status == 2 and re.search(said, err)


def test_a_client_leaves_a_name_that_no_file_can_have_to_the_engine():
    assert absolute_model("a" * 300) == "a" * 300


def test_self_checks_pass_and_catch_a_planted_fault(tiny_model, data_home, capsys):
    results = {
        r["name"]: r for r in json.loads(call(capsys, "models", "check", "tiny", "--json")[1])
    }
    assert results["cached equals recomputed"]["passed"] and results["special ids"]["passed"]
    assert results["sentinels never proposed"]["passed"] and results["right context"]["passed"]
    clash = tiny_model / "dcomplete.json"
    clash.write_text(clash.read_text().replace('"fill": 4', '"fill": 3'))
    assert call(capsys, "models", "check", "tiny")[0] == 2


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_number_formats_agree(dtype, tiny_model):
    from dcomplete.models.canvas import Canvas
    from dcomplete.models.packing import int8_possible
    from dcomplete.models.regimes import Prompt

    if dtype == "int8" and not int8_possible():
        pytest.skip("this torch has no kernels for int8")

    def logits(engine):
        session = engine.family.open(Prompt([20, 21, 22], [30]))
        states = session.states(Canvas.build([[8]], 3))
        return engine.family.net.head(states).float()

    exact = logits(load_engine("tiny", "cpu", "float32"))
    other = logits(load_engine("tiny", "cpu", dtype))
    close = {"float32": 1e-6, "bfloat16": 0.05, "int8": 0.1}[dtype]
    assert float((other - exact).norm() / exact.norm()) < close


@pytest.mark.parametrize("kind", FORMATS)
def test_our_blocks_equal_llama_cpps(kind):
    gguf = pytest.importorskip("gguf")
    torch.manual_seed(0)
    x = torch.randn(6, 96)
    code = FORMATS[kind]
    ours_back = code.dequantize(code.quantize(x))
    theirs = getattr(gguf.GGMLQuantizationType, kind.upper())
    raw = torch.from_numpy(gguf.quants.quantize(x.numpy(), theirs))
    exact = torch.from_numpy(gguf.quants.dequantize(raw.numpy(), theirs))
    torch.testing.assert_close(code.dequantize(code.from_gguf(raw)), exact)
    step = (x.max() - x.min()) / (15 if kind == "q4_1" else 254)
    assert float((ours_back - x).abs().max()) <= float(step)


def test_adapters_are_merged_when_a_folder_is_read(data_home):
    from safetensors.torch import save

    from dcomplete.models.checkpoint import load_state

    folder = install_tiny(data_home)
    stored = read_tensors(folder)
    a, b = torch.randn(2, 32), torch.randn(64, 2)
    merged = stored["layers.0.qkv.weight"] + b @ a
    file = next(folder.glob("*.safetensors"))
    with_adapters = save({**stored, "layers.0.qkv.lora_a": a, "layers.0.qkv.lora_b": b})
    del stored  # Windows replaces no file that is mapped
    file.write_bytes(with_adapters)
    torch.testing.assert_close(load_state(folder)["layers.0.qkv.weight"], merged)


def test_doctor_reports_and_times_an_infill(tiny_model, capsys):
    facts = json.loads(call(capsys, "doctor", "--model", "tiny", "--json")[1])
    assert facts["packages"]["torch"] and facts["infill"]["warm_ms"] > 0
    assert "device" in facts["kernels"]
    status, out, err = call(capsys, "doctor", "--model", "nothing")
    assert status == 2 and "torch" in out and "Unknown model" in err


def test_bench_ends_with_one_line_of_json(tiny_model, capsys):
    status, out, _ = call(capsys, "bench", "--model", "tiny", "--context", "64", "--repeats", "2")
    line = json.loads(out.splitlines()[-1])
    assert status == 0 and set(line["ours"]) == {"cold", "warm10", "warm32"}
    assert line["ours"]["warm10"]["steps"] >= 1 and line["commit"] is not None
    assert call(capsys, "bench", "--model", "tiny", "--node-peer", Path("/nowhere"))[0] == 2


def test_doctor_reports_also_about_a_device_that_is_not_there(tiny_model, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    status, out, err = call(capsys, "doctor", "--model", "tiny", "--device", "cuda", "--json")
    facts = json.loads(out)
    assert status == 2 and facts["packages"] and facts["kernels"]["problem"] in err


@pytest.mark.parametrize(
    ("lacking", "why"),
    [("packing.onednn_possible", "lacks oneDNN"), ("four_bits.four_bits_possible", "AVX2")],
)
def test_doctor_says_why_there_are_no_short_passes(monkeypatch, lacking, why):
    monkeypatch.setattr(f"dcomplete.models.{lacking}", lambda: False)
    said = kernels("cpu")["short passes"]
    assert said.startswith("as the others: ") and why in said


@pytest.mark.parametrize("path", ["Z:/none", "folder\\none/x"])
def test_a_path_of_windows_is_not_looked_for_on_the_hub(path, data_home, capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    status, _, err = call(capsys, "models", "import", path)
    assert status == 2 and "no file or folder" in err
