"""``dcomplete`` and ``python -m dcomplete``."""

import os
import sys

_SPINS = 2000  # of libgomp's loops, some tens of microseconds


def main() -> None:
    """Run the command line, or the language server without it.

    An editor waits for the language server at its start: the command line's libraries would cost it
    a third of a second.
    """
    _stand_in()
    _spin_less()
    command, *rest = sys.argv[1:] or [""]
    if command == "lsp" and not {"-h", "--help"} & set(rest):
        from dcomplete_lsp.__main__ import main as serve_editor

        sys.exit(serve_editor(rest))
    from dcomplete.cli import main as run

    run()


def _spin_less() -> None:
    """Have idle threads of a computation sleep soon; what the environment says already stays.

    By default they wait for the next piece of work in a busy loop for milliseconds. Beside a compiler
    that wants all cores, that takes from our own threads the core on which the piece would be finished
    (engine/LOG.md). To be called before the OpenMP library is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))


def _stand_in() -> None:
    """The null device for each standard stream that is closed, as some launchers have it.

    The next file that is opened would take its number, and with it what is printed.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
