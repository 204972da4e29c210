"""A model's name in the caller's folder, for a process that runs in another."""

import asyncio
import json
from pathlib import Path

import pytest

from dcomplete.cli import run
from dcomplete.errors import ModelError
from dcomplete.models.store import find
from dcomplete.serve.client import EngineClient
from dcomplete.serve.orders import Choice
from dcomplete.serve.start import StartOptions, absolute_model
from dcomplete.types import InfillRequest
from tests.serve.conftest import infill_of
from tests.systems import WINDOWS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model's folder in it."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_named_from_the_root(folder, monkeypatch):
    mine = str(folder / "mine")
    assert [absolute_model(n) for n in ("./mine", "mine", "mine/", mine)] == [mine] * 4
    assert absolute_model("../other") == str(folder / "../other")  # its own message names it
    monkeypatch.setenv("USERPROFILE" if WINDOWS else "HOME", str(folder))
    assert absolute_model("~/mine") == mine
    assert absolute_model("") == "" and absolute_model("smol-135m") == "smol-135m"


def test_an_installed_model_comes_before_a_folder(folder, tiny_model):
    (folder / "tiny").mkdir()
    assert absolute_model("tiny") == "tiny"
    assert absolute_model("./tiny") == str(folder / "tiny")


def test_orders_and_starts_name_it_so(folder, monkeypatch):
    sent = []

    async def ask(self, path, body, watch):
        from dcomplete.serve import codec

        sent.append(json.loads(body)["model"])
        return codec.plain(infill_of("x"))

    async def story():
        client = EngineClient(StartOptions(Choice("./mine")))
        await client.warm()
        await client.infill(InfillRequest("x"), choice=Choice("mine"))

    monkeypatch.setattr(EngineClient, "_ask", ask)
    asyncio.run(story())
    assert sent == [str(folder / "mine")] * 2
    assert str(folder / "mine") in StartOptions(Choice("./mine")).arguments()


def test_starting_in_the_background_says_that_a_model_cannot_be_loaded(serve, capsys):
    serve()
    assert run(["serve", "--background", "--model", "./nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_preloading_waits_for_the_model_and_says_what_is_wrong(serve, capsys, monkeypatch):
    served = serve()
    monkeypatch.setattr("dcomplete.models.store.find", lambda name: None)
    assert run(["serve", "--background", "--preload", "--model", "missing"]) == 2
    assert "Unknown model 'missing'" in capsys.readouterr().err
    assert run(["serve", "--background", "--preload"]) == 0
    said = capsys.readouterr()
    assert served.loader.loads == ["fake"] and said.err == ""


def test_options_that_were_not_used_are_told(serve, capsys):
    serve()
    assert run(["serve", "--background", "--exit-after", "7"]) == 0
    assert "It ran before and keeps its own defaults" in capsys.readouterr().err


@pytest.mark.skipif(WINDOWS, reason="Windows knows a folder of every person")
def test_the_folder_of_a_person_who_is_not_known_stays_as_it_is():
    assert absolute_model("~nobody-of-that-name/model") == "~nobody-of-that-name/model"
    with pytest.raises(ModelError, match="Unknown model"):
        find("~nobody-of-that-name/model")
