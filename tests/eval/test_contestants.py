"""Contestants that need no network: words, gold, empty, recorded, our engine, the rule of the cut."""

import json
import re
import sys

import pytest

import dcomplete
from dcomplete.errors import UserError
from dcomplete.types import InfillRequest
from dcomplete_eval.contestants import CONTESTANTS, check, contestant
from dcomplete_eval.contestants.around import Around
from dcomplete_eval.contestants.continuing import Cut
from dcomplete_eval.contestants.gap_editor import change
from dcomplete_eval.contestants.lsp import _between
from dcomplete_eval.contestants.spec import Spec
from dcomplete_eval.contestants.templates import TEMPLATES, known_by
from dcomplete_eval.replay.editor import offset, place
from dcomplete_eval.replay.trace import Patch
from dcomplete_eval.types import Answer, Task

TASK = Task("t/1", "b", "g", "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", "a + b")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("gold", Spec("gold")),
        ("engine:policy=threshold=0.9", Spec("engine", "", {"policy": "threshold=0.9"})),
        ("ar:a,b/c=d.gguf,threads=2", Spec("ar", "a,b/c=d.gguf", {"threads": "2"})),
        ("http+fim:http://h:1/v1,key=K", Spec("http+fim", "http://h:1/v1", {"key": "K"})),
        ("recorded:C:\\x.jsonl", Spec("recorded", "C:\\x.jsonl")),
    ],
)
def test_words(text, spec):
    assert Spec.read(text) == spec


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("engin", "Did you mean 'engine'"),
        ("engine:step=3", "Did you mean steps"),
        ("engine:steps=3,steps=4", "says steps twice"),
        ("engine:steps=many", "steps is a number, not 'many'"),
        ("engine:steps=0", "steps is at least 1, not 0"),
        ("engine:reuse=maybe", "reuse is yes or no"),
        ("engine:via=post", "via is one of here, process"),
        ("engine:length=long", "Length must be auto"),
        ("engine:policy=nope", "Unknown policy"),
        ("engine:model=nope", "Unknown model"),
        ("engine:via=process,threads=2", "leave out threads"),
        ("gold:x", "takes options only"),
        ("ar", "needs a GGUF file"),
        ("ar:x.gguf,threads=many", "threads is a number, not 'many'"),
        ("ar:/nowhere.gguf", "neither a GGUF file nor"),
        ("ar:~nobody-known/x.gguf", "neither a GGUF file nor"),
        ("recorded:/nowhere.jsonl", "cannot be read"),
        ("recorded:~nobody-known/x.jsonl", "cannot be read"),
        ("http+llama:ftp://x", "is no address"),
        ("http+llama:http://example.com", "is another machine"),
        ("http+openai:http://127.0.0.1:9,template=x", "no template 'x'; known: qwen"),
        ("http+fim:http://127.0.0.1:9,fim=no", "cannot continue"),
        ("http+fim:http://127.0.0.1:9,key=NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE"),
        ("lsp:multiline=often", "multiline is one of"),
    ],
)
def test_mistakes_are_one_sentence(text, sentence, tiny_model):
    text = text.replace("engine:", "engine:model=tiny,") if "model=" not in text else text
    with pytest.raises(UserError, match=sentence) as error:
        check(text)  # before a run begins, not when its turn comes
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("x.gguf", "xllamacpp", "dcomplete[llama]"), ("folder", "transformers", "transformers")],
)
def test_what_is_not_installed_is_said(tmp_path, monkeypatch, name, module, extra):
    (tmp_path / "x.gguf").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=re.escape(extra)):
        contestant(f"ar:{tmp_path / name}")


def test_every_kind_says_what_it_takes():
    for name in CONTESTANTS:
        kind = CONTESTANTS.get(name)
        assert callable(kind.make) and len(set(kind.options)) == len(kind.options)


def test_gold_and_empty():
    gold, empty = contestant("gold"), contestant("empty:name=nothing")
    assert gold.answer(TASK).text == TASK.gold and empty.answer(TASK).text == ""
    assert (gold.name, empty.name) == ("gold", "nothing")


def test_recorded_reads_runs_and_published_samples(tmp_path):
    path = tmp_path / "answers.jsonl"
    lines = [
        {"run": {"contestant": "x"}},
        {"task": "t/1", "answer": {"text": "a + b", "ms": 4.0, "tokens": 3}, "verdict": {}},
        {"task_id": "t/2", "completion": "pass"},
        {"task": "t/3", "text": "", "ms": 2},
        {"task_id": "t/2", "completion": "another"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8", newline="\n")
    who = contestant(f"recorded:{path}")
    assert who.name == "recorded:answers"
    assert who.answer(TASK) == Answer("a + b", 4.0, tokens=3)
    texts = [who.answer(Task(f"t/{i}", "b", "g", "", "", "")) for i in (2, 3, 4)]
    assert [t.text for t in texts] == ["pass", "", ""] and texts[2].error
    digest = who.settings()["sha256"]
    path.write_text(json.dumps({"task": "t/1", "text": "x"}), encoding="utf-8", newline="\n")
    assert contestant(f"recorded:{path}").settings()["sha256"] != digest


@pytest.mark.parametrize("text", ["", "{}", "nope", '{"task": "a"}', '{"task": "a", "text": 3}'])
def test_recorded_says_what_is_no_answer(tmp_path, text):
    path = tmp_path / "answers.jsonl"
    path.write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match=r"answers\.jsonl"):
        contestant(f"recorded:{path}")


def test_engine_in_process(tiny_model):
    who = contestant("engine:model=tiny,max_tokens=8,steps=4,dtype=float32,policy=topk=2")
    settings = who.settings()
    assert who.name == "engine:tiny:topk=2:dtype=float32:max_tokens=8:steps=4"
    assert {**settings, "threads": 0} == {
        "kind": "engine", "model": "tiny", "policy": "topk=2", "length": "auto", "steps": 4,
        "max_tokens": 8, "context": 1024, "temperature": 0.0, "seed": 0, "deadline_ms": None,
        "reuse": True, "device": settings["device"], "dtype": "float32", "threads": 0, "via": "here",
        "line_end": "inside", "post": "none", "branches": 0, "confidence": 0.0,
        "weights": settings["weights"],
    }  # fmt: skip
    answer = who.answer(TASK)
    same = dcomplete.open_engine("tiny", dtype="float32").infill(
        InfillRequest(TASK.prefix, TASK.suffix, policy="topk=2", max_tokens=8, steps=4)
    )
    assert answer.text == same.best.texts[0] and answer.score == same.best.score
    assert (answer.tokens, answer.steps, answer.forwards) == (
        same.best.tokens, same.steps, same.forwards
    )  # fmt: skip
    assert answer.ms > 0 and not answer.error
    who.close()


def test_engine_that_is_told_the_length(tiny_model):
    who = contestant("engine:model=tiny,length=oracle,device=cpu,max_tokens=2")
    assert who.name.startswith("engine:tiny:threshold:oracle")
    assert who.settings()["length"] == "oracle"
    for gold in ("a + b", "", "x" * 700):
        answer = who.answer(Task("t", "b", "g", TASK.prefix, TASK.suffix, gold))
        count = dcomplete.gap_counter("tiny")(InfillRequest(TASK.prefix, TASK.suffix), gold)
        assert answer.true_tokens == count
        assert answer.tokens == min(max(1, count), 512), answer.error
    assert count > 512


@pytest.mark.parametrize(
    ("prefix", "gold", "end"),
    [("a = 1\n", "b = 2\n", "\n"), ("a = 1\n", "b", ""), ("a = ", "b\n", "")],
)
def test_the_end_of_whole_lines_may_stay_in_the_document(tiny_model, prefix, gold, end):
    who = contestant("engine:model=tiny,line_end=outside,max_tokens=6,dtype=float32")
    assert who.settings()["line_end"] == "outside" and "line_end=outside" in who.name
    answer = who.answer(Task("t", "b", "g", prefix, "c = 3\n", gold))
    request = InfillRequest(prefix, end + "c = 3\n", max_tokens=6)
    same = dcomplete.open_engine("tiny", dtype="float32").infill(request)
    assert answer.text == same.best.texts[0] + end
    assert answer.true_tokens == dcomplete.gap_counter("tiny")(request, gold.removesuffix(end))


def test_the_count_is_of_the_gap_as_the_engine_cuts_it(tiny_model):
    count = dcomplete.gap_counter("tiny")
    assert count(InfillRequest("x = ", ""), "") == 1  # the space before the gap is taken into it
    assert count(InfillRequest("re", "urn"), "t") == 1  # "return" is one token of this tokenizer


def test_retrieved_text_is_the_engines_preamble(tiny_model):
    other = "# other.py\nvalue = 3\n"
    extra = {"retrieved": len(other)}
    task = Task("t", "b", "g", other + TASK.prefix, TASK.suffix, "a", extra=extra)
    around = Around.of(task, 1024)
    assert (around.extra, around.prefix) == (other, TASK.prefix)
    assert around.before == other + TASK.prefix
    who = contestant("engine:model=tiny,device=cpu,max_tokens=4")
    same = dcomplete.open_engine("tiny", "cpu").infill(
        InfillRequest(TASK.prefix, TASK.suffix, preamble=other, max_tokens=4)
    )
    assert who.answer(task).text == same.best.texts[0]


def test_around_is_clipped_at_lines():
    lines = "".join(f"line {i}\n" for i in range(1000))
    around = Around.of(Task("t", "b", "g", lines + "x = ", lines, ""), 100)
    assert lines.endswith(around.prefix.removesuffix("x = ")) and around.prefix[:5] == "line "
    assert lines.startswith(around.suffix) and around.suffix.endswith("\n")
    assert 200 < len(around.prefix) <= 300 and 50 < len(around.suffix) <= 100
    long = Around.of(Task("t", "b", "g", "y" * 1000, "z" * 1000, ""), 100)
    assert (long.prefix, long.suffix) == ("y" * 300, "z" * 100)


@pytest.mark.parametrize(
    ("prefix", "gold", "suffix", "said", "kept"),
    [
        ("a\n", "x = 1\n", "b\n", "y = 2\nz = 3\n", "y = 2\n"),
        ("a\n", "x = 1\n", "b\n", "\n\ny = 2\nz", "y = 2\n"),  # empty first lines
        ("a\n", "x\ny\n", "", "1\n2\n3\n", "1\n2\n"),
        ("a\n", "x\ny\n", "", "1\n2", "1\n2"),  # the model ended
        ("f(", "x", ")\nb", "y)\nmore", "y"),
        ("f(", "x", ")\nb", "g(y))\nmore", "g(y)"),
        ("r = ", "x", "\nb", " y\nmore", "y"),  # the space was the model's
        ("r = ", "x", "\nb", "y\nmore", "y"),
        ("if ", "x:\n    y", " + 1\n", "z:\n    w + 1\nmore", "z:\n    w"),
        ("f(", "x", ", last)", "y, l", "y"),  # cut short by the budget
        ("f(", "x", "", "y\n", "y"),
        ("", "x", "", "y", "y"),
    ],
)
def test_the_cut(prefix, gold, suffix, said, kept):
    cut = Cut.of(Task("t", "b", "g", prefix, suffix, gold))
    assert cut.apply(said) == kept
    assert cut.apply(said + "even\nmore\n") == kept or not cut.enough(said)


def test_the_cut_with_lines_that_are_said():
    task = Task("t", "b", "g", "a\n", "b", "x\ny\nz\n")
    assert Cut.of(task, 1).apply("1\n2\n3\n") == "1\n"
    assert Cut.of(task, 0).apply("1b\n2\n") == "1"


def test_the_prefix_is_shown_without_the_space_before_the_gap():
    cut = Cut.of(TASK)
    shown = cut.shown(Around.of(TASK, 1024))
    assert shown.prefix == TASK.prefix[:-1]


def test_templates():
    around = Around("P", "S", "E\n")
    assert TEMPLATES["qwen"].render(around) == "<|fim_prefix|>E\nP<|fim_suffix|>S<|fim_middle|>"
    assert TEMPLATES["codestral"].render(around) == "[SUFFIX]S[PREFIX]E\nP"
    assert TEMPLATES["codellama"].render(Around("P", "S")) == "<PRE> P <SUF>S <MID>"
    for template in TEMPLATES.values():
        assert known_by(set(template.marks).__contains__) is not None
    assert known_by({"\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>"}.__contains__) is not None
    assert known_by({"<|fim_prefix|>"}.__contains__) is None


@pytest.mark.parametrize("text", ["", "ab\ncd", "ä\n😀x\n\n", "😀😀"])
def test_places_are_utf_16(text):
    for at in range(len(text) + 1):
        assert offset(text, place(text, at)) == at
    if text == "😀😀":
        assert place(text, 1).character == 2


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (("f(x)", "\n"), "x"),  # the suggestion also replaced the bracket behind the cursor
        (("f(", ")\n"), ""),
        (("g(x", ")\n"), None),
        (("f(x", "\n"), None),
    ],
)
def test_what_stands_in_the_gap_after_a_suggestion(found, text):
    assert _between(found, Task("t", "b", "g", "f(", ")\n", "")) == text


def test_who_types_goes_over_what_the_editor_has_closed():
    task = Task("t", "b", "g", "def f(", ")\n", "")
    assert _between(("def f(x) -> int:", "\n"), task) is None
    assert _between(("def f(x) -> int:", "\n"), task, ")]") == "x) -> int:"
    assert _between(("def f(x)", "\n"), task, ")]") == "x"
    assert _between(("def f(x", "\n"), task, ")]") == "x"  # as the editor would leave it
    assert _between(("def f(x", ""), task, ")]") is None


@pytest.mark.parametrize(
    ("old", "new", "edit"),
    [
        ("same", "same", Patch(4, 0, "")),
        ("", "all", Patch(0, 0, "all")),
        ("f(x)", "f(xy)", Patch(3, 0, "y")),
        ("aa", "aaa", Patch(2, 0, "a")),
        ("aaa", "aa", Patch(2, 1, "")),
        ("one, two", "one, 2", Patch(5, 3, "2")),
        ("x = 1\n", "", Patch(0, 6, "")),
    ],
)
def test_a_keystroke_between_two_texts_is_their_smallest_edit(old, new, edit):
    assert change(old, new) == edit
