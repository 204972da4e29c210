"""`dcomplete train eval`: what is asked of it is what it does, and what it says of itself is true."""

import json
from types import SimpleNamespace

import pytest
import torch

from dcomplete.cli import run
from dcomplete.errors import UserError
from dcomplete.provenance import processor
from dcomplete.train.evaluate import Scored

GAP = {
    "prefix": "a", "suffix": "", "middle": "b", "kind": "line", "path": "p", "package": "k",
    "language": "python",
}  # fmt: skip
SEVERAL = ["--policy", "a", "--policy", "b", "--branches", "0", "--branches", "2"]


@pytest.fixture
def raised():
    """What filling raises after the first of two gaps, if anything."""
    return []


@pytest.fixture
def asked(tmp_path, monkeypatch, raised):
    """The command with an untrained base on the CPU of a machine that has a graphics card."""

    def fill(engine, gaps, settings, steps):
        for _ in gaps:
            yield [
                Scored("line", "python", bool(s.branches), 1.0, 0, 1, 1 + s.branches, 5.0)
                for s in settings
            ]
            for error in raised:
                raise error

    family = SimpleNamespace(name="base, untrained", label="float32", device=torch.device("cpu"))
    engine = SimpleNamespace(family=family, default_policy="p")
    monkeypatch.setattr("dcomplete.train.base.untrained", lambda source: engine)
    monkeypatch.setattr("dcomplete.train.evaluate.infill_gaps", fill)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "a card")
    gaps = tmp_path / "gaps.jsonl"
    gaps.write_text(f"{json.dumps(GAP)}\n" * 2, encoding="utf-8", newline="\n")
    return ["train", "eval", "--gaps", str(gaps), "--base", "x", "--json"]


def lines_of(capsys) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_device_is_the_engines(asked, capsys):
    assert run(asked) == 0
    [line] = lines_of(capsys)
    assert line["device"] == processor() and line["p50_ms"] == 5.0


@pytest.mark.parametrize("option", [("--dtype", "int8"), ("--model", "smol-135m")])
def test_what_a_base_cannot_use_is_refused(asked, capsys, option):
    assert run([*asked, *option]) == 2
    assert "leave out --model and --dtype" in capsys.readouterr().err


def test_lines_are_written_when_they_are_there(asked, capsys, tmp_path, monkeypatch):
    def fails(*_):
        raise UserError("No memory is left.")

    monkeypatch.setattr("dcomplete.train.evaluate.masked_nats", fails)
    out = tmp_path / "new" / "lines.jsonl"
    assert run([*asked, "--nats", "--out", str(out)]) == 2
    assert out.read_text("utf-8") == capsys.readouterr().out
    assert run([*asked, "--out", str(out / "below")]) == 2
    said = capsys.readouterr()
    assert "Cannot write" in said.err and not said.out


def test_every_setting_has_its_line(asked, capsys):
    assert run([*asked, *SEVERAL]) == 0
    lines = lines_of(capsys)
    said = [(x["policy"], x["branches"], x["exact"], x["forwards"]) for x in lines]
    assert said == [("a", 0, 0.0, 1), ("a", 2, 100.0, 3), ("b", 0, 0.0, 1), ("b", 2, 100.0, 3)]
    assert not any("p50_ms" in line for line in lines), "the first one read the context"


def test_what_was_filled_until_ctrl_c_is_told(asked, capsys, raised):
    raised.append(KeyboardInterrupt)
    assert run([*asked, *SEVERAL]) == 130
    assert [(x["gaps"], x["of"]) for x in lines_of(capsys)] == [(1, 2)] * 4


def test_no_gap_that_counts_is_one_sentence(asked, capsys, tmp_path):
    (tmp_path / "gaps.jsonl").write_text(json.dumps(GAP | {"kind": "body"}), encoding="utf-8")
    assert run([*asked, "--single-line"]) == 2
    assert "gaps.jsonl holds no gap within a line" in capsys.readouterr().err
