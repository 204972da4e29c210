"""The tree after edits equals a tree from nothing, for any text and any edits."""

import gc
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.context import trees
from dcomplete.context.languages import LANGUAGES, grammar
from dcomplete.context.trees import Edit, difference, encode, parse, reparse
from dcomplete.context.workspace import Workspace

SAMPLES = {
    "python": "def f(a):\n    return 'é😀' + a  # naïve\n\nclass A:\n    x = [1, 2]\n",
    "javascript": "const é = `a${b}`;\r\nfunction f(x) { return {x: '😀'} }\r\n",
    "json": '{"a": ["😀", 1, {"b": null}]}\n',
    "markdown": "# A\n\n- b\n\n```py\nc\n```\n",
}
TEXT = st.text(
    st.one_of(
        st.sampled_from("ab1 \n\t(){}[]:;=\"'#/`,.\r"),
        st.characters(),
        st.sampled_from("😀é\ud800"),
    ),
    max_size=12,
)


def shape(node):
    return (node.type, node.start_byte, node.end_byte, [shape(c) for c in node.children])


@pytest.mark.parametrize("name", SAMPLES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_edited_tree_equals_a_tree_from_nothing(name, data):
    parsed = parse(SAMPLES[name], LANGUAGES[name])
    text = SAMPLES[name]
    for _ in range(data.draw(st.integers(1, 4))):
        edits = []
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 10)))
            edits.append(Edit(start, end, data.draw(TEXT)))
            text = edits[-1].apply(text)
        parsed = reparse(parsed, edits)
        whole = parse(text, LANGUAGES[name])
        assert parsed.text == text
        assert parsed.data == whole.data == encode(text)
        assert same_spans(parsed, whole)


def same_spans(parsed, whole):
    """Trees agree; tree-sitter may choose another repair for broken code, so those need not."""
    if parsed.root.has_error or whole.root.has_error:
        return parsed.root.end_byte == whole.root.end_byte
    return shape(parsed.root) == shape(whole.root)


@given(text=TEXT, index=st.integers(0, 12))
@settings(max_examples=100, deadline=None)
def test_offsets_and_bytes_are_each_others_inverse(text, index):
    parsed = parse(text, LANGUAGES["python"])
    offset = min(index, len(text))
    assert parsed.offset(parsed.byte(offset)) == offset


@pytest.mark.parametrize("name", [n for n, language in LANGUAGES.items() if language.grammar])
def test_every_listed_grammar_is_installed_and_parses(name):
    assert grammar(LANGUAGES[name].grammar) is not None
    assert parse("a b\n", LANGUAGES[name]) is not None


def test_huge_and_minified_texts_have_no_tree(monkeypatch):
    monkeypatch.setattr(trees, "MOST_CHARACTERS", 100)
    monkeypatch.setattr(trees, "LONGEST_LINE", 50)
    python = LANGUAGES["python"]
    assert parse("x\n" * 49, python) is not None
    assert parse("x\n" * 51, python) is None
    assert parse("x" * 51, python) is None
    small = parse("x\n" * 49, python)
    assert reparse(small, [Edit(0, 0, "y\n" * 10)]) is None
    assert reparse(small, [Edit(0, 0, "y" * 60)]) is None


def test_a_parse_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(trees, "PATIENCE", -1.0)
    monkeypatch.setattr(trees, "QUICK", 0)
    assert parse("x = (1 + 2)\n" * 2000, LANGUAGES["python"]) is None


@pytest.mark.parametrize("quick", [trees.QUICK, 0])
def test_what_the_parser_has_read_is_let_go(monkeypatch, quick):
    """py-tree-sitter keeps what a read callback returns: once the whole text at every keystroke."""
    monkeypatch.setattr(trees, "QUICK", quick)
    parsed = parse("value = call(1, 2)\n" * 2000, LANGUAGES["python"])
    for place in (10, 20_000, 10):  # what is kept on purpose is there from now on
        parsed = reparse(parsed, [Edit(place, place, "x"), Edit(place, place + 1, "")])
    gc.collect()
    tracemalloc.start()
    try:
        for place in range(0, 30_000, 600):
            parsed = reparse(parsed, [Edit(place, place, "x"), Edit(place, place + 1, "")])
        gc.collect()
        kept = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, trees.__file__)])
        pieces = [trace.size for trace in kept.traces if trace.size > 200]
    finally:
        tracemalloc.stop()
    assert sum(pieces) < 10 * len(parsed.data)  # 50 reparses kept 50 times as much as they read


def test_large_real_file_edited_in_its_middle_keeps_an_equal_tree():
    text = Path(trees.__file__).read_text("utf-8")
    parsed = parse(text, LANGUAGES["python"])
    middle = text.index("\n\n", len(text) // 2)
    edit = Edit(middle, middle, "\n\ndef added(é: str) -> str:\n    return é\n")
    assert shape(reparse(parsed, [edit]).root) == shape(
        parse(edit.apply(text), LANGUAGES["python"]).root
    )


@given(
    places=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    added=st.sampled_from(["# é😀\n", "\n", "#\ud800\n", "# a\r\n"]),
)
@settings(max_examples=60, deadline=None)
def test_edits_that_keep_the_code_sound_give_the_very_same_tree(places, added):
    text = "".join(f"def f{n}(a):\n    return 'é😀' + a[{n}]\n\n\n" for n in range(15))
    parsed = parse(text, LANGUAGES["python"])
    edits = []
    for place in places:
        start = text.find("\n", place * len(text) // 61) + 1
        edits.append(Edit(start, start, added))
        text = edits[-1].apply(text)
    parsed = reparse(parsed, edits)
    assert not parsed.root.has_error
    assert shape(parsed.root) == shape(parse(text, LANGUAGES["python"]).root)


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_a_difference_is_the_edit_between_two_texts(old, new):
    edit = difference(old, new)
    assert edit.apply(old) == new
    assert not (old[edit.start : edit.end] and edit.text) or (
        old[edit.start] != edit.text[0] and old[edit.end - 1] != edit.text[-1]
    )


def test_what_a_document_might_become_keeps_its_context_and_parses_what_changed():
    workspace = Workspace()
    text = "import os\n\n\ndef f(names):\n    return sorted(names)\n"
    workspace.opened("file:///a.py", "python", text)
    workspace.tree("file:///a.py")
    next_text = text + "\n\nprint(f([]))\n"
    ahead = workspace.document("file:///a.py", next_text)
    assert ahead is not workspace.documents["file:///a.py"]
    assert ahead.tree().text == next_text
    assert str(ahead.tree().tree.root_node) == str(parse(next_text, ahead.language).tree.root_node)
    assert workspace.documents["file:///a.py"].text == text
    assert workspace.documents["file:///a.py"].tree().text == text
