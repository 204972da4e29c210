"""Brackets and strings of fragments."""

import pytest

from dcomplete.postprocess.lexing import COMMENT, by_line, read, unclosed


@pytest.mark.parametrize(
    ("text", "language", "kinds", "inside"),
    [
        ("f('(' + \"[\", {", "python", "({", ""),
        ('x = """(', "python", '"""', '"""'),
        ('x = """(""" + (', "python", "(", ""),
        ("# (", "python", "", COMMENT),
        ("a # (\n[", "python", "[", ""),
        ("fn f<'a>(x: &'a str, y: '(') {", "rust", "{", ""),
        ("let n = 1'000; f(", "cpp", "(", ""),
        ("a = /[(]/ + b(", "javascript", "(", ""),
        ("x = `(${y}` + [", "javascript", "[", ""),
        ("/* ( ", "c", "", "/*"),
        ("-- (\n(", "lua", "(", ""),
        ("it's (", "", "(", ""),
        ('f("a', "python", '("', '"'),
        ("p { background: url(http://a", "css", "{(", ""),
        ("[a](http://b.org/x) (", "markdown", "(", ""),
        ("src/*.js (", "markdown", "(", ""),
        ('<a href="//x"> (', "html", "(", ""),
        ("<p>http://a.b {", "javascriptreact", "{", ""),
        ("see http://a.b {", "nix", "{", ""),
        ("<p>Don't {", "javascriptreact", "{", ""),
        ("a: it's [", "yaml", "[", ""),
        ("(map 'foo [", "clojure", "([", ""),
        ("foldl' f' (", "haskell", "(", ""),
        ("x = r'(' + [", "python", "[", ""),
    ],
)
def test_openers_outside_strings_and_comments_are_found(text, language, kinds, inside):
    marks, state = read(text, language)
    assert "".join(mark.kind for mark in unclosed(marks)[0]) == kinds
    assert state == inside


@pytest.mark.parametrize(
    ("text", "inside", "kinds"),
    [('a)") + (', '"', '"(('), ("(\n)", '"', "("), (") */ (", "/*", "("), ("(\n[", COMMENT, "[")],
)
def test_reading_may_start_inside_a_string_or_comment(text, inside, kinds):
    marks, _ = read(text, "c", inside)
    assert "".join(mark.kind for mark in marks) == kinds


def test_lines_know_the_string_they_start_in():
    text = 'x = """\n(\n""" + (\n)'
    assert [inside for inside, _ in by_line(text, "python")] == ["", '"""', '"""', ""]
