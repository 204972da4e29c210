"""`dcomplete eval`: a group whose parts are imported when somebody looks at them."""

import subprocess
import sys

import pytest

from dcomplete.cli import eval as group
from dcomplete.cli import run

COMMANDS = ("data", "gold", "run", "compare", "latency", "replay", "arena", "report")


def test_every_part_is_there_and_has_a_sentence(capsys):
    assert set(COMMANDS) == set(group._COMMANDS)
    assert run(["eval", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_part_has_help_and_no_completion_of_its_own(capsys, name):
    assert run(["eval", name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: dcomplete eval {name}" in shown and "--install-completion" not in shown


def test_an_unknown_part_is_wrong_use(capsys):
    assert run(["eval", "rum"]) == 2
    assert "No such command 'rum'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "module", ["dcomplete.cli", "dcomplete.__main__", "dcomplete_lsp.__main__"]
)
def test_nobody_else_pays_for_it(module):
    code = (
        f"import sys, {module}; print(*(m for m in sys.modules if m.startswith('dcomplete_eval')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
