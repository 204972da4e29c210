"""The table of languages."""

import time

import pytest

from dcomplete.context.languages import LANGUAGES, grammar, language_of


@pytest.mark.parametrize(
    ("name", "uri", "expected"),
    [
        ("python", "", "python"),
        ("Python", "", "python"),
        ("bash", "", "shellscript"),
        ("tsx", "", "typescriptreact"),
        ("", "file:///w/a%20b.RS", "rust"),
        ("plaintext", "file:///w/a.go", "go"),
        ("", "file:///w/a.unknown", "plaintext"),
        ("", "file://[", "plaintext"),
        ("unheard-of", "file:///w/a.py", "unheard-of"),
        ("sh", "", "shellscript"),
        ("make", "", "makefile"),
        ("text", "file:///w/a.rs", "rust"),
        ("gitcommit", "", "git-commit"),
        ("git-commit", "", "git-commit"),
        ("rst", "", "restructuredtext"),
        ("tex", "", "latex"),
        ("objc", "", "objective-c"),
        ("ps1", "", "powershell"),
        ("yaml.ansible", "", "yaml"),
        ("javascript.jsx", "", "javascript"),
    ],
)
def test_a_language_is_known_by_name_else_by_suffix(name, uri, expected):
    assert language_of(name, uri).name == expected


@pytest.mark.parametrize("address", ["", "no_such_module", "json:no_such_function", "cobol@pack"])
def test_a_missing_grammar_is_no_error(address):
    assert grammar(address) is None


def test_no_file_suffix_belongs_to_two_languages():
    suffixes = [suffix for language in LANGUAGES.values() for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_nothing_is_said_of_the_statements_of_an_unknown_language():
    assert not language_of("unheard-of").statements
    assert not language_of("gitcommit").statements


def test_a_line_of_many_cases_costs_no_square():
    line = "case a:b();" * 20_000  # a bundle on one line
    start = time.perf_counter()
    assert not LANGUAGES["javascript"].opens_block(line)
    assert LANGUAGES["javascript"].opens_block(line + "case x:")
    assert LANGUAGES["python"].opens_block("def f(" + "a, " * 20_000 + "):")
    assert time.perf_counter() - start < 1.0
