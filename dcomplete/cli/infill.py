"""``dcomplete infill``: fill the gaps of a file or of standard input."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcomplete import __version__, document
from dcomplete.cli import recording
from dcomplete.cli.answers import show, to_json
from dcomplete.document import Document
from dcomplete.errors import DocumentError, Refusal, UserError
from dcomplete.serve.orders import Choice
from dcomplete.types import ENOUGH_BRANCHES, Answer, Engine, Finish, Infill, InfillRequest, Watcher

if TYPE_CHECKING:
    from rich.text import Text

MARKER = "<GAP>"
EXAMPLES = f"""Examples:

  dcomplete infill app.py --at 12:9                 insert at line 12, column 9

  dcomplete infill app.py --at 12:1 --to 15:1 --diff  replace three lines, show a diff

  dcomplete infill app.py --gap '{MARKER}' --write      fill every marker, in place

  cat app.py | dcomplete infill - --json            markers in standard input, answer as JSON"""


def command(
    file: Annotated[
        str, typer.Argument(help="The file, or - for standard input.", show_default=False)
    ],
    at: Annotated[
        str | None, typer.Option(metavar="LINE:COL", help="Insert here; both count from 1.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="LINE:COL", help="With --at: replace the text up to here.")
    ] = None,
    gap: Annotated[
        str | None,
        typer.Option(
            metavar="MARKER",
            help="Text that marks the gaps; all are filled together.",
            show_default=MARKER,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="Model name or folder; if empty, the default of the engine that runs, else the "
            "embedded one."
        ),
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, int8 or fp8.")] = "auto",
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens for one gap.")] = 64,
    length: Annotated[str, typer.Option(help="auto, candidates, or exactly N tokens.")] = "auto",
    steps: Annotated[int, typer.Option(help="Most denoise steps of one canvas.")] = 64,
    policy: Annotated[
        str,
        typer.Option(
            metavar="NAME[=VALUE]",
            help="What is committed at a step; empty: the model's own; published: its authors' "
            "sampler with temperature and top-p.",
        ),
    ] = "",
    branches: Annotated[
        int | None,
        typer.Option(
            help="Try so many other answers beside the first; what fits best with the text behind the "
            "gap comes first. 8 if not said, and none where answers are drawn; 0 is right less often, "
            "in a third of the time.",
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(
            help="Print the beginning of the answer, between two words, whose length times what its "
            "probability by the model's own reading exceeds this by is greatest; no branches are tried "
            "then. 0: all of it."
        ),
    ] = 0.0,
    samples: Annotated[
        int,
        typer.Option(help="Answers, best first, as far as there are others."),
    ] = 1,
    temperature: Annotated[
        float,
        typer.Option(
            help="0 takes the most probable token. DiffusionGemma's own sampler takes no notice."
        ),
    ] = 0.0,
    top_p: Annotated[
        float, typer.Option(help="Sample from the most probable tokens with this mass.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="For sampling.")] = 0,
    deadline_ms: Annotated[
        float | None, typer.Option(help="Answer with what there is after this time.")
    ] = None,
    context_tokens: Annotated[int, typer.Option(help="Tokens of text around the gap.")] = 1024,
    stale: Annotated[
        int,
        typer.Option(help="Approximate: keep a full-attention model's context for N steps."),
    ] = 1,
    language: Annotated[
        str, typer.Option(help="For colours on a terminal; empty: from the file name.")
    ] = "",
    filled: Annotated[bool, typer.Option("--filled", help="Print the whole text, filled.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Change the file in place.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show the denoising live.")] = False,
    record: Annotated[
        Path | None, typer.Option(help="Save the denoising as an animated SVG.")
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Load the model here even if an engine runs.")
    ] = False,
) -> None:
    """Fill one or more gaps in a text.

    The gap is given by --at (and --to), or by markers in the text. Exit status: 0 filled, 1 nothing
    to suggest (the reason is on stderr), 2 wrong use. An engine that runs already (see `dcomplete
    serve`) is used, which saves loading the model.
    """
    if sum((filled, diff, write, as_json)) > 1:
        raise UserError("Use only one of --filled, --diff, --write and --json.")
    raw = _bytes(file)
    doc = read(raw, file, at, to, gap)
    prefix, between, suffix = doc.for_model()
    request = InfillRequest(
        prefix=prefix,
        suffix=suffix,
        between=between,
        max_tokens=max_tokens,
        steps=steps,
        policy=policy,
        length=length,
        branches=_branches(branches, temperature),
        confidence=confidence,
        samples=samples,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
        deadline_ms=deadline_ms,
        context_tokens=context_tokens,
        stale=stale,
    )
    if write and file == "-":
        raise UserError("--write needs a file; use --filled with standard input.")
    engine = None if in_process else _running_engine(Choice(model, device, dtype))
    if engine is None:
        engine = _engine(model, device, dtype, request)
    result, frames = run(engine, request, watch, record is not None)
    try:
        if as_json:
            typer.echo(json.dumps(to_json(doc, result), ensure_ascii=False))
        if not any(result.best.texts):
            raise Refusal(_nothing(result.best))
        if not as_json:
            form = "diff" if diff else "filled" if filled else ""
            show(doc, result, file, language, form, raw if write else None)
    finally:  # a place that cannot be written to does not cost the answer
        if record is not None:
            recording.write(record, frames)


def _nothing(answer: Answer) -> str:
    """Why an answer is empty."""
    unsure = answer.finish is Finish.UNSURE
    return "the model is not sure enough." if unsure else "the model leaves the gap empty."


def _branches(said: int | None, temperature: float) -> int:
    """Whoever asks here waits for the best of several, as in an editor."""
    return said if said is not None else 0 if temperature else ENOUGH_BRANCHES


def _running_engine(choice: Choice) -> Engine | None:
    """The user's engine process, if one of this version runs."""
    from dcomplete.serve.places import Places

    if Places.find().address() is None:
        return None
    from dcomplete.serve.remote import RemoteEngine
    from dcomplete.serve.start import StartOptions, read_status

    status = read_status()
    if status is None or status.ending or status.version != __version__:
        return None
    return RemoteEngine(choice.model, StartOptions(choice))


def _engine(model: str, device: str, dtype: str, request: InfillRequest) -> Engine:
    from dcomplete.engine.checks import check_request
    from dcomplete.engine.load import open_model
    from dcomplete.engine.policies import check_policy

    check_request(request)  # before the weights are read
    check_policy(request.policy)
    return open_model(model, device, dtype)


def run(
    engine: Engine, request: InfillRequest, watch: bool, record: bool
) -> "tuple[Infill, list[Text]]":
    """Infill, with the live view on stderr and its frames if asked for."""
    if not watch and not record:
        return engine.infill(request), []
    from dcomplete.cli.live import LiveView

    with LiveView(request, quiet=not watch) as view:
        watcher: Watcher = view.show
        found = engine.infill(request, watch=watcher)
        view.end(found)
        return found, view.frames


def read(raw: bytes, file: str, at: str | None, to: str | None, marker: str | None) -> Document:
    """The document with its gaps; raises DocumentError."""
    text = document.decode(raw, "Standard input" if file == "-" else file)
    if at is None and to is not None:
        raise DocumentError("--to needs --at.")
    if at is None:
        return document.at_markers(text, MARKER if marker is None else marker)
    if marker is not None:
        raise DocumentError("Use --at or --gap, not both: a gap is at a place or at a marker.")
    return document.at_position(text, at, to)


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    if not file:
        raise DocumentError("The name of the file is empty.")
    path = Path(file)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"There is no file {file}.") from None
    except OSError as error:
        if _is_folder(path):  # Windows only says that it is forbidden
            raise DocumentError(f"{file} is a folder; name a file.") from None
        raise DocumentError(f"{file} cannot be read: {error.strerror}.") from None


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False
