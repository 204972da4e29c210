"""Closers that the editor or the suffix already has."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape

LINE = Shape.LINE


@pytest.mark.parametrize(
    ("document", "text", "language", "expected"),
    [
        # Cody's case: the text goes on behind the closer, which is replaced.
        ("const s = sort(|)\n", "array) {", "javascript", ("array) {", 1)),
        # codemirror-copilot#18
        ("for(i=0; i<|)\n", "10; i++)", "javascript", ("10; i++", 0)),
        # copilot.lua#43
        ("someFunc(|)\n", "suggestion)", "go", ("suggestion", 0)),
        # aws-toolkit-vscode#3873: quotes and brackets
        ('print("|")\n', 'hello")', "python", ("hello", 0)),
        ('x = ["|"]\n', 'a", "b"]', "python", ('a", "b"]', 2)),
        ("x = [|]\n", "1, 2]", "python", ("1, 2", 0)),
        # tabby#1294
        ("const log = ({ ok:| }) => {\n", " boolean }) => {", "typescript", (" boolean", 0)),
        # continue#3200: with the pair inserted there is something to show
        ("print(|)\n", "value)", "python", ("value", 0)),
        ('print("|")\n', 'hello", end="")', "python", ('hello", end="")', 2)),
        # the end of the tag follows the quote
        ('<a href="|">x</a>\n', '/foo">', "html", ("/foo", 0)),
        ('<a href="|">x</a>\n', '/foo" id="b">', "html", ('/foo" id="b">', 2)),
        ("<div className={|}></div>\n", "x}></div>", "typescriptreact", ("x", 0)),
        # an opener takes over what was closed last, nothing further out
        ("f(a: string[|])\n", "], b: {}): c[];", "typescript", ("], b: {}): c[];", 2)),
    ],
)
def test_a_closer_right_of_the_gap_is_not_typed_twice(shown, document, text, language, expected):
    assert shown(document, text, language, LINE) == expected


@pytest.mark.parametrize(
    ("document", "text", "language"),
    [
        ("f(g(x|)\n", ")", "python"),
        ("f(|)\n", "g(x)", "python"),
        ("f(|)\n", "a)(b", "python"),
        ("foo(|, b)\n", "bar(a)", "python"),
        ("let x: &'a str = |;\n", "f(y)", "rust"),
        # aws-toolkit-vscode#2889: the text opens what it closes
        ("def f|:\n", "(a, b)", "python"),
        ('"it\'s" + f(|)\n', "g(')')", "javascript"),
    ],
)
def test_a_closer_that_is_owed_stays(shown, document, text, language):
    assert shown(document, text, language, LINE) == (text, 0)


@pytest.mark.parametrize(
    ("document", "text", "language", "expected"),
    [
        ("puts(|)\n", '"mean = "")', "ruby", ('"mean = "', 0)),
        ("print(|)\n", "'a', 'b)", "python", ("'a',", 0)),
        # what is right of the gap closes the string
        ('print(|")\n', '"a)', "python", ('"a)', 0)),
        # nothing stands right of the gap: the rest of the string may be typed
        ("print(|\n", '"one, t', "python", ('"one, t', 0)),
        ("f(g(|))\n", 'it("\'")', "javascript", ('it("\'")', 0)),
    ],
)
def test_a_string_left_open_does_not_swallow_the_closer_right_of_the_gap(
    shown, document, text, language, expected
):
    assert shown(document, text, language, LINE) == expected


def test_the_closing_line_that_the_suffix_has_is_dropped(shown):
    text = "\n  b: url(https://a.b);\n}"
    assert shown(".a {|\n}\n", text, "css") == (text[:-2], 0)
    assert shown(".a {|\n", text, "css") == (text, 0)
    document = "function f() {\n  |\n}\n\ng();\n"
    assert shown(document, "return 1;\n}", "javascript") == ("return 1;", 0)


def test_the_last_closing_line_is_dropped_behind_an_else(shown):
    document = "if (a) {\n    |\n}\n"
    text = "x();\n} else {\n    y();\n}"
    assert shown(document, text, "javascript") == ("x();\n} else {\n    y();", 0)


def test_a_closing_line_that_the_suffix_lacks_stays(shown):
    document = "class A {\n  f() {|\n\n  g() {\n  }\n}\n"
    text = "\n    return 1;\n  }"
    assert shown(document, text, "javascript") == (text, 0)


def test_a_closer_that_nothing_opened_ends_the_text(shown):
    assert shown("x = |\n", "1)\n", "python", LINE) == ("1", 0)
    assert shown("x = |\n", "f(a])\n", "python", LINE) == ("f(a", 0)


def test_prose_may_close_what_it_never_opened(shown):
    assert shown("|\n", "a) first", "markdown", LINE) == ("a) first", 0)
    assert shown("case $x in\n    |\nesac\n", "a) b ;;", "shellscript") == ("a) b ;;", 0)


def test_an_outer_closer_does_not_close_what_a_clipped_prefix_opened(shown):
    document = "    def_before();\n    while (x) {\n        |\n\n    more();\n}\n"
    assert shown(document, "y();\n    }", "javascript") == ("y();\n    }", 0)


def test_only_a_closer_of_a_single_sign_is_refused_where_it_follows(shown):
    assert shown("f(x|)\n", ")", "python", LINE) is Reason.FILTERED


@pytest.mark.parametrize(
    ("document", "text", "language", "line"),
    [
        ('    printf("|");\n', '%d\\n", x);', "c", '    printf("%d\\n", x);'),
        ('println!("|");\n', '{}", x);', "rust", 'println!("{}", x);'),
        ("  a: '|',\n", "q' + r,", "javascript", "  a: 'q' + r,"),
        ("    '|',\n", "a', 'b',", "python", "    'a', 'b',"),
        ('<div class="|"></div>\n', 'box">Text</div>', "html", '<div class="box">Text</div>'),
        ('<img src="|" />\n', 'a.png" alt="b" />', "html", '<img src="a.png" alt="b" />'),
        ('<a href="|"></a>\n', '/x">there', "html", '<a href="/x">there</a>'),
        ("SELECT COUNT(|) FROM t;\n", "*) AS n FROM t;", "sql", "SELECT COUNT(*) AS n FROM t;"),
        ("f(g(|));\n", "x) + h(y));", "javascript", "f(g(x) + h(y));"),
        ("foo(|).bar();\n", "a, b)", "javascript", "foo(a, b).bar();"),
    ],
)
def test_what_follows_a_replaced_closer_is_not_doubled(shown, document, text, language, line):
    found, after = shown(document, text, language, LINE)
    place = document.index("|")
    assert document[:place] + found + document[place + 1 + after :] == line + "\n"
