"""`:Dcomplete compare`: two without names, a vote, and the names."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

NAMES = {
    "first": {"model": "", "policy": "verify"},
    "second": {"model": "big", "policy": "threshold"},
}
SIDES = [{"text": "one(x)"}, {"text": "two(x)\n    + 1"}]


def open_comparison(editor, stub, sides=SIDES, command="Dcomplete compare"):
    stub.script(sides=sides, names=NAMES)
    editor.open("x.py", "x = \n")
    editor.keys("$")
    editor.command(command)
    floating = "return vim.api.nvim_win_get_config(0).relative ~= ''"
    wait_for(lambda: editor.lua(floating), "the window")


def everything_on_screen(editor):
    code = """
      local config = vim.api.nvim_win_get_config(0)
      return vim.inspect({ config.title, config.footer })
    """
    return "\n".join([*editor.lines, editor.lua(code), *editor.notes])


@pytest.mark.parametrize(
    ("key", "choice", "ghost"),
    [
        ("1", "first", "one(x)"),
        ("2", "second", "two(x)\n    + 1"),
        ("0", "tie", ""),
        ("-", "neither", ""),
    ],
)
def test_names_are_told_after_the_vote_only(editor, stub, key, choice, ghost):
    open_comparison(editor, stub)
    assert editor.lines == [" First", "x = one(x)", "", " Second", "x = two(x)", "    + 1"]
    before = everything_on_screen(editor)
    assert not any(name in before for name in ("verify", "big", "threshold"))
    editor.keys(key)
    assert stub.wait("dcomplete/vote") == [{"id": "comparison", "choice": choice}]
    wait_for(lambda: editor.notes, "the names")
    expected = f"dcomplete: you chose {choice}. First was verify; second was big, threshold."
    assert editor.notes == [expected]
    assert editor.lines == ["x = "]
    if ghost:
        editor.wait_ghost(ghost)
        editor.keys("<Tab>")
        wait_for(lambda: "\n".join(editor.lines) == "x = " + ghost, "the text")


def test_the_command_votes_too(editor, stub):
    open_comparison(editor, stub)
    editor.command("Dcomplete vote best")
    editor.command("Dcomplete vote tie")
    assert stub.wait("dcomplete/vote") == [{"id": "comparison", "choice": "tie"}]
    wait_for(lambda: len(editor.notes) == 2, "the names")
    editor.command("Dcomplete vote tie")
    assert editor.notes[0] == "dcomplete: vote one of first, second, tie, neither."
    assert editor.notes[2] == "dcomplete: there is no comparison to vote on."
    assert len(stub.received("dcomplete/vote")) == 1


def test_closing_is_no_vote(editor, stub):
    open_comparison(editor, stub)
    editor.keys("q")
    wait_for(lambda: editor.lua("return vim.fn.mode()") == "i", "Insert mode")
    assert editor.lines == ["x = "]
    assert stub.received("dcomplete/vote") == []


def test_a_second_comparison_takes_the_place_of_the_first(editor, stub):
    open_comparison(editor, stub)
    first = editor.lua("return vim.api.nvim_get_current_win()")
    editor.command("wincmd p | Dcomplete compare")
    stub.wait("dcomplete/compare", 2)
    floating = "return vim.api.nvim_win_get_config(0).relative ~= ''"
    wait_for(lambda: editor.lua(floating), "the window")
    assert editor.lua("return vim.api.nvim_win_is_valid(...)", first) is False
    editor.keys("q")
    wait_for(lambda: editor.lua("return #vim.api.nvim_list_wins()") == 1, "its end")


def test_a_side_with_nothing_to_suggest_takes_part(editor, stub):
    open_comparison(editor, stub, [None, SIDES[0]])
    assert editor.lines == [" First", "  (nothing to suggest)", "", " Second", "x = one(x)"]


def test_contestants_come_from_the_settings_or_the_command(editor, stub):
    open_comparison(editor, stub)
    default = [{"policy": "threshold"}, {"policy": "verify"}]
    assert stub.received("dcomplete/compare")[0]["contestants"] == default
    editor.keys("q")
    open_comparison(editor, stub, command="Dcomplete compare policy=topk -- model=a/b policy=p2")
    given = stub.received("dcomplete/compare")[1]["contestants"]
    assert given == [{"policy": "topk"}, {"model": "a/b", "policy": "p2"}]
    editor.keys("q")
    editor.command("Dcomplete compare colour=red")
    assert editor.notes[-1].startswith("dcomplete: write two contestants as policy=NAME")
