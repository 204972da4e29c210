"""Indentation as the document has it, once."""

import pytest

from dcomplete.types import Shape

LINE = Shape.LINE


@pytest.mark.parametrize("text", ["    return x", " return x", "\treturn x", "return x"])
def test_a_line_that_is_indented_already_is_not_indented_again(shown, text):
    # llama.vim, tabby#3361, copilot-cmp#11
    assert shown("def f(x):\n    |\n", text, "python", LINE) == ("return x", 0)


def test_the_first_line_may_be_deeper_where_the_line_above_opens_a_block(shown):
    document = "def f(x):\n    if x:\n    |\n"
    assert shown(document, "    return x\n        y = 1") == ("    return x\n        y = 1", 0)


def test_a_text_indented_behind_a_finished_line_starts_a_new_one(shown):
    # Continue, for Mercury's diffusion model
    assert shown("def f(x):|\n", "    return x") == ("\n    return x", 0)
    assert shown("if (x) {|\n}\n", "  y();", "javascript") == ("\n  y();", 0)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("x = 1|\n", "  # one"),
        ("    a|\n", "    = 1"),
        ("return|\n", " x"),
        ("x = 'a:|\n", "    b'"),
    ],
)
def test_white_space_within_a_line_is_no_new_line(shown, document, text):
    assert shown(document, text, "python", LINE) == (text, 0)


def test_tabs_become_the_spaces_of_the_document(shown):
    # tabby#3263
    document = "def f(x):\n    if x:|\n    return 2\n"
    assert shown(document, "\n\t\treturn 1") == ("\n        return 1", 0)


@pytest.mark.parametrize("step", ["    ", "  "])
def test_spaces_become_the_tabs_of_the_document(shown, step):
    # tabby#3782, cody#5581
    document = "func f() {\n\tif x {|\n\t}\n}\n"
    text = f"\n{step * 2}for {{\n{step * 3}y()\n{step * 2}}}"
    assert shown(document, text, "go") == ("\n\t\tfor {\n\t\t\ty()\n\t\t}", 0)


def test_without_lines_to_go_by_the_editor_decides(shown):
    text = "\n    return 1"
    assert shown("def f():|", text, insert_spaces=False) == ("\n\treturn 1", 0)
    assert shown("def f():|", "\n\treturn 1", tab_size=2) == ("\n  return 1", 0)


def test_text_in_strings_keeps_its_white_space(shown):
    document = "def f():\n    |\n"
    text = 'x = """\n\tkept\n"""'
    assert shown(document, text) == (text, 0)


def test_one_space_too_many_before_every_line_goes(shown):
    # tabby#3361, vscode-copilot-release#12424
    document = "class A:\n    def f(self):\n        |\n\n    def g(self):\n        pass\n"
    assert shown(document, "x = 1\n         y = 2\n         z = 3") == (
        "x = 1\n        y = 2\n        z = 3",
        0,
    )


def test_arguments_aligned_at_an_odd_column_stay(shown):
    document = "def f():\n    |\n"
    text = "call(a,\n         b)"
    assert shown(document, text) == (text, 0)


def test_the_tabs_of_a_recipe_stay(shown):
    document = "A = \\\n    b\n\nall: a|\n"
    assert shown(document, "\n\techo 1\n\techo 2", "makefile") == ("\n\techo 1\n\techo 2", 0)


def test_go_has_tabs_even_where_nothing_is_indented(shown):
    text = "\n    return 1\n}"
    assert shown("func f() {|\n", text, "go") == ("\n\treturn 1\n}", 0)
    tabs = text.replace("    ", "\t")
    assert shown("/*\n  a\n*/\nfunc f() {|\n", tabs, "go") == (tabs, 0)
