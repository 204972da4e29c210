"""The command line: one file per sub-command, and the one place where errors become exit statuses."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import typer

from dcomplete import __version__
from dcomplete.cli import bench, doctor, eval, http, infill, lsp, models, serve, train
from dcomplete.errors import Cancelled, Refusal, UserError

DONE, NOTHING, WRONG_USE, BUG, INTERRUPTED = 0, 1, 2, 70, 130

app = typer.Typer(
    name="dcomplete",
    help="Fill gaps in code with a diffusion language model, on your own machine.",
    epilog="Example: dcomplete infill src/app.py --at 12:9",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
app.command("infill", epilog=infill.EXAMPLES)(infill.command)
app.add_typer(models.app, name="models")
app.command("serve", epilog=serve.EXAMPLES)(serve.command)
app.command("http", epilog=http.EXAMPLES)(http.command)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.command)
app.command("bench", epilog=bench.EXAMPLES)(bench.command)
app.add_typer(train.app, name="train")
app.add_typer(eval.app, name="eval")
app.command("lsp", epilog=lsp.EXAMPLES)(lsp.command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dcomplete {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 nothing to suggest, 2 wrong use, 130 interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        _make_encodable(sys.stdout)  # code and JSON are UTF-8, whatever the locale says
    sys.exit(run(arguments))


def _make_encodable(out: io.TextIOWrapper) -> None:
    """A terminal shows what it can; a pipe or file gets every character, and no other line ends."""
    if out.isatty():
        out.reconfigure(errors="backslashreplace")
    else:
        out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")


def as_typed(arguments: Sequence[str]) -> list[str]:
    """Arguments as the shell handed them on, with `~` for those shells that leave it to programs.

    Left to itself, the argument parser takes patterns for file names on Windows: `[id].tsx` would be
    `i.tsx`, and a marker of asterisks any file.
    """
    if sys.platform != "win32":
        return list(arguments)
    return [os.path.expanduser(one) for one in arguments]  # noqa: PTH111 (never raises)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status. No traceback reaches a user."""
    command = typer.main.get_command(app)
    given = as_typed(sys.argv[1:]) if arguments is None else arguments
    try:
        status = command.main(given, prog_name="dcomplete", standalone_mode=False)
    except Exception as error:
        if os.environ.get("DCOMPLETE_DEBUG"):
            raise
        return _report(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:  # what the argument parser makes of a broken pipe
        if isinstance(end.__context__, OSError) and _unread(end.__context__):
            return _report(end.__context__)
        raise
    return status if isinstance(status, int) else DONE


def _report(error: Exception) -> int:
    """One sentence on stderr, and the exit status for it."""
    match error:
        case typer.Exit():
            return error.exit_code
        case typer.Abort():
            return INTERRUPTED
        case Cancelled():
            return _say(str(error), INTERRUPTED)
        case OSError() if _unread(error):
            _give_up_output()
            return DONE
        case OSError(filename=None, errno=errno.ENOSPC | errno.EIO | errno.EFBIG):
            _give_up_output()
            return _say(f"The output cannot be written: {error.strerror}.", WRONG_USE)
        case Refusal():
            return _say(f"Nothing to suggest: {error}", NOTHING)
        case UserError():
            return _say(str(error), WRONG_USE)
        case MemoryError():
            return _say("Not enough memory; use a smaller model or a shorter context.", WRONG_USE)
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # the argument parser's own errors
        error.show()
        return int(error.exit_code)
    hint = "Set DCOMPLETE_DEBUG=1 for the full report, and please tell us."
    said = str(error).removesuffix(".")
    return _say(f"Unexpected {type(error).__name__}: {said}. {hint}", BUG)


def _give_up_output() -> None:
    """What is still to be written to standard output would fail again as the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unread(error: OSError) -> bool:
    """Whether the reader of our pipe has seen enough, which Windows calls an invalid argument."""
    invalid = error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and invalid)


def _say(sentence: str, status: int) -> int:
    with suppress(OSError):  # a full or closed standard error; the status tells it all the same
        typer.echo(f"dcomplete: {sentence}", err=True)
    return status
