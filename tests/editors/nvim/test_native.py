"""The other front end: Neovim 0.12 draws."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

DRAWN = """
local namespace = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
local mark = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
return mark and mark[4].virt_text[1][1] or ''
"""


@pytest.fixture
def native(launch):
    editor = launch(native=True)
    if editor.version < (0, 12):
        pytest.skip("vim.lsp.inline_completion came with Neovim 0.12")
    yield editor
    assert editor.problems == ""


def test_neovim_draws_and_the_keys_accept(native, stub):
    stub.script(automatic=[{"text": "one two"}], at=[0, 1])
    native.open("x.py")
    native.keys("i")
    wait_for(lambda: native.lua("return #vim.lsp.get_clients()"), "the server")
    native.idle()
    native.keys("#")
    wait_for(lambda: native.lua(DRAWN) == "one two", "Neovim's ghost text")
    assert native.ghost == ""
    native.keys("<Tab>")
    wait_for(lambda: native.lines == ["#one two"], "the text")
    assert stub.wait("workspace/executeCommand")[0]["arguments"] == ["id0"]
    native.keys("<Esc>u")
    wait_for(lambda: native.lines == ["#"], "undo")


def test_a_word_is_accepted(native, stub):
    stub.script(automatic=[{"text": "one two"}], at=[0, 1])
    native.open("x.py")
    native.keys("i")
    wait_for(lambda: native.lua("return #vim.lsp.get_clients()"), "the server")
    native.idle()
    native.keys("#")
    wait_for(lambda: native.lua(DRAWN) == "one two", "Neovim's ghost text")
    native.keys("<C-Right>")
    wait_for(lambda: native.lines == ["#one"], "the word")


def draw(native, keys="#", drawn="one two"):
    """Enter Insert mode in the open file and type; Neovim then draws this."""
    native.keys("i")
    wait_for(lambda: native.lua("return #vim.lsp.get_clients()"), "the server")
    native.idle()
    native.keys(keys)
    wait_for(lambda: native.lua(DRAWN) == drawn, "Neovim's ghost text")


LISTEN = """
_G.heard = {}
vim.api.nvim_create_autocmd('User', { pattern = 'DcompleteAccepted', callback = function(args)
  table.insert(_G.heard, args.data)
end })
"""


@pytest.mark.parametrize(
    ("key", "amount", "piece"),
    [("<C-Right>", "word", "one"), ("<C-Down>", "line", "one two)"), ("<Tab>", "all", "one two)")],
)
def test_a_bracket_behind_the_cursor_is_replaced(native, stub, key, amount, piece):
    stub.script(automatic=[{"text": "one two)", "behind": 1}], at=[0, 2])
    native.open("call.py", "f()\n")
    draw(native, "<Right><Right>", "one two)")
    native.lua(LISTEN)
    native.keys(key)
    wait_for(lambda: native.lines == ["f(" + piece.rstrip(")") + ")"], "the text")
    assert native.lua("return _G.heard") == [{"text": piece, "amount": amount}]
    if key == "<C-Right>":
        (told,) = stub.wait("textDocument/didPartiallyAcceptCompletion")
        assert told["acceptedLength"] == len("one")
        assert told["item"]["command"]["arguments"] == ["id0"]
    else:
        assert stub.wait("workspace/executeCommand")[0]["arguments"] == ["id0"]


def test_undo_takes_back_what_was_accepted_and_not_what_was_typed_on(native, stub):
    stub.script(automatic=[{"text": "one two"}], at=[0, 1])
    native.open("x.py")
    draw(native)
    native.keys("<Tab>")
    wait_for(lambda: native.lines == ["#one two"], "the text")
    native.keys("!<Esc>u")
    wait_for(lambda: native.lines == ["#one two"], "the suggestion without what was typed after it")
    native.keys("u")
    wait_for(lambda: native.lines == ["#"], "the text without the suggestion")


TYPE_ON = """
vim.api.nvim_buf_attach(0, false, { on_lines = function()
  vim.api.nvim_input('!<Esc>u')
  return true
end })
"""


def test_what_was_typed_before_the_insertion_was_over_is_a_step_of_its_own(native, stub):
    """Neovim takes keys that are there before what was to run next, so nothing may be left for then."""
    stub.script(automatic=[{"text": "one two"}], at=[0, 1])
    native.open("x.py")
    draw(native)
    native.lua(TYPE_ON)
    native.keys("<Tab>")
    wait_for(lambda: native.call("nvim_get_mode")["mode"] == "n", "the keys")
    assert native.lines == ["#one two"]
    native.keys("u")
    wait_for(lambda: native.lines == ["#"], "the text without the suggestion")


@pytest.mark.parametrize(
    ("off", "on", "reason"),
    [
        ("Dcomplete disable", "Dcomplete enable", "disabled"),
        ("let b:dcomplete_disable = 1", "unlet b:dcomplete_disable", "disabled"),
        ("setlocal readonly | set shortmess+=W", "setlocal noreadonly", "read-only"),
    ],
)
def test_neovim_asks_nothing_where_nothing_may_be_suggested(native, stub, off, on, reason):
    stub.script(automatic=[{"text": "one two"}])
    native.open("x.py")
    draw(native)
    native.keys("<Esc>")
    native.command(off)
    asked = len(stub.received("textDocument/inlineCompletion"))
    native.keys("a#")
    native.rest(0.5)
    assert native.lua(DRAWN) == ""
    assert len(stub.received("textDocument/inlineCompletion")) == asked
    assert native.lua("return vim.b.dcomplete_status.reason") == reason
    native.keys("<Esc>")
    native.command(on)
    native.keys("a#")
    wait_for(lambda: native.lua(DRAWN) == "one two", "Neovim's ghost text")


def test_switching_off_in_one_buffer_leaves_another_alone(native, stub):
    stub.script(automatic=[{"text": "one two"}])
    native.open("x.py")
    draw(native)
    native.keys("<Esc>")
    native.command("Dcomplete disable buffer")
    native.command("write")
    native.open("y.py")
    draw(native)


ON_ATTACH = """
vim.api.nvim_create_autocmd('LspAttach', { callback = function(args)
  vim.lsp.inline_completion.enable(true, { bufnr = args.buf })
end })
"""


@pytest.mark.parametrize("switch", ["vim.lsp.inline_completion.enable(true)", ON_ATTACH])
def test_the_plugin_draws_alone_for_who_lets_neovim_draw_for_others(launch, stub, switch):
    editor = launch(f"if vim.lsp.inline_completion then {switch} end")
    if editor.version < (0, 12):
        pytest.skip("vim.lsp.inline_completion came with Neovim 0.12")
    stub.script(automatic=[{"text": "one two"}])
    editor.open("x.py")
    draw(editor, drawn="")
    editor.wait_ghost("one two")
    editor.rest(0.5)
    assert editor.lua(DRAWN) == ""
    assert editor.problems == ""


def test_what_neovim_cannot_do_is_said(native):
    native.open("x.py")
    native.command("Dcomplete watch")
    assert native.notes == [
        "dcomplete: Neovim draws (native = true), which has no such view and no trigger."
    ]


def test_before_012_the_setting_changes_nothing(launch, stub):
    editor = launch(native=True)
    if editor.version >= (0, 12):
        pytest.skip("this Neovim draws by itself")
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("one")
