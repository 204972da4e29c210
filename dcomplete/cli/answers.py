"""An infill for people and programs: text, diff, in place, JSON."""

import difflib
import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from dcomplete import swapping
from dcomplete.document import Document
from dcomplete.errors import DocumentError
from dcomplete.types import Infill


def to_json(doc: Document, result: Infill) -> dict[str, Any]:
    """The answer for programs; `text` for one gap, `texts` for several."""
    best = result.best
    texts = [doc.localize(t) for t in best.texts]
    answer: dict[str, Any] = {"text": texts[0]} if len(texts) == 1 else {"texts": texts}
    answer |= {
        "gaps": [{"start": g.start, "end": g.end} for g in doc.gaps],
        "model": result.model,
        "device": result.device,
        "dtype": result.dtype,
        "policy": result.policy,
        "steps": result.steps,
        "forwards": result.forwards,
        "tokens": best.tokens,
        "tokens_computed": result.tokens_computed,
        "context_tokens": result.context_tokens,
        "score": round(best.score, 4),
        "finish": best.finish.value,
    }
    if len(result.answers) > 1:
        answer["samples"] = [
            {"texts": [doc.localize(t) for t in a.texts], "score": round(a.score, 4)}
            for a in result.answers
        ]
    t = result.timings
    named = {n: getattr(t, n) for n in ("load", "tokenize", "prefill", "denoise", "total")}
    answer["timings_ms"] = {n: round(ms, 2) for n, ms in named.items()}
    return answer


def show(
    doc: Document, result: Infill, file: str, language: str, form: str, written: bytes | None
) -> None:
    """Print the answers, or the text with the best one as `form` says.

    With `written`, what the file holds, change the file instead.
    """
    whole = doc.filled(result.best.texts)
    if written is not None:
        _replace(Path(file), whole.encode("utf-8"), written)
        count = len(doc.gaps)
        typer.echo(f"Filled {count} gap{'s' * (count > 1)} in {file}.", err=True)
    elif form == "diff":
        _show(_diff(doc.text, whole, file), "diff")
    elif form == "filled":
        _show(whole, language or _lexer(file))
    else:
        _infills(doc, result, language or _lexer(file))


def _diff(old: str, new: str, file: str) -> str:
    """A patch as diff(1) writes it: form feeds end no line, and a missing last line end is said."""
    before, after = ([*re.findall(r"[^\n]*\n|[^\n]+", text)] for text in (old, new))
    lines = difflib.unified_diff(before, after, f"a/{file}", f"b/{file}")
    missing = "\n\\ No newline at end of file\n"
    return "".join(one if one.endswith("\n") else one + missing for one in lines)


def _infills(doc: Document, result: Infill, language: str) -> None:
    several = len(result.answers) > 1 or len(doc.gaps) > 1
    for number, answer in enumerate(result.answers, 1):
        for gap, text in enumerate(answer.texts, 1):
            if several:
                which = f"answer {number}, gap {gap}" if len(result.answers) > 1 else f"gap {gap}"
                typer.echo(f"--- {which}")
            _show(doc.localize(text), language)
            if not text.endswith("\n"):
                typer.echo()


def _show(text: str, lexer: str) -> None:
    """To the terminal in colour, to a pipe or file to the character."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.syntax import Syntax

    shown = Syntax("", lexer, background_color="default").highlight(text)
    shown.rstrip()  # the highlighter adds a line end of its own
    Console().print(shown, end="\n" if text.endswith("\n") else "", soft_wrap=True)


def _lexer(file: str) -> str:
    from rich.syntax import Syntax

    return "text" if file == "-" else Syntax.guess_lexer(file)


def _replace(path: Path, text: bytes, before: bytes) -> None:
    """Write beside the file, then swap: a crash, of the power too, leaves one text or the other, whole.

    A model takes its time: what was saved meanwhile, so that the file is not `before`, is kept.
    """
    target, fresh = path.resolve(), None
    try:
        handle, name = tempfile.mkstemp(prefix=".dcomplete-", dir=target.parent)
        fresh = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        _take_after(target, fresh)
        if target.read_bytes() != before:
            raise DocumentError(f"{path} was changed meanwhile; it is left as it is, try again.")
        swapping.replace(fresh, target)
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def _take_after(old: Path, new: Path) -> None:
    """Give `new` the owner, as far as we may, and the mode of `old`.

    Windows knows only a mark against writing, and with it a file is neither replaced nor deleted.
    """
    if sys.platform == "win32":
        return
    seen = old.stat()
    for owner, group in ((-1, seen.st_gid), (seen.st_uid, -1)):
        with suppress(PermissionError):
            os.chown(new, owner, group)
    new.chmod(seen.st_mode & 0o7777)  # last: a new owner takes set-user-ID bits away
