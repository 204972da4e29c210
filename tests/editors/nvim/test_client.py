"""Which buffers the server gets, how it starts, and what happens where there is none."""

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e

INLINE = "textDocument/inlineCompletion"
DID_OPEN = "textDocument/didOpen"


def attached(editor):
    return editor.lua("return #vim.lsp.get_clients({ bufnr = 0, name = 'dcomplete' })")


def test_without_a_server_there_is_one_sentence_and_no_error(launch):
    editor = launch(cmd=["/nowhere/dcomplete", "lsp"])
    editor.open("x.py")
    editor.keys("ix = 1<Esc>ay = 2<Tab><Esc>:e other.py<CR>ifoo<Esc>")
    editor.idle()
    (note,) = editor.notes
    assert note.startswith(
        'dcomplete: the server is not installed. Install it with "uv tool install"'
    )
    assert editor.problems == ""
    assert editor.lua("return require('dcomplete').statusline()") == "dcomplete: no-server"


def test_vim_lsp_enable_without_a_server_gives_the_same_sentence(launch):
    editor = launch(cmd=["/nowhere/dcomplete", "lsp"], autostart=False)
    if editor.version < (0, 11):
        pytest.skip("vim.lsp.enable came with Neovim 0.11")
    editor.lua("vim.lsp.enable('dcomplete')")
    editor.command("filetype on")
    editor.open("x.py")
    editor.open("y.py")
    editor.idle()
    assert len(editor.notes) == 1
    assert editor.problems == ""


def test_vim_lsp_enable_and_autostart_make_one_client(launch, stub):
    editor = launch()
    if editor.version < (0, 11):
        pytest.skip("vim.lsp.enable came with Neovim 0.11")
    stub.script(automatic=[{"text": "one"}])
    editor.lua("vim.lsp.enable('dcomplete')")
    editor.command("filetype on")
    editor.open("x.py")
    wait_for(lambda: attached(editor), "the server")
    editor.keys("ia")
    editor.wait_ghost("one")
    assert editor.lua("return #vim.lsp.get_clients()") == 1
    assert len(stub.received("initialize")) == 1
    assert editor.problems == ""


def test_a_configuration_of_neovims_own_is_honoured(launch, stub):
    editor = launch()
    if editor.version < (0, 11):
        pytest.skip("vim.lsp.config came with Neovim 0.11")
    editor.lua(
        "vim.lsp.config('dcomplete', { init_options = { dcomplete = { enabled = false } } })"
    )
    editor.open("x.py")
    editor.keys("ia")
    (params,) = stub.wait("initialize")
    assert params["initializationOptions"]["dcomplete"] == {"enabled": False}
    assert params["initializationOptions"]["editorInfo"]["name"] == "Neovim"


def test_start_gives_the_buffers_there_are_to_the_server(launch, stub):
    editor = launch(autostart=False)
    editor.open("x.py")
    editor.keys("ia<Esc>")
    editor.idle()
    assert attached(editor) == 0
    editor.lua("require('dcomplete').start()")
    wait_for(lambda: attached(editor), "the first buffer")
    editor.open("y.py")
    wait_for(lambda: attached(editor), "the second")


def test_settings_reach_the_server_as_they_are(launch, stub):
    editor = launch(settings={"model": {"policy": "verify"}})
    editor.open("x.py")
    editor.keys("ia")
    (params,) = stub.wait("initialize")
    assert params["initializationOptions"]["dcomplete"] == {"model": {"policy": "verify"}}
    assert params["capabilities"]["textDocument"]["inlineCompletion"]


def test_one_server_learns_of_every_folder(editor, stub):
    for name in ("one", "two"):
        (editor.folder / name / ".git").mkdir(parents=True)
        editor.open(f"{name}/x.py")
        editor.keys("ia<Esc>")
        wait_for(lambda: attached(editor), "the server")
    (event,) = stub.wait("workspace/didChangeWorkspaceFolders")
    assert [one["name"] for one in event["event"]["added"]] == [str(editor.folder / "two")]
    assert len(stub.received("initialize")) == 1


def test_a_server_that_is_still_starting_learns_of_every_folder_later(editor, stub):
    stub.script(hold=True)
    waiting = """
      local client = vim.lsp.get_clients({ _uninitialized = true })[1]
      return client and #vim.tbl_keys(client.attached_buffers)
    """
    for count, name in enumerate(("one", "two"), 1):
        (editor.folder / name / ".git").mkdir(parents=True)
        editor.open(f"{name}/x.py")
        editor.keys("ia<Esc>")
        stub.wait("initialize")
        wait_for(lambda count=count: editor.lua(waiting) == count, "the client")
    stub.script()
    stub.wait("workspace/didChangeWorkspaceFolders")
    editor.open("two/y.py")
    editor.keys("ia<Esc>")
    wait_for(lambda: attached(editor), "the server")
    editor.idle()
    (event,) = stub.received("workspace/didChangeWorkspaceFolders")
    assert [one["name"] for one in event["event"]["added"]] == [str(editor.folder / "two")]
    assert len(stub.received("initialize")) == 1


@pytest.mark.parametrize(
    "making",
    [
        "setlocal readonly",
        "setlocal nomodifiable | setlocal modifiable | setlocal readonly",
        "let b:dcomplete_disable = 1",
    ],
)
def test_nothing_is_asked_where_nothing_may_be_written(editor, stub, making):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py", "text\n")
    editor.keys("ia")
    editor.wait_ghost("one")
    editor.keys("<Esc>")
    editor.idle()
    asked = len(stub.received(INLINE))
    editor.command(making)
    editor.lua("vim.opt.warn = false; vim.opt.shortmess:append('W')")
    editor.keys("ab")
    editor.rest(0.15)
    assert (editor.ghost, len(stub.received(INLINE))) == ("", asked)
    status = editor.lua("return vim.b.dcomplete_status")
    assert status["reason"] in ("read-only", "disabled")


@pytest.mark.parametrize("kind", ["nofile", "prompt", "terminal", "nowrite"])
def test_buffers_that_are_no_files_are_left_alone(editor, kind):
    if kind == "terminal":
        editor.command("terminal cat")
    else:
        editor.command(f"enew | set buftype={kind}")
    editor.keys("iabc")
    editor.rest(0.15)
    assert attached(editor) == 0
    assert editor.notes == []


def test_unnamed_buffers_are_served_one_at_a_time(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.keys("ifirst")
    editor.wait_ghost("one")
    editor.keys("<Esc>")
    editor.command("set hidden | enew")
    editor.keys("isecond")
    editor.wait_ghost("one")
    editor.keys("<Tab>")
    wait_for(lambda: editor.lines == ["secondone"], "the text")
    opened = [one["textDocument"]["text"] for one in stub.received(DID_OPEN)]
    assert [text.strip() for text in opened] == ["first", ""]
    assert len(stub.received("textDocument/didClose")) == 1


def test_an_unnamed_buffer_that_is_saved_goes_on(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.keys("ifirst")
    editor.wait_ghost("one")
    editor.keys("<Esc>:write saved.py<CR>")
    editor.keys("A+")
    wait_for(
        lambda: stub.received(INLINE)[-1]["textDocument"]["uri"].endswith("saved.py"), "a name"
    )
    editor.wait_ghost("one")
    opened = [one["textDocument"]["uri"] for one in stub.received(DID_OPEN)]
    assert [uri.rpartition("/")[2] for uri in opened] == ["", "saved.py"]
    assert stub.received("textDocument/didClose")[0]["textDocument"]["uri"] == opened[0]


def test_disabling_with_0_is_not_disabling(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py")
    editor.command("let b:dcomplete_disable = 0")
    editor.keys("ia")
    editor.wait_ghost("one")


def test_nothing_is_asked_while_a_macro_is_recorded(editor, stub):
    stub.script(automatic=[{"text": "one"}])
    editor.open("x.py", "text\n")
    editor.keys("ia<Esc>")
    wait_for(lambda: attached(editor), "the server")
    asked = len(stub.received(INLINE))
    editor.keys("qqAb")
    editor.rest(0.15)
    assert (editor.ghost, len(stub.received(INLINE))) == ("", asked)
    editor.keys("<Esc>q3@q")
    editor.rest(0.15)
    assert editor.lines == ["atextbbbb"]
    assert len(stub.received(INLINE)) == asked


def test_a_file_of_20000_lines_stays_quick(editor, stub):
    stub.script(automatic=[{"text": "return total\n"}])
    editor.open("long.py", "    total = total + 1\n" * 20_000)
    editor.keys("10000Go")
    editor.keys("x")
    wait_for(lambda: editor.ghost, "ghost text")
    spent = editor.lua("""
      local suggest, times = require('dcomplete.suggest'), {}
      for i = 1, 50 do
        vim.api.nvim_put({ 'y' }, 'c', true, true)
        local start = vim.uv.hrtime()
        suggest.changed()
        times[i] = (vim.uv.hrtime() - start) / 1e6
      end
      table.sort(times)
      return times[25]
    """)
    assert spent < 5, f"the plug-in takes {spent:.1f} ms of a keystroke"


def test_a_wrong_setting_is_told_once_in_one_sentence(launch):
    editor = launch(debonce=3, popup="maybe")
    editor.open("x.py")
    editor.keys("ia<Esc>ib<Esc>")
    editor.idle()
    first, second = editor.notes
    assert first == "dcomplete: Setting popup must be one of show, hide."
    assert second.startswith('dcomplete: Unknown setting "debonce"; known are autostart, cmd,')


def test_a_predicate_decides_which_buffers_the_server_gets(launch, stub):
    before = (
        "vim.g.dcomplete = { should_attach = function(buf) return vim.bo[buf].ft ~= 'log' end }"
    )
    editor = launch(before)
    editor.open("x.log", filetype="log")
    editor.keys("ia<Esc>")
    editor.idle()
    assert attached(editor) == 0
    editor.open("x.py", filetype="python")
    editor.keys("ia<Esc>")
    wait_for(lambda: attached(editor), "the server")
    assert editor.problems == ""


def test_a_buffer_that_the_predicate_refuses_is_said_to_be_refused(launch, stub):
    editor = launch("vim.g.dcomplete = { should_attach = function() return false end }")
    editor.open("x.py")
    editor.command("Dcomplete trigger")
    assert editor.notes == ["dcomplete: should_attach keeps the server from this buffer."]
