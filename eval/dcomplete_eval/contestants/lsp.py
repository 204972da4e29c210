"""The language server as an editor starts it: all of the product, triggers and filters included.

It runs ``dcomplete lsp`` as a process of its own, with an engine process of its own. What the server
declines to suggest is an empty answer, as it is for a person.
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, TypeVar

from pygls.exceptions import JsonRpcException, PyglsError

from dcomplete.document import CLOSERS
from dcomplete.errors import UserError
from dcomplete.settings import ContextSettings, read_settings
from dcomplete.types import Stopwatch
from dcomplete_eval.contestants import sight, weights
from dcomplete_eval.contestants.gap_editor import GapEditor, Sides
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.replay.play import engine_status, stop_engine
from dcomplete_eval.types import Answer, Task

OPTIONS = (
    "model", "device", "dtype", "policy", "steps", "line_tokens", "block_tokens", "deadline",
    "confidence", "branches", "patience", "multiline", "trigger", *sight.OPTIONS,
)  # fmt: skip
T = TypeVar("T")
_LOAD_S, _ANSWER_S, _POLL_S = 180.0, 60.0, 0.2
_FIRST = ("value = 1\nother = ", "\n")
_COUNTS = {"steps": 1, "line_tokens": 1, "block_tokens": 1, "branches": 0}  # and the least of each
_MODEL = ("policy", "confidence", "device", "dtype", *_COUNTS)


def make(spec: Spec) -> "LanguageServer":
    """Start the server and wait until its model is loaded."""
    return LanguageServer(spec)


class LanguageServer:
    """See `types.Contestant`."""

    def __init__(self, spec: Spec) -> None:
        self._told, self._invoked, self._sight = _read(spec)
        self._settings = read_settings(self._told)
        # An engine that ends may still have its log open, which Windows does not delete.
        self._folder = tempfile.TemporaryDirectory(prefix="dcomplete-", ignore_cleanup_errors=True)
        places = ("DCOMPLETE_RUNTIME_DIR", "DCOMPLETE_LOG_DIR")
        self._env = os.environ | dict.fromkeys(places, self._folder.name)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="editor", daemon=True)
        self._thread.start()
        self._editor = GapEditor()
        try:
            self._begin(self._start()).result()
        except BaseException:
            self.close()
            raise
        self._status = engine_status(self._env)
        model = next((m["name"] for m in self._status.get("models", ())), "")
        self.name = spec.label(str(model), known=("model",))

    async def _start(self) -> None:
        try:
            await self._editor.start(self._env, settings=self._told)
            async with asyncio.timeout(_LOAD_S):
                while await self._editor.suggested(_FIRST, "python") is None:
                    await asyncio.sleep(_POLL_S)
            if self._editor.trouble:
                raise UserError(self._editor.trouble)
        except TimeoutError:
            raise UserError("The language server did not load its model in time.") from None
        except (OSError, JsonRpcException, PyglsError) as error:
            raise UserError(f"The language server does not work: {error}") from None

    def settings(self) -> dict[str, Any]:
        models = self._status.get("models") or [{}]
        return {
            "kind": "lsp",
            "model": models[0].get("name"),
            "device": models[0].get("device"),
            "dtype": models[0].get("dtype"),
            "weights": weights.of_model(self._settings.model.name),
            "version": self._status.get("version"),
            "trigger": "invoked" if self._invoked else "automatic",
            "settings": asdict(self._settings),  # all of them: a default may be another tomorrow
            "post": "the product's filters",
            **self._sight.settings(),
        }

    def answer(self, task: Task) -> Answer:
        return self._begin(self._answered(self._alone, task)).result()

    def typed(self, task: Task) -> Future[Answer]:
        """See `types.Live`. The workspace and other files are not shown."""
        return self._begin(self._answered(self._going_on, task, "".join(CLOSERS)))

    async def _answered(
        self, ask: Callable[[Task], Awaitable[Sides | None]], task: Task, closed: str = ""
    ) -> Answer:
        watch = Stopwatch()
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await ask(task)
        except TimeoutError:
            return Answer("", watch.total(), error="The language server did not answer in time.")
        except (JsonRpcException, OSError) as error:
            return Answer("", watch.total(), error=f"The language server failed: {error}")
        ms = watch.total()
        if found is None or (found == (task.prefix, task.suffix) and self._editor.trouble):
            return Answer("", ms, error=self._editor.trouble or "The server cannot tell yet.")
        text = _between(found, task, closed)
        if text is None:
            return Answer("", ms, error="The suggestion replaces text outside the gap.")
        return Answer(text, ms)

    async def _alone(self, task: Task) -> Sides | None:
        """The gap in a document of its own."""
        others: dict[str, str] = {}
        if self._sight.workspace:
            others = self._sight.beside(task)
            self._editor.enter(task.folder)
        uri = sight.address(task) if self._sight.workspace else ""
        sides = (task.prefix, task.suffix)
        return await self._editor.suggested(sides, task.language, self._invoked, uri, others)

    async def _going_on(self, task: Task) -> Sides | None:
        """The gap in the document that is open; what the server keeps to itself is nothing."""
        sides = (task.prefix, task.suffix)
        return await self._editor.typed(sides, task.language, self._invoked) or sides

    def close(self) -> None:
        try:
            self._begin(self._editor.stop()).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            stop_engine(self._env)
            self._folder.cleanup()

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


def _read(spec: Spec) -> tuple[dict[str, Any], bool, sight.Sight]:
    """(the server's settings, whether each suggestion is asked for, what is shown)."""
    invoked = spec.choice("trigger", ("automatic", "invoked")) == "invoked"
    seen = sight.Sight.read(spec, ContextSettings().tokens)
    told = _settings(spec)
    if seen.workspace:
        told["context"] = {"snippets": seen.snippets}
    return told, invoked, seen


def _settings(spec: Spec) -> dict[str, Any]:
    """The server's settings, those that are said; the server itself checks them."""
    model: dict[str, Any] = {name: spec.text(name) for name in _MODEL if spec.text(name)}
    if spec.text("model"):
        model["name"] = spec.text("model")
    if spec.text("deadline"):
        model["deadline_ms"] = spec.number("deadline", 0.0)
    if spec.text("patience"):
        model["patience_ms"] = spec.number("patience", 0.0, 0.0)
    for name, least in _COUNTS.items():
        if name in model:
            model[name] = spec.number(name, 0, least)
    if "confidence" in model:
        model["confidence"] = spec.number("confidence", 0.0, 0.0)
    trigger = {"multiline": spec.choice("multiline", ("auto", "always", "never"))}
    return {"model": model, "trigger": trigger}


def _between(found: Sides, task: Task, closed: str = "") -> str | None:
    """What stands in the gap after a suggestion was taken; None where text around it changed.

    `found` are the document's new parts before and after the cursor. Of the suffix, the characters of
    `closed` that lead it may have been replaced: who types goes over what the editor has closed.
    """
    whole = "".join(found)
    if not whole.startswith(task.prefix):
        return None
    leading = len(task.suffix) - len(task.suffix.lstrip(closed)) if closed else 0
    for replaced in range(leading + 1):
        kept = task.suffix[replaced:]
        if whole.endswith(kept) and len(whole) >= len(task.prefix) + len(kept):
            return whole[len(task.prefix) : len(whole) - len(kept)]
    return None


KIND = Kind(make, OPTIONS, read=_read)
