"""What the status says once the engine is back, or is not."""

import pytest

from dcomplete.errors import Reason, Refusal
from dcomplete_lsp.status import StatusBoard

GONE = Refusal("The engine cannot be reached.", Reason.NO_ENGINE)


def board() -> tuple[StatusBoard, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return StatusBoard(lambda _, said: told.append((said["kind"], said["message"]))), told


@pytest.mark.parametrize("reason", [Reason.UNSURE, Reason.NOTHING])
def test_what_only_an_engine_that_works_says_ends_an_error(reason):
    status, told = board()
    status.rest("error", "The model could not be loaded.")
    status.refused(Refusal("The model is not sure enough.", reason))
    assert told[-1] == ("ready", "The model is not sure enough.")
    assert status.current.kind == "ready"


def test_what_is_wrong_is_not_hidden_by_what_is_ordinary():
    status, told = board()
    status.rest("error", "There is no model of that name.")
    status.begin()
    status.refused(Refusal("The statement is complete.", Reason.STATEMENT_ENDED))
    status.end()
    assert told == [("error", "There is no model of that name.")]
    status.refused(GONE)
    assert told[-1] == ("error", str(GONE))
