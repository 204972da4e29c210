"""``python -m dcomplete_eval.replay TRACE.json.gz``: real typing against the real server."""

import typer

from dcomplete_eval.replay.commands import server

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(server)

if __name__ == "__main__":
    app()
