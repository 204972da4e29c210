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
