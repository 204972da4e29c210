"""Evaluation data are read whole or not at all."""

import gzip
import json
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.train.leaks import read_evaluation
from tests.train.test_prepare import SECRET

PACKED = gzip.compress(json.dumps({"code": SECRET}).encode())


@pytest.mark.parametrize(
    "data",
    [PACKED[:-9], PACKED[:10] + b"\xff" * 20, PACKED[:4], b'{"code": "x', b"\xff\xfe"],
    ids=["cut off", "corrupt", "hardly begun", "no json", "no text"],
)
def test_damaged_evaluation_data_are_one_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "problems.jsonl.gz").write_bytes(data)
    with pytest.raises(UserError, match=r"problems\.jsonl\.gz cannot be read as evaluation data"):
        read_evaluation([tmp_path])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_separator_within_a_line_does_not_end_it(separator: str, tmp_path: Path) -> None:
    records = [{"code": f"{separator}{SECRET}"}, {"code": "pass"}]
    lines = "\r\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    (tmp_path / "problems.jsonl").write_text(lines, encoding="utf-8", newline="")
    (tmp_path / "folder.json").mkdir()
    found = read_evaluation([tmp_path])
    assert found.texts == 2 and found.first_in(SECRET) is not None
