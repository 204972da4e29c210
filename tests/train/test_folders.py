"""A folder that cannot be made is one sentence, told before the work."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.train.base import TINY, open_base
from dcomplete.train.config import read
from dcomplete.train.export import ExportOptions, export
from dcomplete.train.prepare import PrepareOptions, prepare
from dcomplete.train.quantize import quantize
from dcomplete.train.registries import NPM
from dcomplete.train.run import STATE, Run
from dcomplete.train.shards import Shards, Writer
from dcomplete.train.trainee import prepare_net
from dcomplete.train.trim import trim, trim_model
from tests.conftest import byte_tokenizer_json
from tests.train.rows import S, example


def shards(folder: Path) -> Shards:
    writer = Writer(folder, TINY.vocab, {"tokenizer": "none", "seed": "0"})
    writer.add(example())
    writer.flush()
    return Shards(folder)


def prepared(folder: Path, out: Path) -> None:
    (folder / "tokenizer.json").write_text(byte_tokenizer_json(), "utf-8")
    prepare(PrepareOptions(out, folder / "tokenizer.json", leak_check=False, progress=False))


def run(folder: Path, out: Path) -> None:
    config = read("tiny")
    Run(prepare_net(open_base("", 0).net, S, config), shards(folder / "data"), config, out)


def trimmed(folder: Path, out: Path) -> None:
    base = open_base("tiny")
    assert base.folder is not None
    trim_model(base.folder, trim(byte_tokenizer_json(), [9]).tokenizer_json, out, 1_000_000)


def exported(folder: Path, out: Path) -> None:
    (folder / STATE).touch()
    export(open_base("tiny"), folder, shards(folder / "data"), out, {}, ExportOptions())


def quantized(folder: Path, out: Path) -> None:
    quantize(open_base("tiny"), shards(folder / "data"), out, 1, 1_000_000, lambda *_: None)


@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize(
    "work",
    [prepared, run, trimmed, exported, quantized, lambda _, out: NPM.get(["npm:x@1"], out)],
    ids=["prepare", "run", "trim", "export", "quantize", "download"],
)
def test_a_folder_that_cannot_be_made_is_told(
    work: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(UserError, match=r"The folder .*file.* cannot be made: "):
            work(tmp_path, out)
