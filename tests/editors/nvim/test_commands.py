"""`:Dcomplete`, its completion, the help file and `:checkhealth`."""

import re
import shutil

import pytest

from tests.editors.nvim.editor import PLUGIN, wait_for

pytestmark = pytest.mark.e2e

INLINE = "textDocument/inlineCompletion"


def complete(editor, line):
    return editor.lua("return vim.fn.getcompletion(..., 'cmdline')", line)


def test_sub_commands_and_their_words_are_completed(editor):
    assert {"watch", "compare", "accept", "health"} <= set(complete(editor, "Dcomplete "))
    assert complete(editor, "Dcomplete di") == ["disable", "dismiss"]
    assert complete(editor, "Dcomplete vote ") == ["first", "second", "tie", "neither"]
    assert complete(editor, "Dcomplete accept w") == ["word"]
    assert complete(editor, "Dcomplete nonsense ") == []


def test_an_unknown_sub_command_ends_in_a_sentence(editor):
    editor.command("Dcomplete frobnicate")
    (note,) = editor.notes
    assert note.startswith('dcomplete: unknown sub-command "frobnicate"; known are accept, ')


def test_suggestions_are_switched_off_and_on(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("ia")
    editor.wait_ghost("one")
    for off, on in (("disable", "enable"), ("disable buffer", "enable buffer"), 2 * ("toggle",)):
        editor.command(f"Dcomplete {off}")
        assert editor.ghost == ""
        editor.keys("b")
        editor.rest(0.1)
        assert editor.ghost == ""
        assert editor.lua("return require('dcomplete').statusline()") == "dcomplete: disabled"
        editor.command(f"Dcomplete {on}")
        assert editor.lua("return require('dcomplete').statusline()") == "dcomplete"
        editor.keys("c")
        editor.wait_ghost("one")


def test_accept_next_and_dismiss_are_commands_too(editor, stub):
    stub.script(automatic=[{"text": "one two"}], invoked=[{"text": "one two"}, {"text": "three"}])
    editor.open("x.py")
    editor.keys("i#")
    editor.wait_ghost("one two")
    editor.command("Dcomplete next")
    editor.wait_ghost("three 2/2")
    editor.command("Dcomplete prev")
    editor.wait_ghost("one two 1/2")
    editor.command("Dcomplete accept word")
    assert editor.lines == ["#one"]
    editor.command("Dcomplete dismiss")
    assert editor.ghost == ""


def test_the_status_is_a_sentence(editor):
    editor.open("x.py")
    editor.keys("ia")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients()"), "the server")
    wait_for(lambda: editor.lua("return vim.b.dcomplete_status"), "a status")
    editor.command("Dcomplete status")
    assert editor.notes == ["dcomplete is ready."]


def test_restarting_gives_the_buffers_to_a_new_server(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("ia")
    editor.wait_ghost("one")
    editor.keys("<Esc>")
    editor.command("Dcomplete restart")
    stub.wait("initialize", 2)
    assert stub.wait("workspace/executeCommand")[0]["command"] == "dcomplete.restartEngine"
    editor.keys("ab")
    editor.wait_ghost("one")


def test_a_server_that_hangs_in_its_start_is_restarted_too(editor, stub):
    stub.script(hold=True)
    editor.open("x.py")
    editor.keys("ia<Esc>")
    stub.wait("initialize")
    stub.script(hold=True, automatic=[{"text": "one"}])
    editor.command("Dcomplete restart")
    stub.wait("initialize", 2)
    stub.script(automatic=[{"text": "one"}])
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the new server")
    editor.keys("ab")
    editor.wait_ghost("one")
    assert editor.lua("return #vim.lsp.get_clients({ _uninitialized = true })") == 1
    assert editor.notes == []


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (["lsp", "--log-file", "x"], ["doctor"]),
        (["run", "dcomplete", "lsp", "--flag"], ["run", "dcomplete", "doctor"]),
        (["-S"], ["doctor"]),
    ],
)
def test_the_doctor_is_called_as_the_server_is(launch, rest, expected):
    editor = launch(cmd=["/bin/echo", *rest])
    editor.command("Dcomplete doctor")
    wait_for(lambda: " ".join(expected) in editor.lines, "the doctor's output")


def test_health_asks_the_program_that_the_server_is_part_of(launch):
    editor = launch(cmd=["/bin/echo", "run", "dcomplete", "lsp"])
    editor.command("checkhealth dcomplete")
    assert "run dcomplete --version at /bin/echo run dcomplete" in "\n".join(editor.lines)


@pytest.mark.parametrize("line", ["# abc", "# \u8bf4\u660e", "# e\u0301", "x"])
def test_asking_at_the_end_of_a_line_asks_behind_its_last_character(editor, stub, line):
    stub.script(invoked=[{"text": "one"}])
    editor.open("x.py", f"{line}\n")
    editor.keys("$")
    editor.command("Dcomplete trigger")
    stub.wait(INLINE)
    assert editor.lua("return vim.api.nvim_win_get_cursor(0)[2]") == len(line.encode())


def test_asking_is_given_up_where_the_person_has_gone_elsewhere(editor, stub):
    editor.open("x.py", "x\n")
    editor.lua("vim.cmd('Dcomplete trigger') vim.cmd('help')")
    editor.rest(0.6)
    assert editor.lua("return vim.api.nvim_get_mode().mode") == "n"
    assert editor.problems == ""


def test_the_log_command_opens_the_log_or_says_where_it_will_be(editor):
    editor.command("Dcomplete log")
    (note,) = editor.notes
    assert note.endswith("/dcomplete.log")


def test_help_tags_build_and_every_setting_and_command_is_documented(editor, tmp_path):
    docs = tmp_path / "doc"
    shutil.copytree(PLUGIN / "doc", docs, ignore=shutil.ignore_patterns("tags"))
    editor.command(f"helptags {docs}")
    tags = {line.split("\t")[0] for line in (docs / "tags").read_text().splitlines()}
    assert {":Dcomplete", "dcomplete", "dcomplete-settings", "dcomplete-keymaps"} <= tags
    for command in editor.lua("return vim.tbl_keys(require('dcomplete.commands').all)"):
        assert f":Dcomplete-{command}" in tags
    text = (docs / "dcomplete.txt").read_text()
    linked = set(re.findall(r"\|((?::D|d)complete[^|\s]*)\|", text))
    assert linked <= tags
    for key in editor.lua("return vim.tbl_keys(require('dcomplete.config').defaults)"):
        assert f"*dcomplete.{key}*" in text
    plugs = re.findall(r"<Plug>\(dcomplete-[\w-]+\)", editor.command("imap"))
    assert plugs and all(one in text for one in plugs)
    assert max(len(line) for line in text.splitlines()) <= 80


def test_health_says_what_is_missing(launch):
    editor = launch(cmd=["/nowhere/dcomplete"], debonce=3)
    editor.command("checkhealth dcomplete")
    report = "\n".join(editor.lines)
    assert "The server is not installed." in report
    assert 'Unknown setting "debonce"' in report
    assert report.count("ERROR") == 2


def test_health_is_green_when_all_is_well(editor, stub):
    editor.open("x.py")
    editor.keys("ia<Esc>")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    editor.command("Dcomplete health")
    report = "\n".join(editor.lines)
    assert "ERROR" not in report and "WARNING" not in report
    assert report.count("OK") == 6, report
