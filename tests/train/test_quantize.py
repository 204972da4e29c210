"""Exact weights to 4-bit blocks: what layers give out changes less than with plain rounding."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from dcomplete.cli import run as dcomplete
from dcomplete.engine.load import load_engine
from dcomplete.engine.tokens import Tokens
from dcomplete.models.checkpoint import load_both, load_state, read_tensors
from dcomplete.models.quant import FORMATS, restore
from dcomplete.train.base import open_base
from dcomplete.train.compensate import compensated
from dcomplete.train.config import read
from dcomplete.train.export import ExportOptions, export
from dcomplete.train.run import Run
from dcomplete.train.shards import Example, Shards, Writer
from dcomplete.train.trainee import prepare_net
from dcomplete.types import InfillRequest
from tests.conftest import byte_tokenizer_json


def inputs(seed: int = 0, count: int = 2000, width: int = 128) -> torch.Tensor:
    """Tokens whose features hang together, as those of a network do, a few of them large."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(width // 4, width, generator=generator)
    few = torch.randn(count, width // 4, generator=generator) @ mix
    sizes = torch.rand(width, generator=generator).mul(3).exp()
    return (few + 0.3 * torch.randn(count, width, generator=generator)) * sizes


def lost(weight: torch.Tensor, parts: dict[str, torch.Tensor], given: torch.Tensor) -> float:
    return float((given @ (weight - restore("q4_1", parts)).t()).square().mean())


def test_outputs_change_less_than_with_plain_rounding_also_for_inputs_not_seen() -> None:
    weight = torch.randn(96, 128, generator=torch.Generator().manual_seed(1))
    everything = inputs()
    seen, unseen = everything[:1000], everything[1000:]
    parts = compensated(weight, seen.t() @ seen)
    plain = FORMATS["q4_1"].quantize(weight)
    assert {n: (p.shape, p.dtype) for n, p in parts.items()} == {
        n: (p.shape, p.dtype) for n, p in plain.items()
    }
    for given in (seen, unseen):
        assert lost(weight, parts, given) < 0.5 * lost(weight, plain, given)


def test_unrelated_inputs_leave_nothing_to_make_good() -> None:
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(2))
    parts, plain = compensated(weight, torch.eye(64)), FORMATS["q4_1"].quantize(weight)
    ours, theirs = ((weight - restore("q4_1", p)).square().mean() for p in (parts, plain))
    assert ours <= theirs * 1.001, "only the range of a block is chosen better"


def test_what_was_in_blocks_and_never_changed_comes_back_bit_by_bit() -> None:
    weight = torch.randn(64, 128, generator=torch.Generator().manual_seed(3))
    before = FORMATS["q4_1"].quantize(weight)
    seen = inputs()
    after = compensated(restore("q4_1", before), seen.t() @ seen, before)
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("products", [torch.zeros(64, 64), torch.ones(64, 64)])
def test_layers_that_see_nothing_or_one_thing_only_are_rounded(products: torch.Tensor) -> None:
    weight = torch.randn(32, 64, generator=torch.Generator().manual_seed(4))
    parts = compensated(weight, products)
    assert bool(restore("q4_1", parts).isfinite().all())


def some_shards(folder: Path, tokenizer: str = "") -> Shards:
    known = tokenizer or sha256(byte_tokenizer_json().encode()).hexdigest()
    tokens = Tokens.from_json(byte_tokenizer_json())
    writer = Writer(folder, len(tokens), {"tokenizer": known, "seed": "0"})
    texts = ("y\n", "def f(x):\n", "return x\n")
    suffix, prefix, middle = (np.array(tokens.encode(text)) for text in texts)
    for _ in range(40):
        writer.add(Example(suffix, prefix, middle, 0))
    writer.flush()
    return Shards(folder)


@pytest.fixture
def exact(tiny_model: Path, tmp_path: Path) -> tuple[Path, Path]:
    """(folder of an exact model that adapters have changed, its data)."""
    shards = some_shards(tmp_path / "data")
    base = open_base("tiny")
    config = read("tiny", {"base": "tiny", "mode": "lora", "steps": 20, "rank": 4, "lr": 2e-2})
    trainee = prepare_net(base.net, base.manifest.specials, config)
    list(Run(trainee, shards, config, tmp_path / "run").go())
    options = ExportOptions(min_count=0, averaged=False, quantize=False)
    export(base, tmp_path / "run", shards, tmp_path / "exact", {"licence": "test"}, options)
    return tmp_path / "exact", tmp_path / "data"


def test_a_quantised_model_infills_and_is_nearer_than_a_plainly_rounded_one(
    exact: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = exact
    out = tmp_path / "small"
    command = ["train", "quantize", str(folder), "--data", str(data), "--out", str(out)]
    assert dcomplete([*command, "--rows", "32", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["error"] < told["plain_error"]
    card = open_base(str(out)).manifest.card
    assert card["licence"] == "test" and card["quantised"] == {"method": "GPTQ", "rows": 32}
    assert set(card["sha256"]) == {*told["files"], "tokenizer.json"}
    whole, (small, blocks) = load_state(folder), load_both(out)
    assert whole.keys() == small.keys()
    matrices = [n for n, v in whole.items() if v.dim() == 2 and n.startswith("layers")]
    assert sorted(blocks) == sorted(matrices), "all of them can serve short passes"
    assert all(torch.equal(whole[n], small[n]) for n in whole if whole[n].dim() == 1)
    assert load_engine(str(out)).infill(InfillRequest("def f(x):\n", "y\n", max_tokens=8))
    assert not any("lora" in name for name in read_tensors(out))


def test_data_of_another_tokenizer_are_refused(
    exact: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_shards(tmp_path / "other", tokenizer="another")
    command = ["train", "quantize", str(exact[0]), "--data", str(tmp_path / "other")]
    assert dcomplete([*command, "--out", str(tmp_path / "small")]) == 2
    assert "tokenizer" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()


def test_a_model_that_is_asked_otherwise_is_refused(
    exact: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = exact
    manifest = folder / "dcomplete.json"
    manifest.write_text(manifest.read_text("utf-8").replace("context-canvas", "full"), "utf-8")
    command = ["train", "quantize", str(folder), "--data", str(data)]
    assert dcomplete([*command, "--out", str(tmp_path / "small")]) == 2
    assert "is a full model" in capsys.readouterr().err
