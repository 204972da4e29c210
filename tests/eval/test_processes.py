"""Contestants that are processes of ours: the language server over stdio, the shared engine."""

import os
from dataclasses import replace

import pytest

import dcomplete
from dcomplete.errors import UserError
from dcomplete.serve.start import read_status, stop_engine
from dcomplete.settings import ModelSettings
from dcomplete.types import InfillRequest
from dcomplete_eval.contestants import contestant
from dcomplete_eval.types import Live, Task

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
TASK = Task("t/1", "b", "g", "def add(a, b):\n    x = 'é😀'; y = ", "\nprint(x)\n", "a + b")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's threads of several processes on few cores wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_the_engine_process(tiny_model):
    who = contestant("engine:model=tiny,via=process,max_tokens=6,dtype=float32,device=cpu")
    try:
        answer = who.answer(TASK)
        same = dcomplete.open_engine("tiny", "cpu", "float32").infill(
            InfillRequest(TASK.prefix, TASK.suffix, max_tokens=6)
        )
        assert answer.text == same.best.texts[0] and not answer.error
        assert answer.true_tokens and answer.forwards == same.forwards
        settings = who.settings()
        assert (settings["via"], settings["dtype"], settings["threads"]) == (
            "process",
            "float32",
            None,
        )
        assert "via=process" in who.name
        status = read_status()
        assert status is not None and status.pid != os.getpid()
    finally:
        who.close()
        assert stop_engine()


def test_the_language_server(tiny_model):
    who = contestant(
        "lsp:model=tiny,trigger=invoked,confidence=0,line_tokens=6,multiline=never,deadline=60000,"
        "branches=2"
    )
    try:
        assert read_status() is None  # its engine is its own
        settings = who.settings()
        assert (settings["kind"], settings["model"], settings["trigger"]) == (
            "lsp",
            "tiny",
            "invoked",
        )
        told = settings["settings"]["model"]
        assert (told["line_tokens"], told["branches"]) == (6, 2)
        assert told["block_tokens"] == ModelSettings().block_tokens and settings["weights"]
        assert who.name.startswith("lsp:tiny:")
        texts = []
        for text in ("é😀", "value", "é😀"):
            task = Task("t", "b", "g", TASK.prefix.replace("é😀", text), TASK.suffix, "")
            answer = who.answer(task)
            assert not answer.error and answer.ms > 0 and "\n" not in answer.text
            texts.append(answer.text)
        assert any(texts)
    finally:
        who.close()


def test_somebody_types_on_while_the_language_server_answers(tiny_model):
    who = contestant(
        "lsp:model=tiny,confidence=0,line_tokens=6,multiline=never,deadline=60000,dtype=float32"
    )
    assert isinstance(who, Live)
    try:
        first = who.typed(TASK).result(60)
        assert first.text and not first.error
        begun = replace(TASK, prefix=TASK.prefix + first.text[:1])
        assert who.typed(begun).result(60).text == first.text[1:], "who types it is shown its rest"
        given_up = who.typed(replace(TASK, prefix=TASK.prefix + "("))
        assert given_up.cancel() or given_up.done()
        assert who.typed(TASK).result(60).text == first.text, "the document went back as well"
    finally:
        who.close()


def test_what_the_language_server_declines_is_an_empty_answer(tiny_model):
    who = contestant("lsp:model=tiny,confidence=1")  # no doubt at all
    try:
        answer = who.answer(TASK)
        assert (answer.text, answer.error) == ("", "") and answer.ms > 0
    finally:
        who.close()


def test_the_language_server_has_the_workspace_open(tiny_model, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "main.py").write_text("", encoding="utf-8")
        (tmp_path / name / "inner" / "other.py").write_text(f"{name} = 1\n", encoding="utf-8")
    (tmp_path / "two" / ".dcompleteignore").write_text("inner/\n", encoding="utf-8")
    who = contestant(
        "lsp:model=tiny,sees=workspace,opened=1,trigger=invoked,confidence=0,line_tokens=6,"
        "multiline=never,deadline=60000"
    )
    try:
        assert who.settings()["sees"] == "workspace"
        for name in ("one", "two", "two", "one"):  # what is ignored, the workspace's folder says
            task = replace(TASK, folder=str(tmp_path / name), file="inner/main.py")
            answer = who.answer(task)
            assert not answer.error and (answer.text != "") == (name == "one")
    finally:
        who.close()


@pytest.mark.parametrize(("spec", "word"), [("model=nope", "nope"), ("model=tiny,policy=x", "'x'")])
def test_a_language_server_that_cannot_work_says_why(tiny_model, spec, word):
    with pytest.raises(UserError, match=word):
        contestant(f"lsp:{spec}")
