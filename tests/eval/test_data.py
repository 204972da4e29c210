"""Evaluation data: found, checked, and downloaded from a real server."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest

from dcomplete.cli import run as dcomplete
from dcomplete.errors import UserError
from dcomplete_eval import data
from dcomplete_eval.data import Item

TEXT = {"set/a.txt": b"first\n" * 30_000, "set/b.txt": b"second\n"}


@pytest.fixture
def items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Item, ...]]:
    """Two files on a server of our own."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    there = tmp_path / "there"
    handler = partial(Quiet, directory=str(there))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        found = []
        for name, content in TEXT.items():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            (there / name).write_bytes(content)
            url = f"http://127.0.0.1:{server.server_port}/{name}"
            found.append(Item(name, url, hashlib.sha256(content).hexdigest(), len(content)))
        monkeypatch.setattr(data, "ITEMS", tuple(found))
        yield tuple(found)
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:
        with suppress(ConnectionError):  # who finds that it is the wrong file hangs up
            super().copyfile(source, outputfile)


def test_downloads_what_is_missing_and_only_that(items, tmp_path):
    here, sizes = tmp_path / "here", []
    assert data.pull(here, items, sizes.append) == list(items)
    assert sum(sizes) == sum(map(len, TEXT.values()))
    assert {name: (here / name).read_bytes() for name in TEXT} == TEXT
    assert data.pull(here, items, sizes.append) == []
    (here / "set/b.txt").write_bytes(b"changed")
    assert data.missing(here, items) == [items[1]]
    assert data.pull(here, items, sizes.append) == [items[1]]
    assert sorted(p.name for p in (here / "set").iterdir()) == ["a.txt", "b.txt"]


@pytest.mark.parametrize("content", [b"other\n", b"second", b"second\n" * 10**6, b""])
def test_keeps_nothing_that_is_not_what_it_should_be(items, tmp_path, content):
    (tmp_path / "there/set/b.txt").write_bytes(content)
    with pytest.raises(UserError, match="not the file that it was"):
        data.pull(tmp_path / "here", items, lambda _: None)
    assert [p.name for p in (tmp_path / "here/set").iterdir()] == ["a.txt"]


def test_says_what_to_do_offline(items, tmp_path):
    gone = Item("set/c.txt", "http://127.0.0.1:1/c.txt", "0" * 64, 1)
    with pytest.raises(UserError, match=r"cannot be reached .* by hand"):
        data.pull(tmp_path / "here", [gone], lambda _: None)
    lost = Item("set/c.txt", items[0].url + "x", "0" * 64, 1)
    with pytest.raises(UserError, match="status 404"):
        data.pull(tmp_path / "here", [lost], lambda _: None)
    (tmp_path / "file").write_text("", encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match="cannot be written"):
        data.pull(tmp_path / "file", items, lambda _: None)


def test_the_commands(items, tmp_path, capsys):
    here = str(tmp_path / "here")
    assert dcomplete(["eval", "data", "check", "--data", here]) == 1
    said = capsys.readouterr()
    assert "absent  set/a.txt" in said.out and "dcomplete eval data pull" in said.err
    assert dcomplete(["eval", "data", "pull", "--data", here]) == 0
    assert "2 files in" in capsys.readouterr().out
    assert dcomplete(["eval", "data", "pull", "set", "--data", here, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": here, "fetched": [], "files": 2}
    assert dcomplete(["eval", "data", "check", "--data", here, "--json"]) == 0
    states = [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["ok", "ok"]
    assert dcomplete(["eval", "data", "pull", "nope", "--data", here]) == 2
    assert "Unknown set 'nope'. Known: set." in capsys.readouterr().err


def test_where_data_are(monkeypatch, tmp_path, data_home):
    monkeypatch.delenv(data.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "__file__", str(tmp_path / "checkout/eval/dcomplete_eval/data.py"))
    assert data.folder() == data_home / "dcomplete/evaldata" == data.own_folder()
    (tmp_path / "shared/evaldata").mkdir(parents=True)
    assert data.folder() == tmp_path / "shared/evaldata"
    (tmp_path / "evaldata").mkdir()
    assert data.folder() == Path("evaldata")
    monkeypatch.setenv(data.VARIABLE, "~/told")
    assert data.folder() == Path.home() / "told"
    assert data.folder(tmp_path) == tmp_path


def test_what_is_downloaded_is_pinned_and_public():
    assert len({item.path for item in data.ITEMS}) == len(data.ITEMS) == 13
    for item in data.ITEMS:
        assert item.url.startswith("https://raw.githubusercontent.com/")
        assert len(item.url.split("/")[5]) == 40, "a commit, not a branch"
        assert len(item.sha256) == 64 and item.path.count("/") == 1


def test_the_data_beside_the_checkout_are_what_they_should_be():
    place = Path(__file__).parents[3] / "shared" / "evaldata"
    if not place.is_dir():
        pytest.skip("no evaluation data beside the repository")
    present = [item for item in data.ITEMS if (place / item.path).exists()]
    assert present and not data.missing(place, present)
