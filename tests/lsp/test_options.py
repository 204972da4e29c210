"""Addresses to listen on."""

import pytest

from dcomplete.errors import UserError
from dcomplete_lsp.__main__ import options
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
