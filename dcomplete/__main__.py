"""``dcomplete`` and ``python -m dcomplete``."""

import sys


def main() -> None:
    """Run the command line, or the language server without it.

    An editor waits for the language server at its start: the command line's libraries would cost it
    a third of a second.
    """
    command, *rest = sys.argv[1:] or [""]
    if command == "lsp" and not {"-h", "--help"} & set(rest):
        from dcomplete_lsp.__main__ import main as serve_editor

        sys.exit(serve_editor(rest))
    from dcomplete.cli import main as run

    run()


if __name__ == "__main__":
    main()
