"""A short, pinned list of permissively licensed packages, fetched with pip where the user asks.

Wheels only: pip runs nothing of what it downloads, and they are unpacked, never imported.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dcomplete.errors import UserError

TRAINING: tuple[str, ...] = (
    "aiohttp==3.14.5", "attrs==26.1.0", "black==26.10.1", "bokeh==3.9.2", "botocore==1.44.5",
    "celery==5.7.0", "click==8.5.1", "dask==2026.8.0", "distributed==2026.8.0", "django==5.2.19",
    "fastapi==0.165.0", "flask==3.1.3", "ipython==9.18.1", "jedi==0.20.1", "kombu==5.7.0",
    "mako==1.4.3", "matplotlib==3.11.2", "nicegui==3.18.0", "nltk==3.10.4", "pandas==3.1.1",
    "parso==0.8.7", "poetry-core==2.5.0", "prompt-toolkit==3.0.53", "requests==2.34.2",
    "scikit-image==0.26.0", "scikit-learn==1.9.1", "scrapy==2.19.0", "sphinx==9.0.4",
    "sqlalchemy==2.1.9", "starlette==1.10.0", "statsmodels==0.15.0", "textual==8.2.8",
    "tornado==6.6.1", "trio==0.35.0", "twisted==26.10.0", "werkzeug==3.1.9", "xarray==2026.9.0",
)  # fmt: skip
PINNED_HELD_OUT: tuple[str, ...] = (
    "cappa==0.33.0", "cyclopts==5.4.0", "dirty-equals==0.11", "harlequin==2.17.0",
    "inline-snapshot==0.36.1", "polyfactory==3.5.0", "pydantic-ai-slim==2.68.0",
    "rich-argparse==1.8.0", "stamina==26.1.0", "svcs==26.2.0", "whenever==0.11.0",
)  # fmt: skip
HELD_OUT = tuple(pin.split("==")[0] for pin in PINNED_HELD_OUT)


def fetch(pins: Sequence[str], folder: Path) -> Path:
    """Download wheels into `folder` and unpack each into a folder of its own; what is there stays.

    Raises UserError where pip cannot get one.
    """
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(wheels)]
    done = subprocess.run([*command, *pins], capture_output=True, text=True, check=False)
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
