"""Addresses to listen on."""

import errno
import os
import socket
import subprocess
import sys

import pytest
import typer

from dcomplete.cli import app
from dcomplete.errors import UserError, system_words
from dcomplete_lsp.__main__ import options, parser
from dcomplete_lsp.options import tcp_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8123", ("127.0.0.1", 8123)),
        ("8123", ("127.0.0.1", 8123)),
        (":0", ("127.0.0.1", 0)),
        ("[::1]:9", ("::1", 9)),
        ("localhost:9", ("localhost", 9)),
    ],
)
def test_loopback_addresses(text, address):
    assert tcp_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:x", "host:99999", "127.0.0.1:-1"])
def test_what_is_no_address_is_said(text):
    with pytest.raises(UserError, match="write HOST:PORT"):
        tcp_address(text)


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org", "192.168.0.1", "[::]"])
def test_other_machines_are_let_in_only_when_told(host):
    with pytest.raises(UserError, match="other machines"):
        tcp_address(f"{host}:80")
    assert tcp_address(f"{host}:80", anywhere=True)[1] == 80


def test_arguments_of_the_module():
    given = options(["--tcp", "9", "--in-process", "--model", "m", "--log-level", "info"])
    assert (given.host, given.port, given.in_process, given.model) == ("127.0.0.1", 9, True, "m")
    assert options(["--stdio"]).host is None


def test_the_command_lines_options_are_the_modules():
    group = typer.main.get_command(app)
    shown = {(*p.opts,): p.default for p in group.commands["lsp"].params if p.opts != ["--help"]}
    taken = {(*a.option_strings,): a.default for a in parser()._actions if a.dest != "help"}
    assert shown.keys() == taken.keys()
    for names, default in taken.items():
        assert (shown[names] or "") == (default or ""), names


def said(*arguments: str) -> str:
    """What the server says about a mistake before it ends."""
    command = [sys.executable, "-m", "dcomplete_lsp", *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and done.stdout == ""
    return done.stderr


WRONG = ["missing?/x.log", ""] if os.name == "nt" else ["/proc/nope/x.log", "/proc"]


@pytest.mark.parametrize("place", [*WRONG, "file/x.log"])
def test_a_log_that_cannot_be_written_is_one_sentence(place, tmp_path):
    (tmp_path / "file").write_text("")
    sentence = said("--log-file", str(tmp_path / place))
    assert sentence.count("\n") == 1 and "cannot be written" in sentence


def test_a_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        sentence = said("--tcp", address)
    why = system_words(errno.EADDRINUSE)
    assert sentence == f"dcomplete_lsp: Cannot listen on {address}: {why}.\n"
    assert "Unknown error" not in why


def test_an_address_that_is_not_here_is_one_sentence():
    sentence = said("--tcp", "192.0.2.1:9", "--tcp-anywhere")  # for documentation: nobody has it
    assert sentence.startswith("dcomplete_lsp: Cannot listen on 192.0.2.1:9: ")
    assert sentence.count("\n") == 1 and not sentence.endswith(("None.\n", "Unknown error.\n"))
