"""The suggestion cache, against an editor that keeps whole strings."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.document import Gap, Snapshot
from dcomplete.suggestions import BACK, NEAR, Suggestions
from dcomplete.types import Shape, Suggestion

URI = "file:///a.py"
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"'}


def at(document: str, uri: str = URI, **options: object) -> Snapshot:
    """The snapshot of a document with the cursor at `|`."""
    place = document.index("|")
    text = document[:place] + document[place + 1 :]
    return Snapshot(uri, "python", 1, text, Gap(place, place), **options)


def suggestion(snapshot: Snapshot, text: str, after: int = 0, id: str = "s1") -> Suggestion:
    end = snapshot.gap.end + after
    return Suggestion(id, text, snapshot.gap.start, end, Shape.LINE, -0.1, "model")


def cache(document: str, text: str, after: int = 0) -> Suggestions:
    suggestions = Suggestions()
    snapshot = at(document)
    suggestions.put(snapshot, [suggestion(snapshot, text, after)])
    return suggestions


def applied(snapshot: Snapshot, found: Suggestion) -> str:
    return snapshot.text[: found.start] + found.text + snapshot.text[found.end :]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("x = |\n", "total / count"),
        ("x = tot|\n", "al / count"),  # tabby#172
        ("x = total / |\n", "count"),  # a word at a time
        ("x |\n", "= total / count"),  # deleted back
        ("|\n", "x = total / count"),
    ],
)
def test_what_is_typed_through_or_deleted_back_is_found(document, expected):
    (found,) = cache("x = |\n", "total / count").find(at(document))
    assert (found.text, found.source, found.id, found.infill) == (expected, "cache", "s1", None)
    assert found.start == found.end == document.index("|")


@pytest.mark.parametrize(
    "document",
    [
        "x = total / count|\n",
        "x = s|\n",
        "y = |\n",
        "x = |\nz\n",
        "x = | 1\n",
        "# x = |\n",
        "x = |",
    ],
)
def test_what_is_fully_typed_or_does_not_fit_is_gone(document):
    assert cache("x = |\n", "total / count").find(at(document)) == []


def test_typing_into_a_pair_that_the_editor_closed_replaces_its_closer():
    suggestions = cache("x = |\n", "f(a, g(b))")
    now = at("x = f(|)\n")
    (found,) = suggestions.find(now)
    assert (found.text, found.end - found.start) == ("a, g(b))", 1)
    now = at("x = f(a, g(|))\n")
    (found,) = suggestions.find(now)
    assert applied(now, found) == "x = f(a, g(b))\n"


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_typing_into_braces_that_get_lines_of_their_own_keeps_the_block(eol):
    text = "{\n    f(x);\n    g(x);\n}".replace("\n", eol)
    suggestions = cache(f"if (x) |{eol}z{eol}", text)
    now = at("if (x) {\n    |\n}\nz\n".replace("\n", eol))
    (found,) = suggestions.find(now)
    assert applied(now, found) == "if (x) {\n    f(x);\n    g(x);\n}\nz\n".replace("\n", eol)
    now = at("if (x) {\n    f(x);\n    |\n}\nz\n".replace("\n", eol))
    assert suggestions.find(now)[0].text == "g(x);"
    assert suggestions.find(at("if (x) {\n    |\n  }\nz\n".replace("\n", eol))) == []
    assert suggestions.find(at("if (x) {\n    |\n}\n\nz\n".replace("\n", eol))) == []


def test_text_that_is_no_closer_behind_the_gap_is_not_replaced():
    suggestions = cache("x = |\n", "f(a, b)")
    assert suggestions.find(at("x = f(|a, b)\n")) == []
    assert suggestions.find(at("x = f(|]\n")) == []


def test_a_replaced_closer_may_be_typed_over():
    suggestions = cache("sort(|)\n", "array) {", after=1)
    (found,) = suggestions.find(at("sort(arr|)\n"))
    assert (found.text, found.end - found.start) == ("ay) {", 1)
    (found,) = suggestions.find(at("sort(array)|\n"))
    assert (found.text, found.end - found.start) == (" {", 0)


def test_deleting_reaches_back_a_little_only():
    before = "word " * 40
    suggestions = cache(f"{before}|\n", "more")
    assert suggestions.find(at(before[:-BACK] + "|\n"))
    assert suggestions.find(at(before[: -BACK - 1] + "|\n")) == []


def test_what_was_computed_ahead_does_not_make_the_one_on_screen_grow():
    suggestions, place = cache("x = |\n", "total"), at("x = total|\n")
    suggestions.put(place, [suggestion(place, " / count", id="s2")], ahead=True)
    for document, expected in (("x = |\n", "total"), ("x = tot|\n", "al")):
        assert [s.text for s in suggestions.find(at(document))] == [expected]
    assert [s.text for s in suggestions.find(place)] == [" / count"]
    assert suggestions.find(at("x = tot|\n"))[0].text == "al / count", (
        "it was seen and deleted back"
    )


def test_far_text_counts_too():
    before, after = "a" * (NEAR + 10), "b" * (NEAR + 10)
    suggestions = cache(f"{before}|{after}", "text")
    assert suggestions.find(at(f"{before}te|{after}"))
    assert suggestions.find(at(f"c{before[1:]}te|{after}")) == []
    assert suggestions.find(at(f"{before}te|{after[:-1]}c")) == []


def test_windows_line_ends_are_typed_as_the_document_has_them():
    suggestions = cache("if a:|\r\nz\r\n", "\r\n    b()\r\n    c()")
    (found,) = suggestions.find(at("if a:\r\n    b|\r\nz\r\n"))
    assert found.text == "()\r\n    c()"


def test_documents_are_kept_apart_and_forgotten_alone():
    suggestions = cache("x = |\n", "1 + 1")
    other = at("x = |\n", uri="file:///b.py")
    assert suggestions.find(other) == []
    suggestions.put(other, [suggestion(other, "2 + 2", id="s2")])
    suggestions.forget(URI)
    assert suggestions.find(at("x = |\n")) == [] and suggestions.get("s1") is None
    assert [found.id for found in suggestions.find(other)] == ["s2"]


def test_the_best_comes_first_and_the_latest_before_that():
    snapshot, suggestions = at("x = |\n"), Suggestions()
    suggestions.put(
        snapshot, [suggestion(snapshot, "a", id="1"), suggestion(snapshot, "b", id="2")]
    )
    suggestions.put(
        snapshot, [suggestion(snapshot, "c", id="3"), suggestion(snapshot, "a", id="4")]
    )
    assert [found.text for found in suggestions.find(snapshot)] == ["c", "a", "b"]
    assert [found.text for found in suggestions.find(snapshot)] == ["c", "a", "b"]


def test_the_least_recently_used_goes_first():
    suggestions = Suggestions(limit=2)
    places = [at(f"{name} = |\n") for name in "abc"]
    for number, snapshot in enumerate(places[:2]):
        suggestions.put(snapshot, [suggestion(snapshot, "1", id=str(number))])
    assert suggestions.find(places[0])
    suggestions.put(places[2], [suggestion(places[2], "1", id="2")])
    assert [bool(suggestions.find(snapshot)) for snapshot in places] == [True, False, True]
    assert len(suggestions) == 2


def test_a_suggestion_is_got_by_its_id_as_it_was_put():
    suggestions = cache("x = |\n", "1 + 1")
    found = suggestions.get("s1")
    assert found and (found.text, found.source) == ("1 + 1", "model")
    assert suggestions.get("s9") is None


def test_the_item_selected_in_the_popup_must_begin_the_suggestion():
    suggestions = cache("x.|\n", "append(1)")
    now = at("x.ap|\n")
    (found,) = suggestions.find(replace(now, selected=(2, 4, "append")))
    assert (found.start, found.end, found.text) == (2, 4, "append(1)")
    assert suggestions.find(replace(now, selected=(2, 4, "apply"))) == []


def test_a_span_is_replaced_again():
    text = "x = old + 1\n"
    snapshot = Snapshot(URI, "python", 1, text, Gap(4, 7))
    suggestions = Suggestions()
    suggestions.put(snapshot, [suggestion(snapshot, "new(a)")])
    (found,) = suggestions.find(snapshot)
    assert (found.start, found.end, found.text) == (4, 7, "new(a)")
    (found,) = suggestions.find(at("x = new| + 1\n"))
    assert found.text == "(a)"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("return bar", "(a, b)"),  # another word takes the place of `foo`
        ("return fob", "(a, b)"),
        ("return foo(c, ", "b)"),
        ("return foo(x.y, b", ")"),
        ("return foo", None),  # it still fits: nothing has diverged
        ("return foo(a, b)", None),
        ("while True:", None),
        ("", None),
    ],
)
def test_the_part_that_could_still_be_wanted_is_a_draft(typed, expected):
    suggestions = cache("    |\n", "return foo(a, b)")
    assert suggestions.draft(at(f"    {typed}|\n")) == expected


def test_there_is_no_draft_from_another_place():
    suggestions = cache("    |\n", "return foo(a, b)")
    assert suggestions.draft(at("  return bar|\n")) is None
    assert suggestions.draft(at("    return bar|\nz\n")) is None
    assert suggestions.draft(at("    return bar|\n", uri="file:///b.py")) is None


class Editor:
    """An editor that closes brackets, types over them, and keeps the whole text."""

    def __init__(self, before: str, after: str, closes: bool) -> None:
        self.before, self.after, self.closes, self.own = before, after, closes, 0

    def type(self, letter: str) -> None:
        if self.own and self.after.startswith(letter) and letter in PAIRS.values():
            self.before, self.after, self.own = self.before + letter, self.after[1:], self.own - 1
            return
        self.before += letter
        if self.closes and letter in PAIRS:
            self.after, self.own = PAIRS[letter] + self.after, self.own + 1

    def delete(self) -> None:
        pair = self.own and PAIRS.get(self.before[-1:]) == self.after[:1]
        if pair:
            self.after, self.own = self.after[1:], self.own - 1
        self.before = self.before[:-1]

    @property
    def snapshot(self) -> Snapshot:
        text, place = self.before + self.after, len(self.before)
        return Snapshot(URI, "python", 1, text, Gap(place, place))


TEXT = st.text('ab (){}[],"\n\r\U0001f600', max_size=12)
STEPS = st.lists(
    st.sampled_from(["follow", "follow", "follow", "word", "delete", "stray"]), max_size=25
)


@given(TEXT, TEXT, TEXT.filter(str.strip), STEPS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_what_is_found_always_gives_the_text_that_was_suggested(before, after, text, steps, closes):
    editor, suggestions = Editor(before, after, closes), Suggestions()
    first = editor.snapshot
    text = text if "\r\n" in text else first.document.localize(text)
    suggestions.put(first, [suggestion(first, text)])
    wanted = before + text
    for step in steps:
        rest = wanted[len(editor.before) :] if wanted.startswith(editor.before) else ""
        if step == "delete":
            editor.delete()
        elif step == "stray":
            editor.type("b")
        else:
            for letter in rest[: 1 if step == "follow" else 4]:
                editor.type(letter)
        found = suggestions.find(editor.snapshot)
        rest = wanted[len(editor.before) :] if wanted.startswith(editor.before) else ""
        near = len(editor.before) >= len(before) - BACK
        for one in found:
            assert applied(editor.snapshot, one) == wanted + after
        if near and rest.strip() and editor.after == after:
            assert found
        if not rest.strip() or not near:
            assert not found


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
@settings(max_examples=200, deadline=None)
def test_drafts_are_parts_of_what_was_suggested(before, after, text, typed, other):
    text = text.replace("\r", "")  # as models write
    suggestions = Suggestions()
    first = Editor(before, after, False).snapshot
    suggestions.put(first, [suggestion(first, text)])
    draft = suggestions.draft(Editor(before + typed, other or after, False).snapshot)
    if draft is not None:
        assert draft.strip()
        assert first.document.localize(text).replace("\r\n", "\n").endswith(draft)
        assert not text.startswith(typed)
