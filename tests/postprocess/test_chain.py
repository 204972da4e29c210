"""What holds for the whole chain, whatever the text; the order of proposals; the table of rules."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dcomplete.postprocess
from dcomplete.context import Context
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess import FILTERS, Proposal, Surroundings, rank, refine
from dcomplete.translating import surroundings
from dcomplete.types import Shape

PIECES = [
    "x", "y1", "return ", "self.value", " = ", "(", ")", "[", "]", "{", "}", '"', "'", ",", ";", ":",
    "\n", "\n", "\n    ", "\n\t", "    ", " ", "if a:", "else", "# note", "// note", "end", '"""', "`",
    "<|endoftext|>", "total += value", "\u00e9", "\U0001f600", "/*", "*/", "\\", "</s>", "\n}\n",
]  # fmt: skip
CODE = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
LANGUAGES = ["python", "javascript", "rust", "c", "ruby", "markdown", "html", ""]


@st.composite
def places(draw: st.DrawFn) -> Surroundings:
    prefix = draw(CODE)
    line = prefix[prefix.rfind("\n") + 1 :]
    return Surroundings(
        prefix,
        draw(CODE),
        draw(st.sampled_from(Shape)),
        indent=line[: len(line) - len(line.lstrip())],
        tab_size=draw(st.sampled_from([1, 2, 4, 8])),
        insert_spaces=draw(st.booleans()),
        language=draw(st.sampled_from(LANGUAGES)),
        automatic=draw(st.booleans()),
    )


def refined(text: str, around: Surroundings) -> Proposal | None:
    try:
        return refine(text, around)
    except Refusal as refusal:
        assert refusal.reason in (Reason.FILTERED, Reason.NOTHING)
        assert str(refusal).endswith(".")
        return None


@given(CODE, places())
@settings(max_examples=120, deadline=None)
def test_a_refined_text_is_left_alone(text, around):
    proposal = refined(text, around)
    if proposal:
        assert refine(proposal.text, around) == proposal


@given(CODE, places())
@settings(max_examples=120, deadline=None)
def test_filters_only_take_away(text, around):
    """But for white space: one new line end, and indentation in the document's own signs."""
    proposal = refined(text, around)
    if proposal:
        assert "".join(proposal.text.split()) in "".join(text.split())
        assert proposal.text.count("\n") <= text.count("\n") + 1


@given(CODE, places())
@settings(max_examples=120, deadline=None)
def test_only_the_gaps_line_is_replaced_and_only_by_what_is_typed_again(text, around):
    proposal = refined(text, around)
    if proposal:
        assert 0 <= proposal.after <= len(around.rest)
        letters = iter(proposal.text)
        replaced = around.rest[: proposal.after]
        assert all(letter in letters for letter in replaced if not letter.isspace())


@given(CODE, places())
@settings(max_examples=120, deadline=None)
def test_the_last_line_is_never_the_line_below(text, around):
    proposal = refined(text, around)
    below = [line.rstrip() for line in around.below.split("\n") if line.strip()]
    if proposal and below and not around.rest.strip():
        last = (around.line + proposal.text).split("\n")[-1]
        assert last.rstrip() != below[0]


@given(CODE, places())
@settings(max_examples=60, deadline=None)
def test_each_filter_alone_refuses_or_returns_a_proposal(text, around):
    for mend in FILTERS:
        try:
            proposal = mend(Proposal(text), around)
        except Refusal:
            continue
        assert 0 <= proposal.after <= len(around.rest)


def test_a_proposal_that_parses_comes_before_a_likelier_one():
    proposals = [(Proposal("a"), -0.1), (Proposal("b"), -0.5), (Proposal("c"), -0.3)]
    assert rank(proposals, lambda p: {"a": 2, "b": 0, "c": 0}[p.text]) == [2, 1, 0]


def test_without_a_grammar_the_score_decides_and_ties_keep_their_order():
    proposals = [(Proposal("a"), -0.5), (Proposal("b"), -0.1), (Proposal("c"), -0.1)]
    assert rank(proposals, lambda p: None) == [1, 2, 0]
    assert rank([], lambda p: 0) == []


def rules() -> list[list[str]]:
    home = Path(dcomplete.postprocess.__file__).parent
    rows = [
        line for line in (home / "RULES.md").read_text("utf-8").split("\n") if line.startswith("| ")
    ]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


def test_every_filter_has_a_row_in_the_table_in_the_chains_order():
    named = [row[1].strip("`") for row in rules()]
    order = list(dict.fromkeys(name for name in named if name != "rank"))
    assert order == [mend.__name__ for mend in FILTERS]


@pytest.mark.parametrize("row", rules(), ids=lambda row: row[1])
def test_every_row_names_a_source_and_a_test_that_exists(row):
    module, test = row[3].strip("`").split("::")
    text = (Path(__file__).parent / module).read_text("utf-8")
    assert re.search(rf"^def {test}\(", text, re.MULTILINE)
    assert row[2]


@pytest.mark.parametrize(
    ("said", "uri", "known"),
    [("sh", "", "shellscript"), ("", "file:///w/a.go", "go"), ("yaml.ansible", "", "yaml")],
)
def test_filters_get_the_known_name_of_a_language(said, uri, known):
    snapshot = Snapshot(uri or "untitled:a", said, 1, "x", Gap(1, 1))
    context = Context("x", "x", "", "", Shape.LINE, "", "")
    assert surroundings(snapshot, context).language == known
