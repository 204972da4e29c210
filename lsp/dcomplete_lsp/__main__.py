"""``python -m dcomplete_lsp``: the language server without the rest of the command line."""

import argparse
import sys
from pathlib import Path

from dcomplete.errors import UserError
from dcomplete_lsp.logs import LEVELS
from dcomplete_lsp.options import Options, tcp_address
from dcomplete_lsp.quick_start import without_collection


def parser() -> argparse.ArgumentParser:
    """The options that `dcomplete.cli.lsp` shows in its help."""
    known = argparse.ArgumentParser("dcomplete_lsp", description="The language server.")
    known.add_argument("--stdio", action="store_true", help="standard streams (the default)")
    known.add_argument("--tcp", metavar="HOST:PORT", help="wait for one TCP connection")
    known.add_argument("--tcp-anywhere", action="store_true", help="let --tcp leave loopback")
    known.add_argument("--in-process", action="store_true", help="run the model here")
    known.add_argument("--model", default="", help="name or folder of a model")
    known.add_argument("--log-file", type=Path, help="log there, not to standard error")
    known.add_argument("--log-level", choices=LEVELS, default="warning")
    return known


def options(arguments: list[str]) -> Options:
    """Command-line arguments to options; raises UserError for an address that does not fit."""
    given = parser().parse_args(arguments)
    host, port = tcp_address(given.tcp, given.tcp_anywhere) if given.tcp else (None, 0)
    return Options(host, port, given.in_process, given.model, given.log_file, given.log_level)


def main(arguments: list[str] | None = None) -> int:
    """Run the server; 2 for a mistake in the arguments."""
    try:
        given = options(sys.argv[1:] if arguments is None else arguments)
        with without_collection():
            from dcomplete_lsp.launch import serve
        return serve(given)
    except UserError as error:
        print(f"dcomplete_lsp: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
