"""Which weights answered: a name alone does not tell."""

import json
import shutil

import pytest

from dcomplete.cli import run as dcomplete
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.contestants import contestant, weights
from tests.conftest import install_tiny
from tests.eval.tiny_benchmark import Tiny


def test_two_models_of_one_name_are_two_contestants(data_home, tmp_path):
    first = install_tiny(data_home, "first")
    places = [tmp_path / run / "smol" for run in ("run1", "run2")]
    for place in places:
        shutil.copytree(first, place)
    change(places[1])
    found = [contestant(f"engine:model={place},max_tokens=2,dtype=float32") for place in places]
    assert found[0].name != found[1].name and str(places[0]) in found[0].name
    told = [who.settings() for who in found]
    assert told[0]["model"] == told[1]["model"] == "smol"
    assert told[0]["weights"] != told[1]["weights"]


def test_other_weights_under_the_same_name_do_not_mix(data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(BENCHMARKS._entries, "tiny", Tiny(count=3))
    model = install_tiny(data_home, "smol")
    command = ["eval", "run", "tiny", "-c", "engine:model=smol,max_tokens=2", "--json"]
    command += ["--out", str(tmp_path / "out")]
    assert dcomplete(command) == 0 and dcomplete(command) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["contestant"].startswith(
        "engine:smol:"
    )
    change(model)
    assert dcomplete(command) == 2 and "another weights" in capsys.readouterr().err


def test_a_card_that_is_written_later_changes_nothing(data_home):
    folder = install_tiny(data_home)
    before, manifest = weights.of_folder(folder), folder / "dcomplete.json"
    said = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(
        json.dumps(said | {"card": {"scores": {"exact": 40}}}), encoding="utf-8", newline="\n"
    )
    assert weights.of_folder(folder) == before
    manifest.write_text(json.dumps(said | {"policy": "verify"}), encoding="utf-8", newline="\n")
    assert weights.of_folder(folder) != before


def test_checksums_of_an_export_spare_reading_the_weights(data_home, monkeypatch):
    folder = install_tiny(data_home)
    sums = {file.name: weights._whole(file) for file in folder.iterdir()}
    before, manifest = weights.of_folder(folder), folder / "dcomplete.json"
    said = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(
        json.dumps(said | {"card": {"sha256": sums}}), encoding="utf-8", newline="\n"
    )
    monkeypatch.setattr(weights, "_whole", lambda path: pytest.fail(f"{path} was read"))
    assert weights.of_folder(folder) == before


def change(folder):
    """As after another training: the same shapes and sizes, other numbers."""
    file = next(folder.glob("*.safetensors"))
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
