"""The language server as an editor starts it: all of the product, triggers and filters included.

It runs ``dcomplete lsp`` as a process of its own, with an engine process of its own. What the server
declines to suggest is an empty answer, as it is for a person.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, PyglsError

from dcomplete.errors import UserError
from dcomplete.settings import ContextSettings
from dcomplete.types import Stopwatch
from dcomplete_eval.contestants import sight
from dcomplete_eval.contestants.spec import Kind, Spec
from dcomplete_eval.replay.editor import Editor
from dcomplete_eval.replay.play import engine_status, stop_engine
from dcomplete_eval.types import Answer, Task

OPTIONS = (
    "model", "device", "dtype", "policy", "steps", "line_tokens", "block_tokens", "deadline",
    "min_score", "branches", "multiline", "trigger", *sight.OPTIONS,
)  # fmt: skip
_LOAD_S, _ANSWER_S, _POLL_S = 180.0, 60.0, 0.2
_ENDINGS = {"python": "py", "javascript": "js", "typescript": "ts", "rust": "rs", "csharp": "cs"}
_COUNTS = {"steps": 1, "line_tokens": 1, "block_tokens": 1, "branches": 0}  # and the least of each
_MODEL = ("policy", "min_score", "device", "dtype", *_COUNTS)


def make(spec: Spec) -> "LanguageServer":
    """Start the server and wait until its model is loaded."""
    return LanguageServer(spec)


class LanguageServer:
    """See `types.Contestant`."""

    def __init__(self, spec: Spec) -> None:
        self._told, self._invoked, self._sight = _read(spec)
        # An engine that ends may still have its log open, which Windows does not delete.
        self._folder = tempfile.TemporaryDirectory(prefix="dcomplete-", ignore_cleanup_errors=True)
        places = ("DCOMPLETE_RUNTIME_DIR", "DCOMPLETE_LOG_DIR")
        self._env = os.environ | dict.fromkeys(places, self._folder.name)
        self._runner = asyncio.Runner()
        self._editor = _OneGap("file:///gap.py", "python")
        try:
            self._runner.run(self._start())
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
                while await self._editor.suggested("value = 1\nother = ", "\n", "python") is None:
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
            "version": self._status.get("version"),
            "trigger": "invoked" if self._invoked else "automatic",
            "settings": self._told,
            "post": "the product's filters",
            **self._sight.settings(),
        }

    def answer(self, task: Task) -> Answer:
        return self._runner.run(self._answer(task))

    async def _answer(self, task: Task) -> Answer:
        others: dict[str, str] = {}
        if self._sight.workspace:
            others = self._sight.beside(task)
            self._editor.enter(task.folder)
        watch = Stopwatch()
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await self._editor.suggested(
                    task.prefix,
                    task.suffix,
                    task.language,
                    self._invoked,
                    sight.address(task) if self._sight.workspace else "",
                    others,
                )
        except TimeoutError:
            return Answer("", watch.total(), error="The language server did not answer in time.")
        except (JsonRpcException, OSError) as error:
            return Answer("", watch.total(), error=f"The language server failed: {error}")
        ms = watch.total()
        if found is None or (found == (task.prefix, task.suffix) and self._editor.trouble):
            return Answer("", ms, error=self._editor.trouble or "The server cannot tell yet.")
        text = _between(found, task)
        if text is None:
            return Answer("", ms, error="The suggestion replaces text outside the gap.")
        return Answer(text, ms)

    def close(self) -> None:
        try:
            self._runner.run(self._editor.stop())
        finally:
            self._runner.close()
            stop_engine(self._env)
            self._folder.cleanup()


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
    for name, least in _COUNTS.items():
        if name in model:
            model[name] = spec.number(name, 0, least)
    if "min_score" in model:
        model["min_score"] = spec.number("min_score", 0.0, float("-inf"))
    trigger = {"multiline": spec.choice("multiline", ("auto", "always", "never"))}
    return {"model": model, "trigger": trigger}


def _between(found: tuple[str, str], task: Task) -> str | None:
    """What stands in the gap after a suggestion was taken; None where text around it changed.

    `found` are the document's new parts before and after the cursor.
    """
    before, after = found
    whole = before + after
    fits = whole.startswith(task.prefix) and whole.endswith(task.suffix)
    if not fits or len(whole) < len(task.prefix) + len(task.suffix):
        return None
    return whole[len(task.prefix) : len(whole) - len(task.suffix)]


class _OneGap(Editor):
    """An editor that opens a document, asks once, and closes it."""

    _running = False
    _folder = ""

    @property
    def trouble(self) -> str:
        """What the server last said, where that was an error."""
        said = self.status
        return str(said.message) if said is not None and said.kind == "error" else ""

    async def start(
        self,
        env: Mapping[str, str],
        *arguments: str,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        await super().start(env, *arguments, settings=settings)
        self._running = True

    async def stop(self) -> None:
        if self._running:
            await self.close()

    def enter(self, folder: str) -> None:
        """The workspace is `folder` from now on, and no other."""
        if folder == self._folder:
            return
        added, gone = ([_folder(name)] if name else [] for name in (folder, self._folder))
        event = lsp.WorkspaceFoldersChangeEvent(added, gone)
        self._client.workspace_did_change_workspace_folders(
            lsp.DidChangeWorkspaceFoldersParams(event)
        )
        self._folder = folder

    async def suggested(
        self,
        prefix: str,
        suffix: str,
        language: str,
        invoked: bool = False,
        uri: str = "",
        others: Mapping[str, str] | None = None,
    ) -> tuple[str, str] | None:
        """The document with the first suggestion taken, before and after the cursor's new place.

        Where nothing is suggested it is as it was; None where the server cannot tell yet. `others` are
        open beside it.
        """
        self.version += 1
        ending = _ENDINGS.get(language, language or "txt")
        self.language = language
        self.uri = uri or f"file:///gap/{self.version}.{ending}"
        documents = {**(others or {}), self.uri: prefix + suffix}
        for opened, text in documents.items():
            self.open(text, opened)
        kinds = lsp.InlineCompletionTriggerKind
        params = lsp.InlineCompletionParams(
            lsp.InlineCompletionContext(kinds.Invoked if invoked else kinds.Automatic),
            lsp.TextDocumentIdentifier(self.uri),
            place(self.text, len(prefix)),
        )
        try:
            result = await self._client.text_document_inline_completion_async(params)
        finally:
            for opened in documents:
                document = lsp.TextDocumentIdentifier(opened)
                self._client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))
        if result is None:
            return None
        items = result.items if isinstance(result, lsp.InlineCompletionList) else result
        return self._with(items[0], len(prefix)) if items else (prefix, suffix)

    def _with(self, item: lsp.InlineCompletionItem, cursor: int) -> tuple[str, str]:
        start = end = cursor
        if item.range is not None:
            start, end = offset(self.text, item.range.start), offset(self.text, item.range.end)
        text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        return self.text[:start] + text, self.text[end:]


def _folder(path: str) -> lsp.WorkspaceFolder:
    return lsp.WorkspaceFolder(Path(path).as_uri(), path)


def place(text: str, at: int) -> lsp.Position:
    """A code point's place in UTF-16, the protocol's default encoding."""
    line = text.count("\n", 0, at)
    column = text[text.rfind("\n", 0, at) + 1 : at]
    return lsp.Position(line, len(column.encode("utf-16-le", "surrogatepass")) // 2)


def offset(text: str, position: lsp.Position) -> int:
    """The code point at a place in UTF-16."""
    start = 0
    for _ in range(position.line):
        start = text.index("\n", start) + 1
    units = 0
    for at in range(start, len(text) + 1):
        if units >= position.character or at == len(text):
            return at
        units += 2 if ord(text[at]) > 0xFFFF else 1
    return len(text)


KIND = Kind(make, OPTIONS, read=_read)
