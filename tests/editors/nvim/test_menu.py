"""Ghost text beside Neovim's own completion menu."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

INLINE = "textDocument/inlineCompletion"
WORDS = "print_all\nprint_one\n"


def selections(stub):
    contexts = [one["context"] for one in stub.received(INLINE)]
    return [one["selectedCompletionInfo"] for one in contexts if "selectedCompletionInfo" in one]


def open_menu(editor, text):
    editor.open("x.py", WORDS)
    editor.keys(f"Go{text}<C-x><C-n>")
    wait_for(lambda: editor.lua("return vim.fn.pumvisible()") == 1, "the menu")


def test_the_selected_item_is_sent_and_the_suggestion_extends_it(editor, stub):
    stub.script(automatic=[{"text": "print_one(x)", "before": 9}], at=[2, 9])
    open_menu(editor, "pri")
    editor.keys("<C-p><C-p>")
    editor.wait_ghost("(x)")
    assert editor.lines[2] == "print_one"
    (sent, *_) = [one for one in selections(stub) if one["text"] == "print_one"]
    assert sent["range"] == {
        "start": {"line": 2, "character": 0},
        "end": {"line": 2, "character": 9},
    }
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines[2] == "print_one(x)", "the text")
    assert editor.lua("return vim.fn.pumvisible()") == 0
    editor.keys("!")
    wait_for(lambda: editor.lines[2] == "print_one(x)!", "the next key")


def test_a_suggestion_against_the_selected_item_is_not_shown(editor, stub):
    editor.command("set completeopt=menu,menuone,noinsert")
    stub.script(automatic=[{"text": "nt_one(x)"}], at=[2, 3])
    editor.open("x.py", WORDS)
    editor.keys("Gopri")
    editor.wait_ghost("nt_one(x)")
    editor.keys("<C-x><C-n>")
    wait_for(lambda: selections(stub), "a request with the selected item")
    editor.keys("<C-p>")
    wait_for(lambda: editor.ghost == "nt_one(x)", "the selected item's")
    editor.keys("<C-n>")
    wait_for(lambda: editor.ghost == "", "nothing beside print_all")


# As much of the two as the plug-in looks at: a menu that opens says so, and no text changes.
CMP = """
_G.open, _G.heard = false, {}
package.loaded['cmp'] = {
  visible = function() return _G.open end,
  event = { on = function(_, name, callback) _G.heard[name] = callback end },
}
_G.menu = function(open)
  _G.open = open
  _G.heard[open and 'menu_opened' or 'menu_closed']()
end
"""
BLINK = """
_G.open = false
package.loaded['blink.cmp'] = { is_menu_visible = function() return _G.open end }
_G.menu = function(open)
  _G.open = open
  vim.api.nvim_exec_autocmds('User', { pattern = 'BlinkCmpMenu' .. (open and 'Open' or 'Close') })
end
"""


@pytest.mark.parametrize("plugin", [CMP, BLINK], ids=["nvim-cmp", "blink.cmp"])
def test_a_menu_of_another_plugin_hides_ghost_text_as_soon_as_it_opens(launch, stub, plugin):
    editor = launch(plugin, popup="hide")
    stub.script(automatic=[{"text": "(x)"}])
    editor.open("x.py")
    editor.keys("ia")
    editor.wait_ghost("(x)")
    editor.lua("_G.menu(true)")
    editor.wait_ghost("")
    editor.rest(0.2)
    assert editor.ghost == ""
    editor.lua("_G.menu(false)")
    editor.wait_ghost("(x)")
    assert editor.problems == ""


def test_a_menu_that_is_closed_without_a_choice_gives_the_place_back(launch, stub):
    editor = launch(popup="hide")
    editor.command("set completeopt=menu,menuone,noinsert")  # so that closing it changes no text
    stub.script(automatic=[{"text": "(x)"}])
    editor.open("x.py", WORDS)
    editor.keys("Gopri")
    editor.wait_ghost("(x)")
    editor.keys("<C-x><C-n>")
    editor.wait_ghost("")
    editor.keys("<C-e>")
    editor.wait_ghost("(x)")


def test_the_menu_hides_ghost_text_if_the_person_wants_that(launch, stub):
    editor = launch(popup="hide")
    stub.script(automatic=[{"text": "(x)"}])
    open_menu(editor, "pri")
    editor.idle()
    assert editor.ghost == ""
    editor.keys("<C-y>")
    editor.keys("2")
    editor.wait_ghost("(x)")
