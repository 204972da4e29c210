"""Where training starts: what is imported once, and what only has the same name."""

import json
import shutil

import pytest

from dcomplete.errors import UserError
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.store import find
from dcomplete.train import base
from dcomplete.train.base import installed
from tests.conftest import install_tiny


@pytest.fixture
def imports(data_home, tmp_path, monkeypatch) -> list[str]:
    """What was imported: any file becomes a copy of the tiny model."""
    done, model = [], install_tiny(tmp_path / "elsewhere")

    def import_model(path, folder):
        done.append(path.name)
        shutil.copytree(model, folder, dirs_exist_ok=True)
        return Manifest.read(folder)

    monkeypatch.setattr(base, "import_model", import_model)
    return done


def test_a_file_is_imported_once_wherever_it_lies(imports, tmp_path):
    (tmp_path / "copy").mkdir()
    for place in (tmp_path, tmp_path / "copy"):
        (place / "model.gguf").write_bytes(b"one")
        assert installed(str(place / "model.gguf")) == "model"
    assert imports == ["model.gguf"] and find("model").manifest().net.vocab == 300


def test_a_name_that_is_taken_by_something_else_is_said(imports, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"one")
    installed(str(path))
    path.write_bytes(b"two")
    with pytest.raises(UserError, match="'model' already, and it was not made from"):
        installed(str(path))
    assert imports == ["model.gguf"] and installed("model") == "model"


def test_the_embedded_model_is_not_taken_for_a_file(imports, tmp_path):
    folder = tmp_path / "smol-135m"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama"}), encoding="utf-8", newline="\n"
    )
    with pytest.raises(UserError, match="'smol-135m' already"):
        installed(str(folder))
