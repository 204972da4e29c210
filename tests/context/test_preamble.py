"""How other text is shown to the model."""

import pytest

from dcomplete.context.languages import LANGUAGES, language_of
from dcomplete.context.preamble import enclosing, fit, outline
from dcomplete.context.shape import Place
from dcomplete.context.source import Visited
from dcomplete.context.trees import parse
from dcomplete.context.window import estimate
from dcomplete.document import Gap, Snapshot
from dcomplete.types import Snippet

SNIPPET = Snippet("lib/a.py", "def f():\n    return 1\n", "test")


def place_at(code: str, language: str) -> Place:
    at = code.index("‸")
    text = code.replace("‸", "")
    known = LANGUAGES[language]
    return Place(
        Snapshot("untitled:a", language, 1, text, Gap(at, at)), known, lambda: parse(text, known)
    )


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("python", "# lib/a.py\n# def f():\n#     return 1\n"),
        ("typescript", "// lib/a.py\n// def f():\n//     return 1\n"),
        ("lua", "-- lib/a.py\n-- def f():\n--     return 1\n"),
        ("css", "/*\nlib/a.py\ndef f():\n    return 1\n*/\n"),
        ("html", "<!--\nlib/a.py\ndef f():\n    return 1\n-->\n"),
        ("json", ""),
        ("unheard-of", ""),
    ],
)
def test_a_snippet_is_a_comment_of_the_language(language, expected):
    assert fit([SNIPPET], language_of(language), 100, estimate)[0] == expected


def test_text_that_would_end_the_comment_is_left_out():
    assert fit([Snippet("a", "b */ c", "t")], LANGUAGES["css"], 100, estimate) == ("", ())


def test_the_best_comes_last_and_what_does_not_fit_is_cut_or_left_out():
    first = Snippet("best.py", "a = 1\nb = 2", "t")
    second = Snippet("long.py", "".join(f"line_{n} = 1\n" for n in range(50)), "t")
    text, used = fit([first, second], LANGUAGES["python"], 60, estimate)
    assert text.endswith("# best.py\n# a = 1\n# b = 2\n")
    assert text.startswith("# long.py\n# line_0 = 1\n")
    assert [snippet.path for snippet in used] == ["best.py", "long.py"]
    assert "line_49" not in used[1].text
    assert estimate(text) <= 62
    assert fit([second], LANGUAGES["python"], 2, estimate) == ("", ())


def test_what_another_snippet_of_the_file_shows_is_not_repeated():
    whole, part = Snippet("a.py", "a = 1\nb = 2\nc = 3", "t"), Snippet("a.py", "b = 2\nc = 3", "u")
    other = Snippet("b.py", "b = 2\nc = 3", "u")
    assert fit([whole, part, other], LANGUAGES["python"], 100, estimate)[1] == (whole, other)


@pytest.mark.parametrize(("at", "kept"), [(0, "line_0 "), (20, "line_20 "), (49, "line_49 ")])
def test_the_line_that_was_visited_is_the_last_to_go(at, kept):
    text = "".join(f"line_{n} = 1\n" for n in range(50))
    shown, used = fit([Visited("a.py", text, "t", at=at)], LANGUAGES["python"], 30, estimate)
    assert kept in shown
    assert estimate(shown) <= 30
    assert isinstance(used[0], Visited)


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("python", "class A:\n    def f(\n        self,\n        b,\n    ) -> int:\n        x\n        ‸",
         ["class A:", "    def f(self, b) -> int:"]),
        ("python", "def f():\n    if a:\n        b\n    else:\n        ‸",
         ["def f():", "    if a: ... else:"]),
        ("javascript", "class A {\n  f(x) {\n    if (y) {\n      ‸",
         ["class A {", "  f(x) {", "    if (y) {"]),
        ("python", "def f():\n    pass\n\nx = ‸", []),
        ("python", "class A:\n\n    (broken\n\n    def f(self):\n        ‸",
         ["class A:", "    def f(self):"]),
        ("python", 'class A:\n    x = """\nnot a header\n"""\n\n    def f(self):\n        ‸',
         ["class A:", "    def f(self):"]),
        ("javascript", "class A {\n  /*\nnor this\n*/\n  f(x) {\n    ‸",
         ["class A {", "  f(x) {"]),
    ],
)  # fmt: skip
def test_enclosing_headers_are_found_by_indentation(language, code, expected):
    assert list(enclosing(place_at(code, language), len(code)).values()) == expected


def test_only_what_was_cut_off_is_told():
    code = "class A:\n    def f(self):\n        x\n        ‸"
    assert list(enclosing(place_at(code, "python"), 5).values()) == ["class A:"]


def test_later_definitions_are_told_too_but_before_the_gap():
    code = "class A:\n    def f(self):\n        " + "x\n        " * 30 + "later(self.other(‸"
    code += "\n\n" + "    y\n" * 30 + "    def other(self, a): pass\n\ndef later(b): pass\n"
    place = place_at(code, "python")
    gap = place.snapshot.gap.start
    text = outline(place, gap - 20, gap + 20, 200, estimate)
    assert text == (
        "def later(b): ...\nclass A:\n    def other(self, a): ...\n    def f(self):\n        # ...\n"
    )
    assert outline(place, gap - 20, gap + 20, 3, estimate) == ""
