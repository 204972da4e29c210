"""Which program the settings mean, and settings that change."""

from functools import partial

import pytest

from tests.editors.nvim.editor import wait_for

pytestmark = pytest.mark.e2e


def attached(editor):
    return editor.lua("return #vim.lsp.get_clients({ bufnr = 0, name = 'dcomplete' })")


@pytest.fixture
def program(editor_home):
    """A program by the server's name in the folder that is open."""
    path = editor_home / "dcomplete"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def editor_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home


COMMAND = "return require('dcomplete.client').command()"


@pytest.mark.parametrize("settings", [{"cmd": None}, {"cmd": ["dcomplete", "lsp"]}])
def test_a_program_of_the_open_project_is_not_run_whatever_the_path_says(launch, program, settings):
    editor = launch("vim.env.PATH = '.::' .. vim.env.PATH", **settings)
    found = editor.lua(COMMAND)
    assert found is None or (found[0].startswith("/") and found[0] != str(program))
    folder = program.parent
    editor.lua("vim.env.PATH = ... .. ':' .. vim.env.PATH", str(folder))
    assert editor.lua(COMMAND)[:2] == [str(program), "lsp"]


def test_a_tilde_in_the_command_is_the_persons_folder(launch, program):
    editor = launch(cmd=["~/dcomplete", "lsp", "--flag"])
    assert editor.lua(COMMAND) == [str(program), "lsp", "--flag"]


@pytest.mark.parametrize("enable", [False, True])
def test_settings_that_change_reach_the_servers_that_run_and_those_to_come(launch, stub, enable):
    editor = launch(settings={"model": {"policy": "verify"}})
    if enable and editor.version < (0, 11):
        pytest.skip("vim.lsp.enable came with Neovim 0.11")
    if enable:
        editor.lua("vim.lsp.enable('dcomplete')")
        editor.command("filetype on")
    editor.open("x.py")
    editor.keys("ia<Esc>")
    wait_for(lambda: attached(editor), "the server")

    def told(wanted):
        *_, last = [None, *stub.received("workspace/didChangeConfiguration")]
        return last is not None and last["settings"]["dcomplete"] == wanted

    for number, policy in enumerate(("p2", "topk"), 2):
        editor.lua(
            "require('dcomplete').setup({ settings = { model = { policy = ... } } })", policy
        )
        wanted = {"model": {"policy": policy}}
        wait_for(partial(told, wanted), "settings")
        editor.command("Dcomplete restart")
        params = stub.wait("initialize", number)[-1]
        assert params["initializationOptions"]["dcomplete"] == wanted
        wait_for(lambda: attached(editor), "the server")
        editor.idle()
        assert told(wanted)
    assert editor.problems == ""


def test_settings_that_change_while_the_server_starts_reach_it(launch, stub):
    editor = launch(settings={"model": {"policy": "verify"}})
    stub.script(hold=True)
    editor.open("x.py")
    editor.keys("ia<Esc>")
    stub.wait("initialize")
    editor.lua("require('dcomplete').setup({ settings = { model = { policy = 'topk' } } })")
    stub.script()
    wait_for(lambda: attached(editor), "the server")
    editor.idle()
    (told,) = stub.wait("workspace/didChangeConfiguration")
    assert told["settings"]["dcomplete"] == {"model": {"policy": "topk"}}
    assert editor.problems == ""


def test_settings_that_change_while_no_server_runs_are_those_of_the_next(launch, stub):
    editor = launch(settings={"model": {"policy": "verify"}}, autostart=False)
    for number, policy in enumerate(("p2", "topk"), 1):
        editor.lua(
            "require('dcomplete').setup({ settings = { model = { policy = ... } } })", policy
        )
        editor.open(f"{policy}.py")
        editor.lua("require('dcomplete').start()")
        params = stub.wait("initialize", number)[-1]
        wanted = {"model": {"policy": policy}}
        assert params["initializationOptions"]["dcomplete"] == wanted
        wait_for(lambda: attached(editor), "the server")
        told = stub.wait("workspace/didChangeConfiguration", number)[-1]
        assert told["settings"]["dcomplete"] == wanted
        editor.lua("for _, c in ipairs(vim.lsp.get_clients()) do c.rpc.terminate() end")
        wait_for(lambda: editor.lua("return #vim.lsp.get_clients()") == 0, "its end")
