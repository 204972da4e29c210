"""The README is true: its commands exist and run, its code runs, its pictures are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
]
COMMANDS = [line.partition(" #")[0].strip() for line in SHELL if "dcomplete infill" in line]


RESULTS = ROOT / "eval" / "results" / "README.md"


@pytest.mark.parametrize("page", [ROOT / "README.md", RESULTS], ids=["project", "results"])
def test_its_pictures_and_pages_exist(page):
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert targets
    for target in targets:
        assert (page.parent / target).is_file(), target


def test_the_two_commands_are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    shown = [line.split()[1] for line in SHELL if line.startswith("make ")]
    assert shown == ["infill", "test"] and set(shown) <= set(targets)


def test_its_numbers_are_those_of_the_newest_results():
    from dcomplete_eval.readme import rendered, results_page

    assert rendered(README) == README, "run: python -m dcomplete_eval.readme"
    assert results_page() == RESULTS.read_text(encoding="utf-8"), "the same"


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
NAMED = sorted({c for p in PAGES for c in re.findall(r"`(dcomplete [a-z][^`]*)`", p.read_text())})


@pytest.mark.parametrize("named", NAMED)
def test_commands_that_are_named_have_the_options_that_they_are_named_with(named):
    import typer

    from dcomplete.cli import app

    found = typer.main.get_command(app)
    with typer.Context(found) as context:
        for word in named.split()[1:]:
            if not isinstance(found, typer.core.TyperGroup) or not word.islower():
                break
            inner = found.get_command(context, word)
            assert inner is not None, f"{word} is no command"
            found = inner
        known = {option for p in found.params for option in (*p.opts, *p.secondary_opts)}
    assert {w for w in named.split() if w.startswith("--")} <= known | {"--help"}


def test_make_infill_is_dry_run_clean():
    done = subprocess.run(
        ["make", "-n", "infill"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "dcomplete infill" in done.stdout


def test_a_python_that_is_too_old_is_told_before_anything_is_made(tmp_path):
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 6, 'final', 0); exec(sys.argv[1])"
    lines = [
        "#!/bin/sh",
        'case "$1" in',
        f'-c) exec {shlex.quote(sys.executable)} -c "{pretend}" "$2";;',
    ]
    old.write_text("\n".join([*lines, "*) mkdir .venv;;", "esac"]) + "\n")
    old.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["make", "infill", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and not (tmp_path / ".venv").exists()
    assert f"dcomplete needs Python 3.11 or newer, and {old} is 3.9: make infill" in done.stderr


@pytest.mark.e2e
@pytest.mark.weights
@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(command, tmp_path):
    lines = [f"value_{n} = {n}" for n in range(1, 21)]
    if "--gap" in command or "cat" in command:
        lines[11] = "value_12 = <GAP>"
    (tmp_path / "app.py").write_text("\n".join(lines) + "\n")
    here = shlex.join([sys.executable, "-m", "dcomplete"])
    done = subprocess.run(
        command.replace("dcomplete", here, 1),
        shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.e2e
@pytest.mark.weights
def test_its_python_runs():
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    done = subprocess.run(
        [sys.executable, "-c", code.group(1)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
