"""Accepting: what is in the buffer afterwards, what undo takes back, what the server is told."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

TWO_LINES = "a, b):\n    return a + b"


def start_typing(editor, stub, text=TWO_LINES, typed="def add(", **more):
    stub.script(automatic=[{"text": text, **more}], at=[0, len(typed)])
    editor.open("sum.py")
    editor.keys("i" + typed)
    wait_for(lambda: editor.ghost, "ghost text")


def test_tab_inserts_the_whole_suggestion_and_runs_its_command(editor, stub):
    start_typing(editor, stub)
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["def add(a, b):", "    return a + b"], "the text")
    assert stub.wait("workspace/executeCommand")[0]["arguments"] == ["id0"]
    assert editor.lua("return vim.api.nvim_win_get_cursor(0)") == [2, 16]
    assert editor.ghost == ""


def test_undo_takes_back_what_was_accepted_and_no_more(editor, stub):
    start_typing(editor, stub)
    accepted = ["def add(a, b):", "    return a + b"]
    editor.keys("<Tab>x<Esc>u")
    wait_for(lambda: editor.lines == accepted, "the suggestion without what was typed after it")
    editor.keys("u")
    wait_for(lambda: editor.lines == ["def add("], "the text without the suggestion")
    editor.keys("<C-r><C-r>")
    wait_for(lambda: editor.lines == [accepted[0], accepted[1] + "x"], "all of it again")


def test_words_are_accepted_one_by_one(editor, stub):
    start_typing(editor, stub)
    seen = []
    for _ in range(5):
        editor.keys("<C-Right>")
        editor.idle()
        seen.append("\n".join(editor.lines))
    assert seen == [
        "def add(a",
        "def add(a,",
        "def add(a, b",
        "def add(a, b):",
        "def add(a, b):\n    return",
    ]
    assert editor.ghost == " a + b"
    told = stub.wait("textDocument/didPartiallyAcceptCompletion", 5)
    assert [one["acceptedLength"] for one in told] == [1, 2, 4, 6, 17]
    assert stub.received("workspace/executeCommand") == []


def test_the_last_word_is_an_acceptance(editor, stub):
    start_typing(editor, stub, text="one two")
    editor.keys("<C-Right><C-Right>")
    assert stub.wait("workspace/executeCommand")[0]["arguments"] == ["id0"]
    assert editor.lines == ["def add(one two"]


def test_lines_are_accepted_one_by_one(editor, stub):
    start_typing(editor, stub)
    editor.keys("<C-Down>")
    wait_for(lambda: editor.lines == ["def add(a, b):"], "the first line")
    wait_for(lambda: editor.ghost == "\n    return a + b", "the rest")
    editor.keys("<C-Down>")
    wait_for(lambda: editor.lines == ["def add(a, b):", "    return a + b"], "the second")
    stub.wait("workspace/executeCommand")


def test_accepted_lengths_count_utf16_units(editor, stub):
    start_typing(editor, stub, text="'😀é' + x", typed="s = ")
    editor.keys("<C-Right>" * 3)
    told = stub.wait("textDocument/didPartiallyAcceptCompletion", 3)
    assert editor.lines == ["s = '😀é'"]
    assert [one["acceptedLength"] for one in told][-1] == 5  # the emoji has two


def test_a_bracket_behind_the_cursor_is_replaced(editor, stub):
    stub.script(automatic=[{"text": "a, b)", "behind": 1}])
    editor.open("call.py", "add()\n")
    editor.keys("f)i")
    editor.wait_ghost("a, b")
    editor.keys("<C-Right>")
    editor.idle()
    assert editor.lines == ["add(a)"]
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["add(a, b)"], "the text")


def test_a_bracket_that_the_editor_closes_while_typing_belongs_to_the_suggestion(editor, stub):
    editor.command("inoremap ( ()<Left>")
    stub.script(automatic=[{"text": "(a, b)"}], at=[0, 3])
    editor.open("call.py")
    editor.keys("iadd")
    editor.wait_ghost("(a, b)")
    editor.keys("(")
    editor.wait_ghost("a, b")
    assert editor.lines == ["add()"]
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["add(a, b)"], "the text")


def test_what_is_typed_after_the_answer_is_never_inserted_twice(editor, stub):
    """The key and the acceptance come in one go, before any event could redraw."""
    start_typing(editor, stub)
    editor.keys("a,<Tab>")
    wait_for(lambda: editor.lines == ["def add(a, b):", "    return a + b"], "the text")


def test_a_suggestion_that_no_longer_fits_is_not_inserted(editor, stub):
    start_typing(editor, stub)
    editor.lua("vim.api.nvim_buf_set_text(0, 0, 4, 0, 7, {'sub'})")
    assert editor.lua("return require('dcomplete').accept()") is False
    assert editor.lines == ["def sub("]
    assert editor.ghost == ""


def test_keys_fall_back_to_what_they_did_before(launch, stub):
    editor = launch("vim.keymap.set('i', '<C-Right>', 'WORD')\nvim.o.expandtab = false")
    editor.open("plain.py")
    editor.keys("ix<Tab>y<C-Right>")
    wait_for(lambda: editor.lines == ["x\tyWORD"], "a tab and the old mapping")


@pytest.mark.parametrize("key", ["<Tab>", "<C-Right>", "<C-Down>", "<C-]>"])
def test_keys_that_fall_back_expand_abbreviations_where_they_did_before(launch, stub, key):
    found = []
    for keymaps in (False, True):
        editor = launch("vim.cmd('iabbrev teh the | iabbrev the THE')", keymaps=keymaps)
        editor.open("plain.py")
        editor.keys("iteh")
        editor.idle()
        editor.keys(f"{key}.")
        wait_for(lambda editor=editor: editor.lines[0].endswith("."), "the key")
        found.append(editor.lines)
    assert found[0] == found[1]


SCRIPT = """
function s:Key()
  return 'expr '
endfunction
inoremap <expr> <Tab> <SID>Key()
inoremap <C-Right> <C-r>=<sid>Key()<CR>
imap <C-Down> <SID>(plain)
inoremap <SID>(plain) plain
"""


def test_a_scripts_own_functions_and_maps_are_still_found_by_its_keys(launch, stub, tmp_path):
    script = tmp_path / "keys.vim"
    script.write_text(SCRIPT)
    editor = launch(f"vim.cmd.source({str(script)!r})")
    editor.open("plain.py")
    editor.keys("i<Tab><C-Right><C-Down>")
    wait_for(lambda: editor.lines == ["expr expr plain"], "the script's text")
    assert editor.problems == ""


@pytest.mark.parametrize("key", ["<Tab>", "<C-Right>", "<C-Down>", "<M-]>", "<C-]>"])
def test_a_buffers_own_map_does_not_become_the_fallback_of_other_buffers(launch, stub, key):
    editor = launch(f"vim.keymap.set('i', '{key}', 'GLOBAL')")
    editor.open("first.py")
    editor.command(f"inoremap <buffer> {key} LOCAL")
    editor.keys(f"i{key}<Esc>")
    wait_for(lambda: editor.lines == ["LOCAL"], "the buffer's own map")
    editor.command("write")
    editor.open("second.py")
    editor.keys(f"i{key}")
    wait_for(lambda: editor.lines == ["GLOBAL"], "the global one")


def test_plug_maps_work_without_the_opt_in_keys(launch, stub):
    editor = launch(keymaps=False)
    editor.command("imap <C-l> <Plug>(dcomplete-accept-word)")
    start_typing(editor, stub)
    assert editor.lua("return vim.fn.maparg('<C-Down>', 'i')") == ""
    editor.keys("<C-l>")
    wait_for(lambda: editor.lines == ["def add(a"], "the word")


def test_crlf_files_keep_their_line_ends(editor, stub):
    path = editor.open("dos.py", "import os\r\n")
    assert editor.lua("return vim.bo.fileformat") == "dos"
    stub.script(automatic=[{"text": "f(x):\r\n    return x"}], at=[1, 4])
    editor.keys("odef ")
    editor.wait_ghost("f(x):\n    return x")
    editor.keys("<C-Down><C-Right>")
    told = stub.wait("textDocument/didPartiallyAcceptCompletion", 2)
    assert told[1]["acceptedLength"] == len("f(x):\r\n    return")
    editor.keys("<Tab><Esc>:w<CR>")
    expected = b"import os\r\ndef f(x):\r\n    return x\r\n"
    wait_for(lambda: path.read_bytes() == expected, "the saved file")
