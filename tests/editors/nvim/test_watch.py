"""`:Dcomplete watch`: steps of denoising as ghost text."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

FRAMES = [
    [{"text": None, "pinned": False}] * 3,
    [
        {"text": "a", "pinned": False},
        {"text": None, "pinned": False},
        {"text": "\n  c", "pinned": False},
    ],
    [
        {"text": "a", "pinned": False},
        {"text": "b", "pinned": False},
        {"text": "\n  c", "pinned": False},
    ],
]


def highlights(editor):
    code = """
      local marks = vim.api.nvim_buf_get_extmarks(
        0, require('dcomplete.ghost').namespace, 0, -1, { details = true })
      return vim.tbl_map(function(chunk) return chunk[2] end, marks[1][4].virt_text)
    """
    return editor.lua(code)


def test_the_gap_is_seen_being_filled_and_the_result_can_be_accepted(launch, stub):
    editor = launch(step_ms=1200)
    stub.script(frames=FRAMES, invoked=[{"text": "ab\n  c"}])
    editor.open("x.py", "x = \n")
    editor.keys("$")
    editor.command("Dcomplete watch")
    editor.wait_ghost("░░░░░░")
    assert set(highlights(editor)) == {"DcompleteMask"}
    editor.wait_ghost("a░░\n  c")
    assert highlights(editor) == ["DcompleteNew", "DcompleteMask"]
    editor.wait_ghost("ab\n  c")
    assert highlights(editor) == ["DcompleteGhost", "DcompleteNew"]
    wait_for(lambda: highlights(editor) == ["DcompleteGhost"], "the suggestion")
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["x = ab", "  c"], "the text")
    assert stub.received("textDocument/inlineCompletion")[:-1] == []
    assert editor.problems == ""


def test_alternatives_to_what_was_watched_are_asked_for(editor, stub):
    stub.script(invoked=[{"text": "old"}])
    editor.open("x.py", "x = \n")
    editor.command("Dcomplete trigger")
    editor.wait_ghost("old")
    stub.script(frames=FRAMES[:1], invoked=[{"text": "ab"}])
    editor.command("Dcomplete watch")
    editor.wait_ghost("ab")
    stub.script(invoked=[{"text": "ab"}, {"text": "cd"}])
    editor.keys("<M-]>")
    editor.wait_ghost("cd 2/2")


def test_typing_stops_the_view(launch, stub):
    editor = launch(step_ms=300)
    stub.script(frames=FRAMES, invoked=[{"text": "ab"}])
    editor.open("x.py", "x = \n")
    editor.keys("A")
    editor.command("Dcomplete watch")
    editor.wait_ghost("░░░░░░")
    editor.keys("z")
    assert editor.ghost == ""
    editor.rest(0.9)
    assert editor.ghost == ""
    assert editor.problems == ""


def test_asking_by_key_stops_the_view_for_good(launch, stub):
    editor = launch(step_ms=500)
    stub.script(frames=FRAMES, invoked=[{"text": "ab"}])
    editor.open("x.py", "x = \n")
    editor.keys("A")
    editor.command("Dcomplete watch")
    editor.wait_ghost("░░░░░░")
    stub.script(invoked=[{"text": "other"}])
    editor.keys("<M-Bslash>")
    editor.wait_ghost("other")
    editor.rest(1.8)
    assert editor.ghost == "other"
    stub.script(frames=FRAMES, invoked=[{"text": "again"}])
    editor.command("Dcomplete watch")
    editor.wait_ghost("a░░\n  c")
    editor.wait_ghost("again")
    assert editor.problems == ""


@pytest.mark.parametrize("delay", [0, 1])
def test_dismissing_stops_the_view_whether_the_answer_is_there_or_not(launch, stub, delay):
    editor = launch(step_ms=500)
    stub.script(frames=FRAMES, invoked=[{"text": "ab"}])
    editor.open("x.py", "x = \n")
    editor.keys("A")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    editor.command("Dcomplete watch")
    if delay:
        stub.script(delay=delay, frames=FRAMES, invoked=[{"text": "ab"}])
    editor.wait_ghost("░░░░░░")
    editor.keys("<C-]>")
    editor.wait_ghost("")
    editor.rest(1.3)
    assert editor.ghost == ""
    assert editor.lines == ["x = "]
    assert editor.problems == ""


def test_a_watch_without_an_answer_says_why(editor, stub):
    refused = {"kind": "ready", "reason": "blank", "message": "There is nothing around."}
    stub.script(frames=FRAMES[:1], status=refused)
    editor.open("x.py")
    editor.command(
        "Dcomplete watch"
    )  # it begins to insert by itself: a key sent beside it would be text
    wait_for(lambda: editor.notes, "a sentence")
    assert editor.notes == ["dcomplete is ready. There is nothing around. (blank)"]
    assert editor.ghost == ""
