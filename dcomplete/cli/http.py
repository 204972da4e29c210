"""``dcomplete http``: other tools fill gaps in the dialects that they already speak."""

import json
from typing import Annotated

import typer

from dcomplete.serve.orders import Choice

EXAMPLES = """Examples:

  dcomplete http                        until Ctrl-C

  curl 127.0.0.1:8012/v1/completions -d '{"prompt": "a = ", "suffix": "\\n"}'

  dcomplete http --confidence 0.35      as much of each answer as promises most

  dcomplete http --port 11434           where Ollama's clients look

  DCOMPLETE_HTTP_TOKEN=secret dcomplete http --host 0.0.0.0

Settings for llama.vim, minuet, Continue, Zed and others: editors/other.md."""


def command(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8012,
    model: Annotated[
        str,
        typer.Option(help="Model for requests that name none of ours; the embedded one if empty."),
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, int8 or fp8.")] = "auto",
    branches: Annotated[
        int,
        typer.Option(min=0, max=64, help="Try so many other answers: right more often, slower."),
    ] = 0,
    confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="End answers where they promise most, and before what makes them less likely right than "
            "this, for tools that suggest while somebody types; 0.35 is what editors use. No branches "
            "are tried then. 0: all of it.",
        ),
    ] = 0.0,
    token: Annotated[
        str,
        typer.Option(
            envvar="DCOMPLETE_HTTP_TOKEN",
            show_default=False,
            help="Clients must send it. Others on this machine can read a command line, so rather "
            "use the variable.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Answer other tools over HTTP: llama.cpp, OpenAI, Mistral, Ollama and Tabby clients.

    A thin process in front of the one engine process that editors and the shell share. Only this
    machine is let in, others with a token, web pages never.
    """
    from dcomplete.dialects.front import Front, serve
    from dcomplete.dialects.guard import Rules
    from dcomplete.models.store import entries, find

    own = find(model)  # the engine would say that it is missing to the first client only

    def models() -> dict[str, str]:
        return {own.name: model or own.name} | {
            entry.name: entry.name for entry in entries() if entry.name != own.name
        }

    def ready(url: str) -> None:
        said = {"url": url, "model": own.name}
        typer.echo(
            json.dumps(said) if as_json else f"Listening at {url} with {own.name}; Ctrl-C ends it."
        )

    front = Front(
        Rules(host, token),
        port,
        models,
        Choice(model or own.name, device, dtype),
        branches,
        confidence,
    )
    serve(front, ready, lambda sentence: typer.echo(f"dcomplete: {sentence}", err=True))
