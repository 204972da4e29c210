"""Special tokens written out as text."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape


@pytest.mark.parametrize(
    "sentinel",
    [
        "<|im_end|>", "<|endoftext|>", "<|fim_middle|>", "<|file_sep|>", "<|cursor|>", "<fim_middle>",
        "</fim_middle>", " <EOT>", "[SUFFIX]", "<\uff5cfim\u2581end\uff5c>", "<|mask|>", "</s>",
    ],
)  # fmt: skip
def test_a_text_ends_at_a_special_token(shown, sentinel):
    # continue#2953, #867, #1552; Zed
    rest = "" if sentinel == "</s>" else " more"
    assert shown("x = |\n", f"1{sentinel}{rest}", "python", Shape.LINE) == ("1", 0)


def test_a_leading_special_token_is_taken_off(shown):
    # continue#1420
    assert shown("x = |\n", "<COMPLETION>[2, 3]", "python", Shape.LINE) == ("[2, 3]", 0)
    assert shown("x = |\n", "<|endoftext|>", "python", Shape.LINE) is Reason.FILTERED


def test_a_document_about_special_tokens_may_have_them(shown):
    document = "END = '<fim_middle>'\nx = |\n"
    text = "text.split('<fim_middle>')"
    assert shown(document, text, "python", Shape.LINE) == (text, 0)


def test_markup_keeps_its_tags(shown):
    assert shown("<p><s>old|\n", " price</s>", "html", Shape.LINE) == (" price</s>", 0)


def test_half_a_character_at_the_end_goes(shown):
    assert shown("x = |\n", "'é\ufffd", "python", Shape.LINE) == ("'é", 0)
