"""`dcomplete infill` on a tiny installed model: outputs, positions, and one sentence for every mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dcomplete.cli import infill, run
from dcomplete.errors import UserError
from dcomplete.models.checkpoint import MANIFEST
from tests.systems import WINDOWS

CODE = "def f(x):\n    return <GAP>\n\n\nprint(f(<GAP>))\n"
SMALL = ["--model", "tiny", "--max-tokens", "8", "--steps", "4"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "code.py"
    path.write_text(CODE, newline="\n")
    return path


def call(capsys, *arguments) -> tuple[int, str, str]:
    status = run([str(a) for a in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_json_has_all_that_is_promised(tiny_model, file, capsys):
    status, out, _ = call(capsys, "infill", file, *SMALL, "--json")
    answer = json.loads(out)
    assert status == 0 and len(answer["texts"]) == 2
    assert answer["gaps"] == [{"start": 21, "end": 21}, {"start": 32, "end": 32}]
    promised = "model device policy steps forwards tokens tokens_computed score finish timings_ms"
    assert set(promised.split()) <= set(answer)
    assert {"load", "tokenize", "prefill", "denoise", "total"} == set(answer["timings_ms"])
    one = call(capsys, "infill", file, *SMALL, "--json", "--at", "2:5")[1]
    assert isinstance(json.loads(one)["text"], str)


def test_filled_keeps_everything_else_to_the_character(tiny_model, file, capsys):
    texts = json.loads(call(capsys, "infill", file, *SMALL, "--json")[1])["texts"]
    whole = call(capsys, "infill", file, *SMALL, "--filled")[1]
    first, middle, last = CODE.split("<GAP>")
    assert whole == first + texts[0] + middle + texts[1] + last


def test_diff_is_one_of_the_text_without_markers(tiny_model, file, capsys):
    out = call(capsys, "infill", file, *SMALL, "--diff")[1]
    assert out.startswith("--- a/") and "\n+" in out and "<GAP>" not in out


def test_write_changes_the_file_in_place_and_keeps_its_mode(tiny_model, file, capsys):
    file.chmod(0o640)
    whole = call(capsys, "infill", file, *SMALL, "--filled")[1]
    status, out, err = call(capsys, "infill", file, *SMALL, "--write")
    assert status == 0 and out == "" and "Filled 2 gaps" in err
    assert file.read_text("utf-8") == whole and (WINDOWS or file.stat().st_mode & 0o777 == 0o640)
    assert not [p for p in file.parent.iterdir() if p.name.startswith(".dcomplete")]


def test_the_infill_alone_goes_to_a_pipe_as_it_is(tiny_model, file, capsys):
    text = json.loads(call(capsys, "infill", file, *SMALL, "--json", "--at", "2:12")[1])["text"]
    out = call(capsys, "infill", file, *SMALL, "--at", "2:12")[1]
    assert out == text + ("" if text.endswith("\n") else "\n")


def test_to_replaces_a_span(tiny_model, file, capsys):
    whole = call(capsys, "infill", file, *SMALL, "--at", "1:1", "--to", "2:5", "--filled")[1]
    assert whole.endswith(CODE[14:]) and not whole.startswith("def f(x):\n")


def test_crlf_and_byte_order_mark_are_kept(tiny_model, tmp_path, capsys):
    path = tmp_path / "dos.py"
    path.write_bytes(("\ufeff" + CODE).replace("\n", "\r\n").encode())
    call(capsys, "infill", path, *SMALL, "--write")
    raw = path.read_bytes().decode()
    assert raw.startswith("\ufeffdef f(x):\r\n    return ") and raw.endswith("))\r\n")
    assert "\n" not in raw.replace("\r\n", "")


def test_a_byte_order_mark_has_no_column(tiny_model, tmp_path, capsys):
    """No editor shows it, and what is inserted comes behind it."""
    path = tmp_path / "dos.py"
    path.write_bytes(("\ufeff" + CODE).encode())
    bare = tmp_path / "bare.py"
    bare.write_bytes(CODE.encode())
    for place in ("1:1", "1:5"):
        marked = call(capsys, "infill", path, *SMALL, "--at", place, "--filled")[1]
        assert (
            marked == "\ufeff" + call(capsys, "infill", bare, *SMALL, "--at", place, "--filled")[1]
        )
    status, _, err = call(capsys, "infill", path, *SMALL, "--at", "1:99")
    assert status == 2 and f"columns 1 to {len(CODE.partition(chr(10))[0]) + 1}" in err


def test_several_samples(tiny_model, file, capsys):
    more = ("--samples", 3, "--temperature", 1.0, "--at", "2:12")
    answer = json.loads(call(capsys, "infill", file, *SMALL, *more, "--json")[1])
    assert len(answer["samples"]) == 3
    assert call(capsys, "infill", file, *SMALL, *more)[1].count("--- answer") == 3


def test_branches_are_different_answers_and_only_the_best_is_printed(tiny_model, file, capsys):
    more = ("--branches", 4, "--length", 5, "--steps", 64, "--at", "2:12")
    answer = json.loads(call(capsys, "infill", file, *SMALL, *more, "--samples", 9, "--json")[1])
    texts = [one["texts"][0] for one in answer["samples"]]
    assert 1 < len(texts) == len(set(texts)) <= 5
    assert call(capsys, "infill", file, *SMALL, *more)[1].rstrip("\n") == texts[0].rstrip("\n")


def test_who_asks_gets_the_best_of_eight_branches_unless_it_is_said_or_drawn(file, monkeypatch):
    asked = []

    def stop(model, device, dtype, request):
        asked.append(request.branches)
        raise UserError("That is all.")

    monkeypatch.setattr(infill, "_engine", stop)
    for more in ((), ("--branches", 0), ("--branches", 3), ("--temperature", 0.7)):
        assert run(["infill", str(file), "--at", "2:12", "--in-process", *map(str, more)]) == 2
    assert asked == [8, 0, 3, 0]


def test_as_much_is_printed_as_is_sure(tiny_model, file, capsys):
    more = ("infill", file, "--at", "2:12", "--in-process", "--branches", 0, "--confidence")
    whole = json.loads(call(capsys, *more, 0, "--json")[1])
    status, out, err = call(capsys, *more, 1, "--json")
    cut = json.loads(out)
    assert cut["finish"] == "unsure" and whole["text"].startswith(cut["text"])
    assert (status, "not sure enough" in err) == ((0, False) if cut["text"] else (1, True))
    status, out, err = call(capsys, *more, 2)
    assert (status, out) == (2, "") and "Confidence must be from 0 to 1." in err


def test_standard_input(tiny_model):
    done = subprocess.run(
        [sys.executable, "-m", "dcomplete", "infill", "-", *SMALL, "--filled"],
        input=CODE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith("def f(x):\n    return ")


WRONG = {
    "missing file": (["no.py"], "no file no.py"),
    "folder": (["."], "is a folder"),
    "no marker": (["{file}", "--gap", "@@"], "not in the text"),
    "empty marker": (["{file}", "--gap", ""], "must not be empty"),
    "to without at": (["{file}", "--to", "1:1"], "--to needs --at"),
    "line outside": (["{file}", "--at", "99:1"], "no line 99: the text has 6 lines"),
    "column outside": (["{file}", "--at", "1:11"], "columns 1 to 10"),
    "column zero": (["{file}", "--at", "1:0"], "columns 1 to 10"),
    "a line of 5,000 digits": (["{file}", "--at", "9" * 5000 + ":1"], "too large"),
    "no name": ([""], "name of the file is empty"),
    "no number": (["{file}", "--at", "²:1"], "LINE:COL"),
    "place and marker": (["{file}", "--at", "1:1", "--gap", "@@"], "not both"),
    "no position": (["{file}", "--at", "12"], "LINE:COL"),
    "backwards": (["{file}", "--at", "2:1", "--to", "1:1"], "lies before"),
    "unknown model": (["{file}", "--model", "gpt"], "Unknown model 'gpt'"),
    "unknown policy": (["{file}", "--policy", "treshold"], "Did you mean 'threshold'"),
    "unknown device": (["{file}", "--device", "tpu9"], "nknown device|not supported"),
    "unknown dtype": (["{file}", "--dtype", "int3"], "Unknown dtype"),
    "steps": (["{file}", "--steps", "0"], "at least 1"),
    "two outputs": (["{file}", "--diff", "--json"], "only one of"),
    "unknown option": (["{file}", "--colour"], "No such option"),
    "bad number": (["{file}", "--steps", "many"], "--steps"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_sentence_and_exit_status_2(case, tiny_model, file, capsys):
    arguments, sentence = WRONG[case]
    before = file.read_bytes()
    shown = [a.format(file=file) for a in arguments]
    model = [] if "--model" in shown else ["--model", "tiny"]
    status, out, err = call(capsys, "infill", *shown, *model)
    assert status == 2 and out == ""
    assert any(part in " ".join(err.split()) for part in sentence.split("|")), err
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"\x7fELF\0\0\1<GAP>", "binary file"),
        (b"x = '\xff\xfe' <GAP>\n", "not valid UTF-8 (byte 5)"),
    ],
)
def test_what_is_no_text_is_refused(raw, sentence, tiny_model, tmp_path, capsys):
    path = tmp_path / "file.py"
    path.write_bytes(raw)
    status, _, err = call(capsys, "infill", path, "--model", "tiny")
    assert status == 2 and sentence in err


DAMAGE = {
    "truncated weights": lambda f: os.truncate(next(f.glob("*.safetensors")), 1000),
    "no weights": lambda f: next(f.glob("*.safetensors")).unlink(),
    "damaged manifest": lambda f: (f / MANIFEST).write_text("{"),
    "other version": lambda f: (f / MANIFEST).write_text('{"format": 99}'),
    "no tokenizer": lambda f: (f / "tokenizer.json").unlink(),
    "damaged tokenizer": lambda f: (f / "tokenizer.json").write_text("{}"),
    "pickled": lambda f: next(f.glob("*.safetensors")).rename(f / "model.bin"),
    "another shape": lambda f: (f / MANIFEST).write_text(
        (f / MANIFEST).read_text().replace('"mlp": 64', '"mlp": 65')
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_model_is_one_sentence(kind, tiny_model, file, capsys):
    DAMAGE[kind](tiny_model)
    status, out, err = call(capsys, "infill", file, *SMALL)
    assert status == 2 and out == "" and err.startswith("dcomplete: ") and err.count("\n") == 1


def test_no_memory_for_the_model_is_one_sentence(data_home, file):
    """A model of 6 GB in a process that may have less: real weights (of zeros), a real limit."""
    resource = pytest.importorskip("resource", reason="Windows limits no process's memory")
    from dataclasses import replace

    from safetensors.torch import save_file

    from dcomplete.models.checkpoint import Manifest
    from tests.conftest import SPECIALS, TINY, byte_tokenizer_json

    config = replace(TINY, vocab=3_000_000, hidden=512, layers=0)
    folder = data_home / "dcomplete" / "models" / "huge"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(Manifest(config, SPECIALS).to_json())
    (folder / "tokenizer.json").write_text(byte_tokenizer_json())
    header = {"embed.weight": torch.zeros(0, 512), "norm.weight": torch.ones(512)}
    save_file(header, folder / "model.safetensors")
    _claim_rows(folder / "model.safetensors", 3_000_000, 512)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (9 << 30, 9 << 30))

    done = subprocess.run(
        [sys.executable, "-m", "dcomplete", "infill", str(file), "--model", "huge"],
        capture_output=True, text=True, check=False, preexec_fn=limit,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Not enough memory" in done.stderr and "Traceback" not in done.stderr


def _claim_rows(path: Path, rows: int, columns: int) -> None:
    """Make the file's first tensor a sparse one of `rows` rows."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    norm = raw[8 + size :]
    bytes_ = rows * columns * 4
    header = {
        "norm.weight": {"dtype": "F32", "shape": [columns], "data_offsets": [0, len(norm)]},
        "embed.weight": {
            "dtype": "F32", "shape": [rows, columns], "data_offsets": [len(norm), len(norm) + bytes_],
        },
    }  # fmt: skip
    text = json.dumps(header).encode()
    with path.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text + norm)
        out.truncate(8 + len(text) + len(norm) + bytes_)


def test_help_has_examples_for_every_command(capsys):
    for command in (
        ["infill"], ["doctor"], ["bench"], ["models"], ["models", "list"], ["models", "info"],
        ["models", "check"], ["models", "import"], ["models", "remove"], ["train", "prepare"],
        ["train", "run"], ["train", "export"], ["train", "eval"],
    ):  # fmt: skip
        status, out, _ = call(capsys, *command, "--help")
        assert status == 0 and "Example" in out, command


def test_version(capsys):
    import dcomplete

    assert call(capsys, "--version")[1].strip() == f"dcomplete {dcomplete.__version__}"
