"""Loads the model in the background, and says so with progress where the editor can show it."""

import asyncio
import logging
import secrets
from dataclasses import asdict
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from dcomplete.errors import DcompleteError, UserError
from dcomplete.serve.orders import choice_of
from dcomplete_lsp.server import Server
from dcomplete_lsp.status import Kind

_TICK_S = 1.0
_PATIENCE_S = 2.0  # for an editor to agree to show progress

log = logging.getLogger(__name__)


class EngineCare:
    """One loading at a time; a newer one replaces an older one."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[None] | None = None

    def register(self, server: Server) -> None:
        """Offer the engine's commands."""
        server.on_command("dcomplete.restartEngine", self.restart)
        server.on_command("dcomplete.status", self.status)

    def start(self, ls: Server) -> None:
        """Load the model of the settings; requests may come meanwhile."""
        if self._loading is not None:
            self._loading.cancel()
        if ls.settings.enabled:
            self._loading = asyncio.create_task(self._load(ls))

    async def close(self) -> None:
        """Stop loading."""
        if self._loading is not None:
            self._loading.cancel()

    async def restart(self, ls: Server, *_: Any) -> None:
        """The command `dcomplete.restartEngine`."""
        stop = getattr(ls.backend.engine, "stop", None)
        if stop is not None:
            await stop()
        self.start(ls)

    async def status(self, ls: Server, *_: Any) -> dict[str, Any]:
        """The command `dcomplete.status`: what the server and the engine say about themselves."""
        answer: dict[str, Any] = {
            "version": ls.version,
            "server": ls.board.current.as_params(),
            "enabled": ls.settings.enabled,
            "documents": len(ls.documents),
            "encoding": ls.documents.encoding,
        }
        try:
            engine = await ls.backend.engine.status()
            return answer | {"engine": None if engine is None else asdict(engine)}
        except DcompleteError as error:
            return answer | {"engine": None, "message": str(error)}

    async def _load(self, ls: Server) -> None:
        name = ls.settings.model.name
        ls.board.rest("loading", "Loading the model.", name)
        token = await _progress_token(ls)
        ticking = asyncio.create_task(_tick(ls, token)) if token else None
        message = "Another loading took its place."  # if nothing else is said
        try:
            await ls.backend.engine.warm(choice_of(ls.settings.model))
            message = "The model is loaded."
            _rest(ls, "ready", "", name)
        except DcompleteError as error:
            message = str(error)
            _rest(ls, "error", message, name)
            if isinstance(error, UserError):
                kind = types.MessageType.Error
                ls.window_show_message(types.ShowMessageParams(kind, message))
        except Exception as error:
            message = "The model could not be loaded; dcomplete's log says where it failed."
            ls.report_server_error(error)
            _rest(ls, "error", message, name)
        finally:
            if ticking is not None and token:
                ticking.cancel()
                ls.work_done_progress.end(token, types.WorkDoneProgressEnd(message=message))
                ls.work_done_progress.tokens.pop(token, None)


def _rest(ls: Server, kind: Kind, message: str, model: str) -> None:
    """Say how it went, unless dcomplete was switched off meanwhile."""
    if ls.settings.enabled:
        ls.board.rest(kind, message, model)


async def _progress_token(ls: Server) -> str:
    """A token that the client agreed to show progress for, or ""."""
    window = ls.client_capabilities.window
    if not (window and window.work_done_progress):
        return ""
    token = f"dcomplete-{secrets.token_hex(4)}"
    try:
        await asyncio.wait_for(ls.work_done_progress.create_async(token), _PATIENCE_S)
    except (JsonRpcException, TimeoutError):
        return ""
    return token


async def _tick(ls: Server, token: str) -> None:
    """Begin, and report every second that it still goes on."""
    progress = ls.work_done_progress
    progress.begin(token, types.WorkDoneProgressBegin("dcomplete", message="Loading the model."))
    seconds = 0
    while True:
        await asyncio.sleep(_TICK_S)
        seconds += 1
        message = f"Loading the model, {seconds} s."
        progress.report(token, types.WorkDoneProgressReport(message=message))
