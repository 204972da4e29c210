"""`models pull` against a real server: resume, checksums, refusals, nothing half-installed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcomplete.cli import run
from dcomplete.engine.load import load_engine
from tests.models.checkpoints import CHECKPOINTS
from tests.models.hub_server import Hub, contents, serving

pytest.importorskip("huggingface_hub")
SMALL = replace(
    CHECKPOINTS["a2d"], folder="", name="model", after=(), added={"<|mask|>": 5},
    config={**CHECKPOINTS["a2d"].config, "vocab_size": 300},
)  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path, data_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A server with a tiny diffusion model, and the program told to ask it."""
    files = contents(SMALL.write(tmp_path / "published"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1024)
    with serving(Hub(files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    status = run(["models", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "Unexpected" not in said.err
    return status, said.out, said.err


def pull(capsys, *more: str) -> tuple[int, str, str]:
    return call(capsys, "pull", "someone/some-model", "--name", "mine", *more)


def visible(home: Path) -> list[str]:
    folder = home / "dcomplete" / "models"
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".pull"))


def refused(answer: tuple[int, str, str], home: Path, *words: str) -> None:
    """One sentence, status 2, and nothing that looks like a model."""
    status, out, err = answer
    lines = [line for line in err.splitlines() if line.startswith("dcomplete: ")]
    assert status == 2 and out == "" and len(lines) == 1, err
    assert all(word in lines[0] for word in words), lines[0]
    assert visible(home) == []
    assert not list((home / "dcomplete" / "models").glob(".new-*"))


def test_a_published_model_is_pulled_checked_and_used(hub, data_home, capsys):
    status, out, _ = pull(capsys, "--json")
    assert status == 0 and json.loads(out) == {"name": "mine", "infills": True, "family": "a2d"}
    assert visible(data_home) == ["mine"]
    assert not list((data_home / "dcomplete" / "models").glob(".pull*")), "the download is gone"
    assert load_engine("mine").family.specials.mask == 5
    status, _, err = pull(capsys)
    assert status == 2 and "already" in err


def test_a_known_name_is_pulled_from_its_repository(hub, data_home, capsys):
    hub.repository = "dllm-hub/Qwen2.5-Coder-0.5B-Instruct-diffusion-mdlm-v0.1"
    assert call(capsys, "pull", "a2d-coder-0.5b")[0] == 0
    assert visible(data_home) == ["a2d-coder-0.5b"]


def test_import_takes_a_hub_id_too(hub, data_home, capsys):
    assert call(capsys, "import", "someone/some-model", "--json")[0] == 0
    assert visible(data_home) == ["some-model"]


def test_a_connection_that_breaks_again_and_again_still_arrives(hub, data_home, capsys):
    hub.cut_after, hub.cuts = 6000, 5
    assert pull(capsys)[0] == 0
    starts = [start for name, start in hub.sent if name.startswith("model-")]
    assert any(start > 0 for start in starts) and visible(data_home) == ["mine"]


def weight_files(hub: Hub) -> list[str]:
    return sorted(name for name in hub.files if name.endswith(".safetensors"))


def test_a_lost_connection_leaves_nothing_and_the_next_try_goes_on(hub, data_home, capsys):
    hub.cut_after, hub.lost_after = 6000, 1  # once a part arrives, then never anything again
    refused(pull(capsys), data_home, "could not be downloaded", "goes on where it stopped")
    [part] = (data_home / "dcomplete" / "models").rglob("*.part")
    kept = part.stat().st_size
    assert kept >= 5000
    hub.cut_after, hub.sent = None, []
    assert pull(capsys)[0] == 0 and visible(data_home) == ["mine"]
    assert (weight_files(hub)[0], kept) in hub.sent, "only the rest was asked for"


def test_a_finished_file_is_not_fetched_again(hub, data_home, capsys):
    hub.cut_after, hub.lost_after, hub.spared = 0, 0, weight_files(hub)[0]
    refused(pull(capsys), data_home, "could not be downloaded")
    hub.cut_after, hub.sent = None, []
    assert pull(capsys)[0] == 0
    assert [name for name, _ in hub.sent if name in weight_files(hub)] == weight_files(hub)[1:]


def test_a_download_that_was_given_up_can_be_removed(hub, data_home, capsys):
    hub.cut_after = 0
    refused(pull(capsys), data_home)
    assert call(capsys, "remove", "mine")[0] == 0
    assert not list((data_home / "dcomplete" / "models").glob(".pull-mine"))


@pytest.mark.parametrize("name", ["model-00002-of-00002.safetensors", "config.json"])
def test_a_wrong_checksum_is_refused_and_the_file_removed(name, hub, data_home, capsys):
    hub.corrupt = name
    refused(pull(capsys), data_home, name, "wrong checksum", "removed")
    assert not list((data_home / "dcomplete" / "models").rglob(name))


def test_a_disk_too_small_is_known_before_anything_is_fetched(hub, data_home, capsys):
    hub.claim = 10**15
    refused(pull(capsys), data_home, "needs 4000000.0 GB", "free")
    assert hub.sent == []


def test_remote_code_of_an_unknown_family_is_refused_before_the_weights(hub, data_home, capsys):
    config = json.loads(hub.files["config.json"])
    config |= {"model_type": "novel", "auto_map": {"AutoModel": "modeling_novel.Novel"}}
    hub.files["config.json"] = json.dumps(config).encode()
    hub.files["modeling_novel.py"] = b"raise SystemExit('code of the checkpoint ran')"
    refused(pull(capsys), data_home, "novel", "its own code", "never does")
    assert not [name for name, _ in hub.sent if name.endswith((".safetensors", ".py"))]


def test_pickled_weights_are_refused(hub, data_home, capsys):
    for name in [n for n in hub.files if "safetensors" in n]:
        del hub.files[name]
    hub.files["pytorch_model.bin"] = b"\x80\x04pickle"
    refused(pull(capsys), data_home, "no safetensors", "they can run code")
    assert not [name for name, _ in hub.sent if name.endswith(".bin")]


def test_a_repository_that_is_not_there(hub, data_home, capsys):
    refused(call(capsys, "pull", "someone/else"), data_home, "no model someone/else")


def test_a_repository_behind_a_licence(hub, data_home, capsys):
    hub.gated = True
    refused(pull(capsys), data_home, "licence")


def test_no_server_at_all(hub, data_home, capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused(pull(capsys), data_home, "could not be downloaded")


def test_a_name_that_is_neither_known_nor_a_hub_id(data_home, capsys):
    status, _, err = call(capsys, "pull", "dreamonn")
    assert status == 2 and "models list" in err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("when", ["download", "install"])
def test_a_disk_that_fills_up_leaves_nothing(when, hub, small_disk, capsys, monkeypatch):
    """The free space is asked once; here others use it up meanwhile."""
    from dcomplete.models import hub as ours

    monkeypatch.setenv("XDG_DATA_HOME", str(small_disk))
    room = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    need = sum(len(data) for data in hub.files.values())
    spare = need // 2 if when == "download" else need + need // 2
    real = ours._check_space

    def then_fill(*arguments):
        real(*arguments)
        (small_disk / "others").write_bytes(b"x" * (room - spare))

    monkeypatch.setattr(ours, "_check_space", then_fill)
    refused(pull(capsys), small_disk, "is full", "nothing was installed")
    assert [p.name for p in small_disk.iterdir() if p.name != "dcomplete"] == ["others"]
    assert list((small_disk / "dcomplete" / "models").iterdir()) == [], (
        "the download is removed too"
    )
    (small_disk / "others").unlink()
    monkeypatch.setattr(ours, "_check_space", real)
    assert pull(capsys)[0] == 0
