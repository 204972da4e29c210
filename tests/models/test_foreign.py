"""Checkpoints that must not be taken: each is refused with one sentence and leaves nothing behind."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save_file

from dcomplete.cli import run
from dcomplete.errors import ModelError
from dcomplete.models.foreign import read_source
from dcomplete.models.importing import import_model
from dcomplete.models.published.registry import recognise
from tests.models.checkpoints import CHECKPOINTS, LLADA_NAMES

TINY = replace(
    CHECKPOINTS["llada"], added={"<|mdm_mask|>": 5, "<|endoftext|>": 4},
    config={**CHECKPOINTS["llada"].config, "embedding_size": 300, "vocab_size": 300, "mask_token_id": 5},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return TINY.write(tmp_path)


def change(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    raw = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**raw, **values}), encoding="utf-8", newline="\n")


def weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def pickled(folder: Path) -> None:
    for path in [*weights(folder), folder / "model.safetensors.index.json"]:
        path.unlink()
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")


def unknown_code(folder: Path) -> None:
    change(
        folder, "config.json", model_type="novel", auto_map={"AutoModel": "modeling_novel.Novel"}
    )
    (folder / "modeling_novel.py").write_text(
        "raise SystemExit('code of the checkpoint ran')", encoding="utf-8", newline="\n"
    )


def half(folder: Path) -> None:
    weights(folder)[1].unlink()


def truncated(folder: Path) -> None:
    path = weights(folder)[0]
    path.write_bytes(path.read_bytes()[:-100])


def pointer(folder: Path) -> None:
    weights(folder)[0].write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        encoding="utf-8",
        newline="\n",
    )


def misshapen(folder: Path) -> None:
    path = weights(folder)[0]
    tensors = load(path.read_bytes())  # a mapped file cannot be replaced on Windows
    name = min(n for n in tensors if tensors[n].dim() == 2)  # they come in any order
    save_file({**tensors, name: torch.zeros(7, 5)}, path)


def lacking(folder: Path) -> None:
    path = weights(folder)[0]
    tensors = load(path.read_bytes())  # a mapped file cannot be replaced on Windows
    del tensors[min(name for name in tensors if name.startswith("model.transformer"))]
    save_file(tensors, path)


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickled": (pickled, "they can run code"),
    "code of an unknown family": (unknown_code, "its own code, which dcomplete never does"),
    "half downloaded": (
        half,
        r"half downloaded: model-00002-of-00002.safetensors is missing \(1 of 2",
    ),
    "truncated": (truncated, "damaged or cut short"),
    "git-lfs pointer": (pointer, "git-lfs pointer"),
    "wrong shape": (misshapen, r"has shape \(7, 5\)"),
    "a tensor less": (lacking, "lacks the tensor 'model.transformer"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "broken config": (
        lambda f: (f / "config.json").write_text("{", encoding="utf-8", newline="\n"),
        "damaged",
    ),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    "broken tokenizer": (
        lambda f: (f / "tokenizer.json").write_text("{]", encoding="utf-8", newline="\n"),
        "damaged",
    ),
    "broken index": (
        lambda f: (f / "model.safetensors.index.json").write_text(
            "{}", encoding="utf-8", newline="\n"
        ),
        "damaged",
    ),
    "contradictory mask": (
        lambda f: change(f, "tokenizer_config.json", mask_token="<|endoftext|>"),
        "contradicts itself about its mask token: config.json says 5, the tokenizer says 4",
    ),
    "mask of another model": (
        lambda f: change(f, "config.json", mask_token_id=4),
        "names token 4 as the mask, but the tokenizer's mask is 5",
    ),
    "mixture of experts": (
        lambda f: change(f, "config.json", num_experts=64),
        "mixture of experts",
    ),
    "other norms": (
        lambda f: change(f, "config.json", layer_norm_type="default"),
        "layer_norm_type",
    ),
    "biases": (lambda f: change(f, "config.json", include_bias=True), "include_bias"),
    "no sizes": (lambda f: change(f, "config.json", d_model=None), "incomplete or malformed"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_cannot_be_used_is_refused_in_one_sentence(what, folder, data_home, capsys):
    spoil, words = REFUSALS[what]
    spoil(folder)
    with pytest.raises(ModelError, match=words):
        import_model(folder, folder / "out")
    assert run(["models", "import", str(folder), "--name", "mine"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("dcomplete: ")
    assert list((data_home / "dcomplete" / "models").iterdir()) == []


def test_code_of_a_known_family_is_accepted_and_never_run(folder):
    (folder / "modeling_llada.py").write_text(
        "raise SystemExit('code of the checkpoint ran')", encoding="utf-8", newline="\n"
    )
    assert json.loads((folder / "config.json").read_text("utf-8"))["auto_map"]
    assert import_model(folder, folder / "out").card["family"] == "llada"
    assert not list((folder / "out").glob("*.py"))


def test_the_names_of_llada_are_those_of_its_checkpoint():
    from dcomplete.models.published.llada import rename

    llama = {key: name.format(3) for key, name in CHECKPOINTS["dream"].names.items()}
    assert {k: rename(v) for k, v in llama.items()} == {
        k: v.format(3) for k, v in LLADA_NAMES.items()
    }


def test_a_plain_base_is_no_published_model(tmp_path):
    base = replace(TINY, config={**CHECKPOINTS["dream"].config, "model_type": "qwen2"}, bias=True,
                   names=CHECKPOINTS["dream"].names, name="base")  # fmt: skip
    source = read_source(base.write(tmp_path))
    source.config.pop("auto_map")  # type: ignore[attr-defined]
    assert recognise(source) is None


def test_a_tokenizer_in_parts_cuts_text_as_qwen2_does(published):
    from dcomplete.engine.load import read_tokens

    tokens = read_tokens(published("dream"))
    assert tokens.decode(tokens.encode("x = 12  # né\n\ty")) == "x = 12  # né\n\ty"
    assert tokens.encode("<|mask|>") != [151666], "text never becomes a special token"
