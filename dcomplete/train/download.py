"""A pinned list of permissively licensed packages, fetched with pip where the user asks.

Wheels only: pip runs nothing of what it downloads, and they are unpacked, never imported.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dcomplete.errors import UserError

TRAINING = tuple((files("dcomplete.train") / "packages.txt").read_text("utf-8").split())
PINNED_HELD_OUT: tuple[str, ...] = (
    "cappa==0.33.0", "cyclopts==5.4.0", "dirty-equals==0.11", "harlequin==2.17.0",
    "inline-snapshot==0.36.1", "polyfactory==3.5.0", "pydantic-ai-slim==2.68.0",
    "rich-argparse==1.8.0", "stamina==26.1.0", "svcs==26.2.0", "whenever==0.11.0",
)  # fmt: skip
HELD_OUT = tuple(pin.split("==")[0] for pin in PINNED_HELD_OUT)


def pinned(path: Path) -> tuple[str, ...]:
    """The packages of a file, one pinned name a line. Raises UserError where there are none."""
    try:
        pins = tuple(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read; name a file with one package a line.") from error
    if not pins or not all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", pin) for pin in pins):
        raise UserError(f"{path} is no list of pinned packages; write one name==version a line.")
    return pins


def fetch(pins: Sequence[str], folder: Path) -> Path:
    """Download wheels into `folder` and unpack each into a folder of its own; what is there stays.

    Raises UserError where pip cannot get one.
    """
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(wheels)]
    done = subprocess.run(
        [*command, *pins], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise UserError(f"The packages cannot be downloaded ({reason}); go on without --download.")
    for wheel in sorted(wheels.glob("*.whl")):
        place = folder / wheel.name.split("-")[0]
        if place.exists():
            continue
        try:
            with ZipFile(wheel) as archive:
                archive.extractall(place)
        except BadZipFile as error:
            raise UserError(f"{wheel} is damaged; delete it and run again.") from error
    return folder
