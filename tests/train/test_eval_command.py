"""`dcomplete train eval`: what is asked of it is what it does, and what it says of itself is true."""

import json
from types import SimpleNamespace

import pytest
import torch

from dcomplete.cli import run
from dcomplete.errors import UserError
from dcomplete.provenance import processor
from dcomplete.train.evaluate import Scored


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The command with an untrained base on the CPU of a machine that has a graphics card."""
    family = SimpleNamespace(name="base, untrained", label="float32", device=torch.device("cpu"))
    engine = SimpleNamespace(family=family, default_policy="p")
    monkeypatch.setattr("dcomplete.train.base.untrained", lambda source: engine)
    monkeypatch.setattr("dcomplete.train.evaluate.infill_gaps", lambda *_, **__: iter(()))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "a card")
    gaps = tmp_path / "gaps.jsonl"
    gaps.write_text("", encoding="utf-8", newline="\n")
    return ["train", "eval", "--gaps", str(gaps), "--base", "x", "--json"]


def test_the_device_is_the_engines(asked, capsys):
    assert run(asked) == 0
    assert json.loads(capsys.readouterr().out)["device"] == processor()


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


def test_every_setting_has_its_line(asked, capsys, monkeypatch):
    def fill(engine, gaps, settings, steps):
        made = (
            ("line", "python", bool(s.branches), 1.0, 0, 1, 1 + s.branches, 5.0) for s in settings
        )
        yield [Scored(*values) for values in made]

    monkeypatch.setattr("dcomplete.train.evaluate.infill_gaps", fill)
    several = ["--policy", "a", "--policy", "b", "--branches", "0", "--branches", "2"]
    assert run([*asked, *several]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [(x["policy"], x["branches"], x["exact"], x["forwards"]) for x in lines]
    assert said == [("a", 0, 0.0, 1), ("a", 2, 100.0, 3), ("b", 0, 0.0, 1), ("b", 2, 100.0, 3)]
    assert not any("p50_ms" in line for line in lines), (
        "the first had read the context for the others"
    )
