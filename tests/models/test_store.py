"""Names of models, and removing one: all of it or nothing."""

from pathlib import Path

import pytest

from dcomplete.errors import ModelError
from dcomplete.models import store
from dcomplete.models.importing import disk_full
from tests.conftest import install_tiny


@pytest.mark.parametrize("name", ["a", "qwen2.5-coder", "console", "com10", "nulls.gguf"])
def test_ordinary_names_are_usable_everywhere(name):
    assert store._is_usable(name, on_windows=True) and store._is_usable(name, on_windows=False)


@pytest.mark.parametrize("name", ["", ".a", "a/b", "..\\a"])
def test_names_that_lead_elsewhere_are_usable_nowhere(name):
    assert not store._is_usable(name, on_windows=True)
    assert not store._is_usable(name, on_windows=False)
    with pytest.raises(ModelError, match="no usable model name"):
        store.Installing.free(name)


@pytest.mark.parametrize("name", ["qwen:7b", "nul", "CON.a", "com1", "a.", "a ", "a?", "a\tb"])
def test_names_that_windows_gives_another_meaning_are_usable_elsewhere(name):
    assert not store._is_usable(name, on_windows=True)
    assert store._is_usable(name, on_windows=False)


def test_a_model_that_is_in_use_stays_whole(tiny_model, monkeypatch):
    def in_use(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Access is denied")  # as Windows says of files that are mapped

    before = sorted(tiny_model.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", in_use)
        with pytest.raises(ModelError, match="in use"):
            store.remove("tiny")
    assert sorted(tiny_model.iterdir()) == before
    assert [p.name for p in tiny_model.parent.iterdir()] == ["tiny"]
    assert store.remove("tiny") == tiny_model
    assert list(tiny_model.parent.iterdir()) == []


def test_a_name_with_a_backslash_removes_no_other_model(data_home):
    other = install_tiny(data_home, "other")
    (other.parent / ".pull-x").mkdir()
    with pytest.raises(ModelError, match="Unknown model"):
        store.remove("x\\..\\other")
    assert (other / "dcomplete.json").is_file()


@pytest.mark.parametrize("said", ["No space left on device", "There is no room. (os error 112)"])
def test_a_full_disk_is_a_sentence_on_every_system(tmp_path, said):
    from safetensors import SafetensorError

    with pytest.raises(ModelError, match="is full"), disk_full(tmp_path):
        raise SafetensorError(f"Error while serializing: {said}")
    with pytest.raises(SafetensorError), disk_full(tmp_path):
        raise SafetensorError("something else")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("dcomplete.models.store.user_folder", lambda: tmp_path / "file" / "models")
    with pytest.raises(ModelError, match=r"Nothing can be installed in .*models: Not a directory"):
        store.Installing("a")


def test_of_two_that_install_one_name_the_second_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("dcomplete.models.store.user_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="cannot be made"), store.Installing("a") as folder:
        (folder / "weights").write_text("")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "theirs").write_text("")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]
