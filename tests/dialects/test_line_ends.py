"""A document with other line ends, or with a mark before its first letter, is the same document."""

from dcomplete.types import InfillRequest
from tests.dialects.conftest import AFTER, BEFORE


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def asked(house) -> InfillRequest:
    return house.engine.request


def test_models_see_one_kind_of_line_end_and_answers_have_the_documents(house):
    house.engine.texts = ("a +\n    b",)
    plain = house.post("/v1/completions", prompt=BEFORE, suffix=AFTER).json()
    expected = asked(house)
    theirs = house.post(
        "/v1/completions", prompt="\ufeff" + crlf(BEFORE), suffix=crlf(AFTER)
    ).json()
    assert asked(house) == expected and "\r" not in expected.prefix + expected.suffix
    assert plain["choices"][0]["text"] == "a +\n    b"
    assert theirs["choices"][0]["text"] == "a +\r\n    b"


def test_a_stop_sequence_may_be_written_as_the_document_ends_its_lines(house):
    house.engine.texts = ("a\nb",)
    said = house.post("/v1/completions", prompt=crlf(BEFORE), suffix=crlf(AFTER), stop=["\r\n"])
    assert said.json()["choices"][0]["text"] == "a"
    assert asked(house).line, "a line is all that is wanted"


def test_a_single_line_end_of_the_other_kind_changes_nothing(house):
    house.engine.texts = ("a\nb",)
    said = house.post("/v1/completions", prompt=BEFORE + "\r\n", suffix="\n\n\n").json()
    assert said["choices"][0]["text"] == "a\nb"
