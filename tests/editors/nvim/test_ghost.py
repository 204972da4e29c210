"""Ghost text: when it appears, stays, moves and goes, and what the server is asked."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

INLINE = "textDocument/inlineCompletion"
# Braces close themselves, and Enter parts them, as with a plug-in for pairs
PAIRS = """
vim.keymap.set('i', '{', '{}<Left>')
vim.keymap.set('i', '<CR>', '<CR><Up><End><CR>    ')
"""


def test_several_lines_are_shown_inline_and_below(editor, stub):
    stub.script(automatic=[{"text": "a, b):\n\treturn a\n"}])
    editor.open("sum.py", tabstop=8)
    editor.keys("idef add(")
    wait_for(lambda: editor.marks, "ghost text")
    (mark,) = editor.marks
    assert (mark["row"], mark["col"], mark["pos"]) == (0, 8, "inline")
    assert (mark["text"], mark["below"]) == ("a, b):", ["        return a", ""])


def test_text_behind_the_cursor_is_shown_where_it_will_be(editor, stub):
    stub.script(automatic=[{"text": "x,\n    y"}])
    editor.open("call.py", "add(); done()\n")
    editor.keys("f)i")
    wait_for(lambda: editor.marks, "ghost text")
    (mark,) = editor.marks
    assert (mark["pos"], mark["text"]) == ("overlay", "x,       ")
    assert mark["below"] == ["    y); done()"]


def test_a_block_between_braces_is_asked_for_again_once_they_have_lines_of_their_own(launch, stub):
    editor = launch(PAIRS)
    stub.script(automatic=[{"text": "\n    return a;\n}", "behind": 1}])
    editor.open("add.c", "int f()\n", autoindent=False)
    editor.keys("A {")
    wait_for(lambda: editor.marks, "ghost text")
    (mark,) = editor.marks
    assert (mark["below"], editor.lines) == (["    return a;", "}"], ["int f() {}"])
    asked = len(stub.received(INLINE))
    stub.script(automatic=[{"text": "return a;"}])
    editor.keys("<CR>")
    editor.wait_ghost("return a;")
    assert (editor.lines, len(stub.received(INLINE))) == (["int f() {", "    ", "}"], asked + 1)
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines[1] == "    return a;", "the block")


def test_a_closer_that_enter_puts_below_is_not_taken_twice(launch, stub):
    editor = launch(PAIRS)
    stub.script(automatic=[{"text": "{\n    return a;\n}"}])
    editor.open("add.c", "int f()\n", autoindent=False)
    editor.keys("A ")
    wait_for(lambda: editor.marks, "ghost text")
    editor.keys("{")
    wait_for(lambda: editor.marks and editor.lines == ["int f() {}"], "ghost text behind the brace")
    stub.script(automatic=[{"text": "return a;"}])
    editor.keys("<CR>")
    editor.wait_ghost("return a;")
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["int f() {", "    return a;", "}"], "the block")


def test_what_is_replaced_by_other_text_is_struck_out(editor, stub):
    stub.script(automatic=[{"text": "new", "behind": 3}])
    editor.open("x.py", " old\n")
    editor.keys("fogi<Esc>0a")
    wait_for(lambda: len(editor.marks) == 2, "the strike and the text")
    assert {mark.get("highlight") for mark in editor.marks} >= {"DcompleteReplaced"}
    assert editor.ghost == "new"


def test_typing_through_keeps_the_ghost_text_and_asks_nothing(editor, stub):
    stub.script(automatic=[{"text": "return a\n"}])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("return a\n")
    asked = len(stub.received(INLINE))
    for typed in range(1, 8):
        editor.keys("return a"[typed - 1])
        assert editor.ghost == "return a\n"[typed:]  # at once, without waiting
    editor.idle()
    assert len(stub.received(INLINE)) == asked
    editor.keys("<BS><BS>")
    editor.wait_ghost("n a\n")
    assert len(stub.received(INLINE)) == asked


def test_typing_something_else_hides_it_at_once(editor, stub):
    stub.script(automatic=[{"text": "return a"}], at=[0, 1])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("return a")
    editor.keys("z")
    assert editor.ghost == ""


def test_leaving_insert_mode_hides_it(editor, stub):
    stub.script(automatic=[{"text": "return a"}])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("return a")
    editor.keys("<Esc>")
    wait_for(lambda: editor.ghost == "", "nothing")


def test_a_late_answer_is_shown_if_it_still_fits(editor, stub):
    stub.script(automatic=[{"text": "turn x"}], delay=0.3, at=[0, 2])
    editor.open("x.py")
    editor.keys("ire")
    stub.wait(INLINE)
    editor.lua("require('dcomplete.config').override({ debounce = 1000 })")
    editor.keys("tu")
    editor.wait_ghost("rn x")


def test_overtaken_requests_are_cancelled(editor, stub):
    stub.script(automatic=[{"text": "x"}], delay=0.8)
    editor.open("x.py")
    editor.keys("ia")
    stub.wait(INLINE)
    editor.keys("b")
    stub.wait("$/cancelRequest")
    assert editor.ghost == ""
    stub.wait(INLINE, 2)
    editor.wait_ghost("x")


def test_a_null_answer_shows_nothing_and_is_no_error(editor, stub):
    stub.script(null=True)
    editor.open("x.py")
    editor.keys("ia")
    stub.wait(INLINE)
    editor.idle()
    assert editor.ghost == ""


def test_shown_is_told_after_750_ms_and_only_then(editor, stub):
    stub.script(automatic=[{"text": "return a"}], at=[0, 1])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("return a")
    editor.rest(0.3)
    assert stub.received("textDocument/didShowCompletion") == []
    (told,) = stub.wait("textDocument/didShowCompletion")
    assert told["item"]["insertText"] == "return a"


def test_what_was_gone_earlier_is_not_told_as_shown(editor, stub):
    stub.script(automatic=[{"text": "return a"}], at=[0, 1])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("return a")
    editor.keys("z")
    editor.rest(0.9)
    assert stub.received("textDocument/didShowCompletion") == []


def test_cycling_asks_for_more_once_and_goes_round(editor, stub):
    stub.script(
        automatic=[{"text": "one"}],
        invoked=[{"text": text} for text in ("one", "two", "three")],
    )
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("one")
    for expected in ("two 2/3", "three 3/3", "one 1/3"):
        editor.keys("<M-]>")
        editor.wait_ghost(expected)
    editor.keys("<M-[>")
    editor.wait_ghost("three 3/3")
    kinds = [one["context"]["triggerKind"] for one in stub.received(INLINE)]
    assert kinds.count(1) == 1


def test_cycling_leaves_out_what_no_longer_fits(editor, stub):
    stub.script(invoked=[{"text": text} for text in ("to be", "two", "or", "to see", "not")])
    editor.open("x.py")
    editor.keys("i#<M-Bslash>")
    editor.wait_ghost("to be 1/5")
    editor.keys("t")
    editor.wait_ghost("o be 1/3")
    for key, expected in (("<M-]>", "wo 2/3"), ("<M-]>", "o see 3/3"), ("<M-[>", "wo 2/3")):
        editor.keys(key)
        editor.wait_ghost(expected)
    editor.keys("w")
    editor.wait_ghost("o")
    for key in ("<M-]>", "<M-[>"):
        editor.keys(key)
        editor.idle()
        assert editor.ghost == "o"


def test_dismissing_tells_the_server_and_stays_quiet(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("one")
    asked = len(stub.received(INLINE))
    editor.keys("<C-]>")
    assert stub.wait("dcomplete/didDismiss") == [{"id": "id0"}]
    editor.rest(0.15)
    assert (editor.ghost, len(stub.received(INLINE))) == ("", asked)


def test_with_automatic_off_only_a_trigger_asks(launch, stub):
    editor = launch(settings={"trigger": {"automatic": False}})
    stub.script(invoked=[{"text": "one"}, {"text": "two"}])
    editor.open("x.py")
    editor.keys("i#")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients()"), "the server")
    editor.rest(0.15)
    assert stub.received(INLINE) == []
    editor.keys("<M-Bslash>")
    editor.wait_ghost("one 1/2")


def test_a_trigger_from_normal_mode_enters_insert_mode(editor, stub):
    stub.script(invoked=[{"text": "one"}])
    editor.open("x.py", "x = \n")
    editor.keys("$")
    editor.command("Dcomplete trigger")
    editor.wait_ghost("one")
    assert editor.marks[0]["col"] == 4


def test_a_trigger_without_an_answer_says_why(editor, stub):
    refused = {"kind": "ready", "reason": "word-follows", "message": "A word follows."}
    stub.script(status=refused)
    editor.open("x.py")
    editor.keys("i#<M-Bslash>")
    wait_for(lambda: editor.notes, "a sentence")
    assert editor.notes == ["dcomplete is ready. A word follows. (word-follows)"]
    assert editor.lua("return require('dcomplete').statusline()") == "dcomplete: word-follows"
    assert editor.lua("return vim.b.dcomplete_status.message") == "A word follows."


def test_what_is_asked_for_by_key_is_not_overtaken_by_what_was_about_to_be_asked(editor, stub):
    editor.open("x.py")
    editor.keys("i")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    editor.rest(0.2)
    stub.script(invoked=[{"text": "one"}])
    # Both timers are due when the editor has time again, as on a busy machine.
    editor.lua("""
      local suggest = require('dcomplete.suggest')
      vim.api.nvim_put({ 'x' }, 'c', true, true)
      vim.defer_fn(function() suggest.ask(true) end, 1)
      suggest.changed()
      vim.uv.sleep(100)
    """)
    editor.wait_ghost("one")
    editor.rest(0.2)
    assert editor.ghost == "one"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_are_right_in_every_encoding(editor, stub, encoding):
    stub.script(encoding=encoding, automatic=[{"text": "é😀z", "behind": 1, "before": 1}])
    editor.open("x.py", "'😀é" + "é)\n")
    editor.keys("f)i")
    wait_for(lambda: stub.received(INLINE), "a request")
    units = {"utf-8": 9, "utf-16": 5, "utf-32": 4}[encoding]
    assert stub.received(INLINE)[0]["position"] == {"line": 0, "character": units}
    if encoding != "utf-8":  # there one unit before the cursor is half a letter
        wait_for(lambda: editor.ghost == "😀z", "ghost text")
        editor.keys("<Tab>")
        wait_for(lambda: editor.lines == ["'😀éé😀z"], "the text")


def test_the_request_names_the_indentation(editor, stub):
    stub.script()
    editor.open("x.py", expandtab=True, shiftwidth=3)
    editor.keys("ia")
    options = stub.wait(INLINE)[0]["formattingOptions"]
    assert options == {"tabSize": 3, "insertSpaces": True}


@pytest.mark.parametrize("key", ["i", "a", "I", "A", "gi", "o"])
def test_entering_insert_mode_asks_whether_the_cursor_moves_or_not(editor, stub, key):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py", "text\n")
    editor.keys("ab<Esc>")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    editor.rest(0.2)
    assert editor.ghost == ""
    editor.keys(key)
    editor.wait_ghost("one")
