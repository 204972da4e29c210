"""Rows of published files: every format, every fault in one sentence, from disk and from the hub."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.benchmarks.rows import DataSet, rows

ROWS = [
    {"prompt": "x = ", "about": {"id": "a", "parts": [{"path": "é"}]}},
    {"prompt": "", "about": {}},
]
GOOD = ROWS[:1]


def lines(found):
    return "".join(json.dumps(row) + "\n" for row in found)


def parquet(path, found):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.Table.from_pylist(found), path)


@pytest.fixture(params=["jsonl", "json", "jsonl.gz", "json.gz", "parquet"])
def file(request, tmp_path):
    path = tmp_path / f"rows.{request.param}"
    if request.param == "parquet":
        parquet(path, GOOD)
        return path
    text = json.dumps(GOOD) if "jsonl" not in request.param else lines(GOOD) + "\n"
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_all_formats_give_the_same_rows(file):
    form = {"id": str, "parts": [{"path": str}]}
    assert list(rows(file, prompt=str, about=form)) == GOOD


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({"suffix": str}, "no suffix"),
        ({"prompt": int}, "no prompt"),
        ({"about": {"name": str}}, "no about.name"),
        ({"about": {"parts": [{"text": str}]}}, "no about.parts.text"),
        ({"about": [str]}, "no about"),
    ],
)
def test_a_missing_field_is_named(file, fields, lacks):
    with pytest.raises(UserError, match=f"another format: row 1 has {lacks}") as found:
        list(rows(file, **fields))
    assert str(found.value).startswith(str(file))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n"),
        ("a.jsonl", b"\xff\xfe"),
        ("a.json", b"[1,"),
        ("a.jsonl.gz", b"not gzip"),
        ("a.jsonl.gz", gzip.compress(lines(GOOD).encode() * 99)[:-9]),
        ("a.parquet", b"PAR1"),
        ("a.parquet", b""),
    ],
)
def test_a_damaged_file_is_one_sentence(name, data, tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match="cannot be read") as found:
        list(rows(path, prompt=str))
    assert "\n" not in str(found.value)


def test_rows_that_are_no_objects_are_another_format(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1, 2]", "utf-8", newline="\n")
    with pytest.raises(UserError, match="row 1 has no fields"):
        list(rows(path, prompt=str))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"needs: pip install 'dcomplete\[eval\]'"):
        list(rows(path, prompt=str))


def test_the_first_pattern_that_fits_wins_and_files_are_sorted(tmp_path):
    for name in ("b.jsonl", "deep/a.jsonl", "a.parquet"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", "utf-8", newline="\n")
    found = DataSet("set", "").files(tmp_path, "*.csv", "*.jsonl", "*.parquet")
    assert [p.name for p in found] == ["b.jsonl", "a.jsonl"]


def test_data_that_are_not_on_the_hub_are_said_to_be_got_elsewhere(tmp_path):
    data_set = DataSet("set", "", "", "https://example.org/set")
    with pytest.raises(UserError) as found:
        data_set.files(tmp_path, "*.jsonl")
    where = tmp_path / "set"
    assert str(found.value) == (
        f"set is not there: put *.jsonl of https://example.org/set below {where}."
    )


def test_without_the_hub_library_the_sentence_names_both_ways(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match="datasets/who/set below") as found:
        DataSet("set", "who/set").files(tmp_path, "*.jsonl")
    assert "pip install 'dcomplete[hub]'" in str(found.value)


HUB = """
import sys
from pathlib import Path
from dcomplete.errors import UserError
from dcomplete_eval.benchmarks.rows import DataSet
try:
    print(*(p.name for p in DataSet("set", "who/set", "0" * 40).files(Path(sys.argv[1]), "*.jsonl")))
except UserError as error:
    print(error)
"""


def on_the_hub(tmp_path):
    """What the hub's library finds, told to stay offline."""
    pytest.importorskip("huggingface_hub")
    env = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", HUB, str(tmp_path / "data")]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_offline_is_one_sentence(tmp_path):
    assert on_the_hub(tmp_path) == (
        "set is not on disk and the hub cannot be reached: put *.jsonl of "
        f"https://huggingface.co/datasets/who/set below {tmp_path / 'data' / 'set'}."
    )


def test_offline_an_earlier_download_serves(tmp_path):
    snapshot = tmp_path / "hf/hub/datasets--who--set/snapshots" / ("0" * 40)
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "data" / "test.jsonl").write_text("", "utf-8", newline="\n")
    assert on_the_hub(tmp_path) == "test.jsonl"
