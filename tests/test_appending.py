"""Result files: whole lines in the order of writing, whoever else writes."""

import json
import os
import subprocess
import sys

import pytest

from dcomplete import appending
from dcomplete.errors import UserError

_WRITER = """
import sys
from pathlib import Path
from dcomplete.appending import append
for number in range(50):
    append(Path(sys.argv[1]), {"who": sys.argv[2], "number": number, "text": "x" * 5000})
"""


_FULL = """
import resource, sys
from pathlib import Path
from dcomplete.appending import append
from dcomplete.errors import UserError
path = Path(sys.argv[1])
append(path, {"number": 1})
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, most))
try:
    append(path, {"number": 2}, {"text": "x" * 100})
except UserError as error:
    print(error)
print(path.read_text("utf-8"), end="")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
append(path, {"number": 3})
"""


def test_lines_end_alike_everywhere_and_come_in_order(tmp_path):
    path = tmp_path / "new" / "lines.jsonl"
    appending.append(path, {"a": "é"}, {"b": 2})
    appending.append(path, {"c": 3})
    assert path.read_bytes() == b'{"a": "\\u00e9"}\n{"b": 2}\n{"c": 3}\n'


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "lines.jsonl"
    words = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*words, str(n)]) for n in range(3)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 150
    for who in "012":
        assert [line["number"] for line in lines if line["who"] == who] == [*range(50)]


@pytest.mark.skipif(os.name == "nt", reason="no limit makes a disk full there")
def test_a_disk_that_takes_a_part_of_a_line_is_told_and_keeps_none_of_it(tmp_path):
    path = tmp_path / "lines.jsonl"
    words = [sys.executable, "-c", _FULL, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"Cannot write {path}: File too large.", '{"number": 1}']
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"number": 1}, {"number": 3}]


def test_checking_leaves_nothing_and_tells_what_cannot_be_written(tmp_path):
    path = tmp_path / "lines.jsonl"
    appending.check(path, None)
    assert not path.exists()
    with pytest.raises(UserError, match="Cannot write"):
        appending.check(tmp_path)
