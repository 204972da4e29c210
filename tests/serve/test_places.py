"""The private folder, the socket's name, and the card that tells of a port."""

import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from dcomplete.errors import UserError
from dcomplete.serve.places import (
    LOG_VARIABLE,
    RUNTIME_VARIABLE,
    TRANSPORT_VARIABLE,
    Address,
    Places,
    log_file,
)
from tests.systems import LINKS, MODES, UNIX_SOCKETS, WINDOWS


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_its_user_alone(own_places):
    places = Places.find()
    places.secure(), places.secure()
    assert places.folder == own_places / "run" and (WINDOWS or mode(places.folder) == 0o700)


@MODES
def test_a_folder_that_others_can_open_is_refused(own_places):
    (own_places / "run").mkdir()
    (own_places / "run").chmod(0o755)
    with pytest.raises(UserError, match="open to other users"):
        Places.find().secure()


@LINKS
def test_a_link_in_place_of_the_folder_is_refused(own_places):
    (own_places / "elsewhere").mkdir(mode=0o700)
    (own_places / "run").symlink_to(own_places / "elsewhere")
    with pytest.raises(UserError, match="is no folder"):
        Places.find().secure()


@MODES
@pytest.mark.parametrize(("bits", "refused"), [(0o777, True), (0o775, False), (0o1777, False)])
def test_a_folder_that_others_can_replace_is_refused(own_places, bits, refused):
    own_places.chmod(bits)
    if refused:
        with pytest.raises(UserError, match="put something else in the place"):
            Places.find().secure()
    else:
        Places.find().secure()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another user")
@pytest.mark.parametrize(("bits", "refused"), [(0o770, True), (0o755, False), (0o1777, False)])
def test_a_folder_below_that_of_a_strangers_group_is_refused(own_places, bits, refused):
    os.chown(own_places, 12345, 12345)
    own_places.chmod(bits)
    if refused:
        with pytest.raises(UserError, match="put something else in the place"):
            Places.find().secure()
    else:
        Places.find().secure()


def test_a_file_in_place_of_the_folder_is_refused(own_places):
    (own_places / "run").write_text("")
    with pytest.raises(UserError, match="is no folder"):
        Places.find().secure()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another user")
def test_another_users_folder_is_refused(own_places):
    (own_places / "run").mkdir(mode=0o700)
    os.chown(own_places / "run", 12345, 12345)
    with pytest.raises(UserError, match="belongs to another user"):
        Places.find().secure()


@UNIX_SOCKETS
def test_a_long_path_has_its_socket_in_a_private_folder_with_a_short_name(
    tmp_path_factory, monkeypatch
):
    tmp_path = tmp_path_factory.mktemp("t")  # short itself
    deep = tmp_path / ("d" * 100)
    monkeypatch.setenv(RUNTIME_VARIABLE, str(deep))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    places = Places.find()
    places.secure()
    assert len(os.fsencode(places.socket)) <= 100 and places.socket.parent.parent == tmp_path
    assert mode(places.socket.parent) == 0o700 and places.engine_lock.parent == deep
    assert Places.find() == places


@UNIX_SOCKETS
def test_a_temporary_folder_that_is_too_long_as_well_is_one_sentence(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 100)
    monkeypatch.setenv(RUNTIME_VARIABLE, str(deep))
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(UserError, match="too long for a socket"):
        Places.find().secure()


def test_a_port_is_told_in_a_file_of_its_user_alone(own_places, monkeypatch):
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    places = Places.find()
    places.secure()
    assert places.address() is None
    places.publish(Address(port=4711, token="t"))
    assert places.address() == Address(port=4711, token="t")
    assert WINDOWS or mode(own_places / "run" / "engine.json") == 0o600
    own = places.entrance()
    places.publish(Address(port=4712, token="u"))  # another process, where the folder was made anew
    places.clear(own)
    assert places.address() == Address(port=4712, token="u")
    places.clear(places.entrance())
    assert places.address() is None


@pytest.mark.parametrize("card", ["", "[]", '{"port": 1}', '{"port": "x", "token": ""}', "\xff"])
def test_a_damaged_card_counts_as_none(own_places, monkeypatch, card):
    monkeypatch.setenv(TRANSPORT_VARIABLE, "tcp")
    places = Places.find()
    places.secure()
    (own_places / "run" / "engine.json").write_text(card)
    assert places.address() is None


def test_a_home_without_a_runtime_folder_gives_no_warning(monkeypatch):
    for name in (RUNTIME_VARIABLE, LOG_VARIABLE, "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Places.find().folder.is_absolute() and log_file().is_absolute()


@pytest.mark.skipif(WINDOWS, reason="Windows guesses where another's home is")
@pytest.mark.parametrize(
    ("variable", "ask"), [(RUNTIME_VARIABLE, Places.find), (LOG_VARIABLE, log_file)]
)
def test_a_folder_in_the_home_of_nobody_is_one_sentence(variable, ask, own_places, monkeypatch):
    monkeypatch.setenv(variable, "~nobody-of-that-name/run")
    with pytest.raises(UserError, match=f"{variable} is ~nobody-of-that-name/run"):
        ask()


def test_what_clients_import_is_light():
    heavy = {"torch", "numpy", "starlette", "uvicorn", "httpx", "psutil", "tokenizers"}
    code = (
        "import sys, dcomplete.serve.client, dcomplete.serve.remote, dcomplete.cli.serve; "
        f"print(*({heavy!r} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
