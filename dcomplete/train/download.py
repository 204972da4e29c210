"""Pinned lists of permissively licensed packages, fetched where the user asks."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from dcomplete.errors import UserError
from dcomplete.train.registries import REGISTRIES

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
    if not pins or not all(any(registry.owns(pin) for registry in REGISTRIES) for pin in pins):
        raise UserError(
            f"{path} is no list of pinned packages; write one name==version a line, "
            "or npm:name@version, or deb:name=version."
        )
    return pins


def listed(paths: Iterable[Path]) -> tuple[str, ...]:
    """The packages of several lists, each once. Raises as `pinned` does."""
    return tuple(dict.fromkeys(pin for path in paths for pin in pinned(path)))


def fetch(pins: Sequence[str], folder: Path) -> list[Path]:
    """Download packages into `folder` and unpack each into a folder of its own; what is there stays.

    Returns the folders of these packages alone. Raises UserError where one cannot be had.
    """
    places: list[Path] = []
    for registry in REGISTRIES:
        if mine := [pin for pin in pins if registry.owns(pin)]:
            places += registry.get(mine, folder)
    return places
