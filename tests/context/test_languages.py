"""The table of languages."""

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
