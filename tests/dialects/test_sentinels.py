"""Marked prompts are read back exactly, and text that is none is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.dialects.asked import File, Gap
from dcomplete.dialects.sentinels import FAMILIES, Marks, gap_of, read_prompt
from tests.dialects.conftest import MARKED

PIECES = [mark for m in FAMILIES.values() for mark in (m.first, m.between, m.end) if mark]
CUT = [mark[:n] for mark in PIECES for n in (1, 3, len(mark) - 1)]
CODE = st.lists(st.sampled_from([*CUT, "x = 1\n", " ", "\n", "<", "|>", "]"]) | st.text(max_size=4))
TEXTS = CODE.map("".join)
MARKED_TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=5).map("".join)
families = pytest.mark.parametrize("marks", FAMILIES.values(), ids=FAMILIES)


def rendered(marks: Marks, prefix: str, suffix: str, begun: str = "") -> str:
    one, two = (suffix, prefix) if marks.suffix_first else (prefix, suffix)
    return marks.first + one + marks.between + two + marks.end + begun


def free_of(marks: Marks, *texts: str) -> bool:
    """Whether the family's own whole marks are in none of the texts, however they are written."""
    own = [mark.strip() for mark in (marks.first, marks.between, marks.end) if mark]
    return not any(mark in text for mark in own for text in texts)


@families
@given(prefix=TEXTS, suffix=TEXTS)
def test_any_text_comes_back_even_with_half_marks_in_it(marks, prefix, suffix):
    if not free_of(marks, prefix, suffix):
        return
    if marks.first == "<PRE>":  # a space there is the other way to write it
        prefix = prefix.lstrip(" ")
    gap = read_prompt(rendered(marks, prefix, suffix))
    assert gap == Gap(prefix, suffix)


@families
@given(prefix=TEXTS, suffix=TEXTS, begun=TEXTS)
def test_the_beginning_of_the_answer_is_the_end_of_the_prefix(marks, prefix, suffix, begun):
    if not marks.end or marks.first == "<PRE>" or not free_of(marks, prefix, suffix, begun):
        return
    gap = read_prompt(rendered(marks, prefix, suffix, begun))
    assert gap == Gap(prefix + begun, suffix)


@given(text=MARKED_TEXTS)
def test_no_text_is_lost_or_made_up(text):
    gap = gap_of(text, "")
    assert len(gap.prefix) + len(gap.suffix) <= len(text)
    assert gap.prefix == text or read_prompt(text) is not None
    assert gap_of(text, "after") == Gap(text, "after")


@given(text=TEXTS, before=st.text(min_size=1, max_size=3))
def test_marks_within_a_text_are_text(text, before):
    prompt = f"#{before}" + rendered(FAMILIES["qwen"], text, text)
    assert gap_of(prompt, "") == Gap(prompt)


@pytest.mark.parametrize("family", ["qwen", "glm", "starcoder", "deepseek", "codestral"])
def test_of_several_marks_the_longer_prefix_is_meant(family):
    marks = FAMILIES[family]
    prefix, suffix = f"print('{marks.between}')\n", "done()\n"
    gap = read_prompt(rendered(marks, prefix, suffix))
    if marks.suffix_first:
        assert gap == Gap(prefix, suffix)
    else:
        assert gap == Gap(prefix, suffix) and read_prompt(rendered(marks, suffix, "x")) is not None


def test_a_suffix_that_speaks_of_the_last_mark():
    marks = FAMILIES["qwen"]
    gap = read_prompt(rendered(marks, "a", f"b {marks.end} c"))
    assert gap == Gap("a", f"b {marks.end} c")


def test_a_begin_of_text_token_before_it():
    for begin in ("<s>", "<bos>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>"):
        assert read_prompt(f"{begin}{MARKED}") == read_prompt(MARKED)


def test_other_files_before_it():
    prompt = (
        "<|repo_name|>shop\n<|file_sep|>lib/cart.py\ndef total():\n    ...\n"
        f"<|file_sep|>app.py\n{MARKED}"
    )
    gap = read_prompt(prompt)
    assert gap is not None and gap.files == (File("lib/cart.py", "def total():\n    ...\n"),)
    assert gap.prefix.startswith("def add") and gap.suffix.endswith("print(add(1, 2))\n")


def test_starcoder_s_files_before_it():
    gap = read_prompt("<file_sep>a.py\nx = 1\n<fim_prefix>p<fim_suffix>s<fim_middle>")
    assert gap == Gap("p", "s", (File("a.py", "x = 1\n"),))


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "x = ",
        "<|fim_prefix|>only",
        "<|fim_prefix|>a<|fim_middle|>",
        "<|file_sep|>a.py\nx",
        "<s>x",
    ],
)
def test_what_is_not_marked_is_a_prefix(prompt):
    assert gap_of(prompt, "") == Gap(prompt)


def test_a_marked_prompt_adds_its_files_to_others():
    gap = gap_of(f"<|file_sep|>b.py\nb\n{MARKED}", "", (File("a.py", "a"),))
    assert [file.path for file in gap.files] == ["a.py", "b.py"]
