"""How a document indents, guessed from its first indented lines."""

import pytest

from dcomplete_lsp.indentation import guess


@pytest.mark.parametrize(
    ("text", "guessed"),
    [
        ("", (4, True)),
        ("no indentation\n", (4, True)),
        ("if x:\n    y\n        z\n", (4, True)),
        ("a\n  b\n    c\n", (2, True)),
        ("f {\n\tx\n", (4, False)),
        ("/*\n * comment\n */\nf {\n  x\n", (2, True)),
        ("x\n            deep\n", (4, True)),
        ("   \n\n \t\n", (4, True)),
    ],
)
def test_guess(text, guessed):
    assert guess(text) == guessed
