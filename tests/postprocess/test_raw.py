"""Closers within strings, comments and prose, and angle brackets."""

import pytest

from dcomplete.types import Shape


@pytest.mark.parametrize(
    ("document", "text", "language", "expected"),
    [
        ('print(f"{|}")\n', 'x}")', "python", ("x", 0)),
        ('print(f"{|}")\n', 'x} and {y}")', "python", ("x} and {y", 0)),
        ('print(f"{|}")\n', "x} and", "python", ("x} and", 1)),
        ("print(f\"{d['|']}\")\n", "a']}\")", "python", ("a", 0)),
        ("a(`${|}`);\n", "x}`);", "typescript", ("x", 0)),
        ('println!("{|}", a);\n', 'x}", a);', "rust", ("x", 0)),
        ('puts "#{|}"\n', 'x}"', "ruby", ("x", 0)),
        ('echo "${|}"\n', 'HOME}"', "shellscript", ("HOME", 0)),
        ("# see foo(|)\n", "bar)", "python", ("bar", 0)),
        ("# see foo(|)\n", "bar) for more", "python", ("bar) for more", 1)),
        ('"""\nCalls foo(|)\n"""\n', "bar)", "python", ("bar", 0)),
        ("/* {@link |} */\n", "a} */", "java", ("a", 0)),
        ("[a](|)\n", "http://b.org/x)", "markdown", ("http://b.org/x", 0)),
        ("All of src/*.js, and [a](|)\n", "http://b.org/x)", "markdown", ("http://b.org/x", 0)),
        ("p { b: url(|) }\n", "http://b.org/x)", "css", ("http://b.org/x", 0)),
    ],
)
def test_a_closer_in_a_string_or_comment_is_not_typed_twice(
    shown, document, text, language, expected
):
    assert shown(document, text, language, Shape.LINE) == expected


@pytest.mark.parametrize(
    ("document", "text", "language"),
    [
        ('print(f"{|")\n', "x}", "python"),
        ("# see foo(|, b)\n", "bar(a)", "python"),
        ("# 1) one |\n", "2) two", "python"),
        ("# (see\n# |)\n", "1) below", "python"),
        ('x = "(|"\n', "a)", "python"),
    ],
)
def test_a_closer_that_is_owed_there_or_owes_nothing_stays(shown, document, text, language):
    assert shown(document, text, language, Shape.LINE) == (text, 0)


@pytest.mark.parametrize(
    ("document", "text", "language", "expected"),
    [
        ("let a: Vec<|>\n", "u8> = Vec::new();", "rust", ("u8> = Vec::new();", 1)),
        ("let a: Vec<Vec<|>>\n", "u8>> = b();", "rust", ("u8>> = b();", 2)),
        ("#include <|>\n", "stdio.h>", "c", ("stdio.h", 0)),
        ("<div|></div>\n", ' id="a"></div>', "html", (' id="a"', 0)),
        ("let a: Vec<|>\n", "u8, fn() -> X", "rust", ("u8, fn() -> X", 0)),
        ("let a: Vec<|>\n", "Vec<u8>", "rust", ("Vec<u8>", 0)),
        ("if a |> b\n", "> c", "c", ("> c", 0)),
    ],
)
def test_an_angle_bracket_right_of_the_gap_is_not_typed_twice(
    shown, document, text, language, expected
):
    assert shown(document, text, language, Shape.LINE) == expected
