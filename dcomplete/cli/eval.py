"""``dcomplete eval``: the evaluation harness. Its parts are imported when they are asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

_COMMANDS = {
    "run": "dcomplete.cli.eval_run:command",
}


class _Lazy(TyperGroup):
    """A group whose commands are addresses until somebody looks at them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        name, attribute = _COMMANDS[cmd_name].split(":")
        module = import_module(name)
        found: Any = getattr(module, attribute)
        if not isinstance(found, typer.Typer):
            epilog = getattr(module, "EXAMPLES", None)
            found, function = typer.Typer(add_completion=False), found
            found.command(cmd_name, epilog=epilog)(function)
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Lazy,
    help="Benchmarks in a sandbox, replays of real typing, an arena, and reports.",
    epilog="Example: dcomplete eval run humaneval-single-line --contestant engine --limit 100",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)


@app.callback()
def _group() -> None:
    pass
