"""``dcomplete lsp``: the language server that editors start."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = "Example: dcomplete lsp --log-file ~/dcomplete.log --log-level info"


class LogLevel(StrEnum):
    """How much is logged; only debug may hold code and paths."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def command(
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Talk over standard streams (the default).")
    ] = False,
    tcp: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Wait for one connection there instead.")
    ] = "",
    tcp_anywhere: Annotated[
        bool, typer.Option("--tcp-anywhere", help="Let --tcp be reached from other machines.")
    ] = False,
    in_process: Annotated[
        bool,
        typer.Option("--in-process", help="Run the model here, not in the shared engine process."),
    ] = False,
    model: Annotated[
        str, typer.Option(help="Model name or folder; the embedded one if empty.")
    ] = "",
    log_file: Annotated[
        Path | None, typer.Option(help="Log to this file, not to standard error.")
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="How much to log.")] = LogLevel.WARNING,
) -> None:
    """Serve an editor through the Language Server Protocol, until the editor ends."""
    from dcomplete_lsp.options import Options, tcp_address
    from dcomplete_lsp.quick_start import without_collection

    host, port = tcp_address(tcp, tcp_anywhere) if tcp else (None, 0)
    with without_collection():
        from dcomplete_lsp.launch import serve
    raise typer.Exit(serve(Options(host, port, in_process, model, log_file, log_level.value)))
