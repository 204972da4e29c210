"""Where a suggestion ends."""

import pytest

from dcomplete.errors import Reason
from dcomplete.types import Shape


def test_a_line_suggestion_is_one_line(shown):
    assert shown("x = |\n", "1\ny = 2", "python", Shape.LINE) == ("1", 0)
    assert shown("x = 1|\n", "\ny = 2\nz = 3", "python", Shape.LINE) == ("\ny = 2", 0)


def test_text_behind_the_gap_allows_one_line_only(shown):
    # llama.vscode, Tabby
    assert shown("f(|, b)\n", "a\nc", "python", Shape.BLOCK) == ("a", 0)
    assert shown("f(|, b)\n", "\nc", "python", Shape.BLOCK) is Reason.FILTERED


def test_a_span_may_be_several_lines(shown):
    text = "a\n  b\nc"
    assert shown("f(|, b)\n", text, "python", Shape.SPAN, replaced="x") == (text, 0)


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("def f():\n    |\n", "x = 1\n    y = 2\nz = 3", "x = 1\n    y = 2"),
        ("def f():|\n", "\n    x = 1\nz = 3", "\n    x = 1"),
        ("def f(a,\n      b):|\n", "\n    x = 1\nz = 3", "\n    x = 1"),
        ("x = |\n", "1 + \\\n    2\ny = 3", "1 + \\\n    2"),
        ("if a:|\n", "\n    x = 1\nelse:\n    y = 2\nz = 3", "\n    x = 1\nelse:\n    y = 2"),
        ("    |\n", "a = 1\n# of the next block\nb = 2", "a = 1"),
        ("    |\n", "a = 1\n# of this block\n    b = 2", "a = 1\n# of this block\n    b = 2"),
        ("    |\n", "a = '''\nb\n'''\nc = 1", "a = '''\nb\n'''"),
        ("    |\n", "f(\na,\n)\nc = 1", "f(\na,\n)"),
    ],
)
def test_a_block_ends_where_its_indentation_does(shown, document, text, expected):
    assert shown(document, text) == (expected, 0)


def test_one_closing_line_is_allowed(shown):
    text = "\n  x();\n}\ny();"
    assert shown("if (a) {|\n", text, "javascript") == ("\n  x();\n}", 0)
    assert shown("if a then|\n", "\n  x()\nend\ny()", "lua") == ("\n  x()\nend", 0)


def test_an_else_goes_on(shown):
    text = "\n  x();\n} else {\n  y();\n}"
    assert shown("if (a) {|\n", text + "\nz();", "javascript") == (text, 0)


@pytest.mark.parametrize(
    ("document", "text", "language"),
    [
        ("\tswitch x {|\n\t}\n", "\n\tcase 1:\n\t\tf()\n\tdefault:\n\t\tg()", "go"),
        ("\tswitch (x) {|\n\t}\n", "\n\tcase A:\n\tcase B: {\n\t\tf();\n\t}\n\tdefault:\n\t\tg();", "c"),
        ("class A {|\n};\n", "\npublic:\n\tA();\n\nprivate:\n\tint b;", "cpp"),
        ("int f() {|\n}\n", "\n\tif (a)\n\t\tgoto out;\nout:\n\treturn 1;", "c"),
    ],
)  # fmt: skip
def test_labels_stand_where_the_header_does(shown, document, text, language):
    assert shown(document, text, language, insert_spaces=False, tab_size=8) == (text, 0)


def test_the_next_label_ends_the_block_of_a_label(shown):
    document = "\tswitch x {\n\tcase 1:|\n\t}\n"
    assert shown(document, "\n\t\tf()\n\tcase 2:\n\t\tg()", "go") == ("\n\t\tf()", 0)
