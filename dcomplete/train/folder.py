"""The folder that a command of the trainer writes into."""

from pathlib import Path

from dcomplete.errors import UserError


def made(folder: Path) -> None:
    """Make it where it is not there; raises UserError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be made: {error.strerror}.") from None
