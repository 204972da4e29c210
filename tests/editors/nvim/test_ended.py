"""What is said when the server ends, and when it is started again; what else the status tells of whom."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

INLINE = "textDocument/inlineCompletion"
STATUSLINE = "return require('dcomplete').statusline()"


def end_server(editor):
    """Kill the server as the system would."""
    editor.lua("for _, c in ipairs(vim.lsp.get_clients()) do c.rpc.terminate() end")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients()") == 0, "its end")


def test_a_server_that_dies_is_no_error_for_who_types(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("ia")
    editor.wait_ghost("one")
    end_server(editor)
    editor.keys("bc<Tab><Esc>ad")
    stub.wait("initialize", 2)  # the next Insert mode starts it again
    assert editor.lines == ["abc\td"]


def test_the_next_key_starts_a_server_that_died(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("ia")
    editor.wait_ghost("one")
    end_server(editor)
    wait_for(lambda: editor.lua(STATUSLINE) == "dcomplete: server-ended", "the status")
    editor.command("Dcomplete status")
    assert editor.notes[-1] == (
        "dcomplete does not work. The server has ended; it starts again when you type."
        " (server-ended)"
    )
    editor.keys("b")
    editor.wait_ghost("one")
    assert len(stub.received("initialize")) == 2
    assert editor.lua(STATUSLINE) == "dcomplete"


def test_every_buffer_learns_that_the_server_died_and_that_it_is_back(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    for name in ("x.py", "y.py"):
        editor.open(name)
        editor.keys("ia")
        editor.wait_ghost("one")
        editor.keys("<Esc>:write<CR>")
    end_server(editor)
    for name in ("x.py", "y.py"):
        editor.command(f"edit {editor.folder / name}")
        assert editor.lua(STATUSLINE) == "dcomplete: server-ended"
        editor.keys("ab")
        editor.wait_ghost("one")
        assert editor.lua(STATUSLINE) == "dcomplete"
        editor.keys("<Esc>:write<CR>")


def test_a_server_that_dies_again_and_again_is_not_started_for_ever(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.keys("ia")
    for _ in range(5):
        editor.wait_ghost("one")
        end_server(editor)
        editor.keys("b")
    editor.rest(0.5)
    assert len(stub.received("initialize")) == 5
    status = editor.lua("return vim.b.dcomplete_status.message")
    assert status.startswith("The server ended five times within three minutes;")


def test_a_server_that_was_not_started_by_itself_stays_away(launch, stub):
    editor = launch(autostart=False)
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.lua("require('dcomplete').start()")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    editor.keys("ia")
    editor.wait_ghost("one")
    end_server(editor)
    editor.keys("b")
    editor.rest(0.3)
    assert len(stub.received("initialize")) == 1
    assert "restart" in editor.lua("return vim.b.dcomplete_status.message")


def test_a_late_status_is_about_the_buffer_that_was_asked_about(editor, stub):
    editor.open("x.py")
    editor.keys("ia")
    wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })"), "the server")
    said = {"kind": "ready", "reason": "word-follows", "message": "A word follows."}
    stub.wait(INLINE)
    editor.idle()
    stub.script(delay=0.5, status=said)
    editor.keys("b")
    stub.wait(INLINE, 2)
    editor.keys("<Esc>:write<CR>")
    first = editor.lua("return vim.api.nvim_get_current_buf()")
    editor.command("help")
    reason = "return (vim.b[...].dcomplete_status or {}).reason"
    wait_for(lambda: editor.lua(reason, first) == "word-follows", "the status")
    assert editor.lua("return vim.b.dcomplete_status") is None
    assert editor.lua(STATUSLINE) == ""
