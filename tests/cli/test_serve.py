"""`dcomplete serve` and its switches, without an engine process of its own."""

import json
import os

import pytest

from dcomplete.cli import run
from dcomplete.serve.orders import LoadedModel, Status
from tests.serve.conftest import own_places, serve  # noqa: F401 (fixtures)
from tests.systems import MODES

pytestmark = pytest.mark.timeout(60)


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    status = run(["serve", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_the_status_of_no_engine_has_exit_status_1(own_places, capsys):  # noqa: F811
    assert call(capsys, "--status") == (1, "No engine runs.\n", "")
    assert call(capsys, "--status", "--json") == (1, "null\n", "")


def test_the_status_of_a_running_engine(serve, capsys):  # noqa: F811
    serve()
    status, out, _ = call(capsys, "--status", "--json")
    assert status == 0 and json.loads(out)["pid"] == os.getpid()
    status, out, _ = call(capsys, "--status")
    assert status == 0 and "state: idle" in out and f"process: {os.getpid()}" in out


def test_stopping(serve, capsys):  # noqa: F811
    served = serve()
    assert call(capsys, "--stop") == (0, "The engine ended.\n", "")
    served.thread.join(10)
    assert call(capsys, "--stop") == (0, "No engine runs.\n", "")


def test_starting_in_the_background_is_done_when_one_runs(serve, capsys):  # noqa: F811
    serve()
    said = f"The engine runs as process {os.getpid()}.\n"
    assert call(capsys, "--background") == (0, said, "")


def test_a_second_engine_is_refused(serve, capsys):  # noqa: F811
    serve()
    status, _, err = call(capsys, "--exit-after", "1")
    assert status == 2 and "An engine runs already" in err


def test_the_log_is_shown_or_empty(own_places, serve, capsys):  # noqa: F811
    path = own_places / "log" / "engine.log"
    assert call(capsys, "--log") == (0, f"{path}\n", "")
    serve()
    status, out, _ = call(capsys, "--log")
    assert status == 0 and out.startswith(f"{path}\n") and "started pid=" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--status", "--stop"], "Use only one of"),
        (["--json"], "--json needs --status"),
        (["--exit-after", "-1"], "exit-after"),
        (["--unload-after", "soon"], "unload-after"),
    ],
)
def test_wrong_use_is_one_sentence(own_places, capsys, arguments, sentence):  # noqa: F811
    status, _, err = call(capsys, *arguments)
    assert status == 2 and sentence in err


@MODES
def test_an_open_folder_is_one_sentence(own_places, capsys):  # noqa: F811
    (own_places / "run").mkdir()
    (own_places / "run").chmod(0o755)
    for arguments in (["--exit-after", "1"], ["--background", "--exit-after", "1"]):
        status, _, err = call(capsys, *arguments)
        assert status == 2 and "open to other users" in err


def test_the_terminals_line_says_what_goes_on():
    from dcomplete.cli.serve import one_line

    models = (LoadedModel("tiny", "cpu", "float32", 1),)
    status = Status(
        1,
        "0",
        1,
        2.0,
        0.0,
        "busy",
        False,
        models,
        1,
        2,
        3,
        {"requests": 9, "done": 7},
        0,
        5 * 10**8,
    )
    assert one_line(status) == (
        "busy: tiny; 7 of 9 requests answered, 1 running, 5 waiting; 500 MB; Ctrl-C ends"
    )
