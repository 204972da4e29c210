"""Short ways to say where a proposal goes and what becomes of it."""

from collections.abc import Callable

import pytest

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess import Surroundings, refine
from dcomplete.types import Shape


def surroundings(
    document: str, language: str = "python", shape: Shape = Shape.BLOCK, **options: object
) -> Surroundings:
    """The place of `|` in a document."""
    prefix, suffix = document.split("|")
    line = prefix[prefix.rfind("\n") + 1 :]
    indent = line[: len(line) - len(line.lstrip())]
    return Surroundings(prefix, suffix, shape, indent=indent, language=language, **options)


@pytest.fixture
def at() -> Callable[..., Surroundings]:
    return surroundings


@pytest.fixture
def shown() -> Callable[..., tuple[str, int] | Reason]:
    """The text shown and the code points of the suffix it replaces; the reason of a refusal."""

    def show(document: str, text: str, *args: object, **options: object):
        try:
            proposal = refine(text, surroundings(document, *args, **options))
        except Refusal as refusal:
            return refusal.reason
        return proposal.text, proposal.after

    return show
