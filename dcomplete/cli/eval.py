"""``dcomplete eval``: the evaluation harness. Its parts are imported when they are asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

_COMMANDS = {
    "data": "dcomplete_eval.commands:data",
    "gold": "dcomplete_eval.commands:gold",
    "run": "dcomplete.cli.eval_run:command",
    "compare": "dcomplete.cli.eval_compare:command",
    "latency": "dcomplete.cli.eval_latency:command",
    "replay": "dcomplete_eval.replay.commands:app",
    "report": "dcomplete_eval.report.command:command",
    "arena": "dcomplete_eval.arena.cli:app",
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
        holder = typer.Typer(add_completion=False)
        holder.callback()(_group)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=cmd_name)
        else:
            holder.command(cmd_name, epilog=getattr(module, "EXAMPLES", None))(found)
        group: Any = typer.main.get_command(holder)
        return group.get_command(ctx, cmd_name)


def _group() -> None:
    pass


app = typer.Typer(
    cls=_Lazy,
    help="Benchmarks in a sandbox, replays of real typing, an arena, and reports.",
    epilog="Example: dcomplete eval run humaneval-single-line --contestant engine --limit 100",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)


app.callback()(_group)
