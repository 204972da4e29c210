"""JSON-RPC as pygls does it, and answers where pygls gives none.

pygls 2.1 drops a request whose parameters do not fit, shows a pop-up, and sends tracebacks. Here
every request is answered, errors are one sentence, and nothing of them reaches a log by default.
"""

import asyncio
import contextvars
import json
import logging
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import cattrs
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcRequestCancelled,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

from dcomplete.errors import DcompleteError
from dcomplete_lsp.messages import RawMessage, is_uri, sentence

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dcomplete_lsp.server import Server

log = logging.getLogger(__name__)

REQUEST_FAILED = -32803  # LSP 3.17: the request was right, but could not be done


class Protocol(LanguageServerProtocol):
    """One connection's messages."""

    _server: "Server"

    def __init__(self, server: "Server", converter: cattrs.Converter) -> None:
        super().__init__(server, converter)
        self._initialized = False

    def receive(self, body: bytes | None) -> bool:
        """Handle one message body; False, and a parse error to the client, if it is no JSON."""
        try:
            message = json.loads((body or b"").decode("utf-8"))
        except (ValueError, RecursionError):
            self._fail(None, JsonRpcParseError("This message is not valid JSON in UTF-8."))
            return False
        try:
            self._dispatch(message)
        except Exception as error:
            self._server.report_server_error(error)
        return True

    @cache  # noqa: B019 - as many entries as there are methods; one protocol per process
    def get_message_type(self, method: str) -> type[Any] | None:
        """The class of a method's messages; ours, and extended ones, are raw."""
        if method in types.METHOD_TO_TYPES and method != types.TEXT_DOCUMENT_INLINE_COMPLETION:
            return types.METHOD_TO_TYPES[method][0]
        return RawMessage

    def params(self, raw: object, kind: type[Any], method: str) -> Any:
        """Raw parameters as `kind`; raises JsonRpcInvalidParams with a sentence."""
        try:
            return self._converter.structure(raw, kind)
        except Exception as error:
            raise JsonRpcInvalidParams(sentence(method, error)) from None

    def _dispatch(self, message: object) -> None:
        if not isinstance(message, dict):
            self._fail(None, JsonRpcInvalidRequest("A message is one JSON object."))
            return
        given = message.get("id")
        id = given if isinstance(given, str | int) and not isinstance(given, bool) else None
        method = message.get("method")
        if message.get("jsonrpc") != self.VERSION or ("method" not in message and id is None):
            self._fail(id, JsonRpcInvalidRequest("This is no JSON-RPC 2.0 message."))
        elif "method" not in message:
            self._take_response(id, message)
        elif not isinstance(method, str) or ("id" in message and id is None):
            self._fail(id, JsonRpcInvalidRequest("A method is a text, an id a text or a number."))
        elif id is None:
            self._take_notification(method, message)
        else:
            self._take_request(id, method, message)

    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification; ours are plain data."""
        if self.get_message_type(method) is RawMessage:
            self._send_data({"jsonrpc": self.VERSION, "method": method, "params": params})
        else:
            super().notify(method, params)

    def _take_request(self, id: str | int, method: str, message: dict[str, Any]) -> None:
        try:
            self._check_state(method)
            self._get_handler(method)
            structured = self._structured(method, message)
        except JsonRpcException as error:
            self._fail(id, error)
            return
        self._initialized |= method == types.INITIALIZE
        contextvars.copy_context().run(
            self._handle_request, id, method, getattr(structured, "params", None)
        )

    def _check_state(self, method: str) -> None:
        if self._shutdown:
            raise JsonRpcInvalidRequest("The server was told to shut down.")
        if self._initialized and method == types.INITIALIZE:
            raise JsonRpcInvalidRequest("The server is initialized already.")
        if not self._initialized and method != types.INITIALIZE:
            raise JsonRpcServerNotInitialized("The first request must be initialize.")

    def _take_notification(self, method: str, message: dict[str, Any]) -> None:
        if (self._shutdown or not self._initialized) and method != types.EXIT:
            return
        try:
            structured = self._structured(method, message)
        except JsonRpcException as error:
            log.warning("Ignored a notification. %s", error)
            return
        contextvars.copy_context().run(
            self._handle_notification, method, getattr(structured, "params", None)
        )

    def _take_response(self, id: str | int | None, message: dict[str, Any]) -> None:
        if id is None or id not in self._result_types:
            return  # nobody asked
        kind = self._result_types.pop(id)
        future = self._request_futures.pop(id)
        if future.cancelled():
            return  # nobody waits any more
        if "error" in message:
            future.set_exception(JsonRpcException("The editor refused."))
            return
        try:
            result = self._converter.structure(message, kind).result if kind else None
        except Exception:
            future.set_exception(JsonRpcException("The editor's answer does not fit."))
        else:
            future.set_result(result)

    def _structured(self, method: str, message: dict[str, Any]) -> Any:
        try:
            return self._converter.structure(message, self.get_message_type(method) or RawMessage)
        except Exception as error:
            raise JsonRpcInvalidParams(sentence(method, error)) from None

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """As pygls does it, and forget the work when it is done: pygls keeps notifications'."""

        def done(future: "Future[Any]") -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _send_handler_result(self, future: "Future[Any]", *, msg_id: str | int) -> None:
        if future.cancelled():
            self._fail(msg_id, JsonRpcRequestCancelled("The request was cancelled."))
            return
        match future.exception():
            case None:
                self._send_response(msg_id, result=future.result())
            case JsonRpcException() as error:
                self._fail(msg_id, error)
            case DcompleteError() as error:
                self._fail(msg_id, JsonRpcException(str(error), code=REQUEST_FAILED))
            case error:
                self._unexpected(msg_id, error)

    def _check_handler_result(self, future: "Future[Any]") -> None:
        if future.cancelled():
            return
        match future.exception():
            case JsonRpcException() | DcompleteError() as error:
                log.warning("A notification came to nothing. %s", error)
            case BaseException() as error:
                self._server.report_server_error(error)

    def _handle_request(self, msg_id: str | int, method_name: str, params: Any) -> None:
        self._ctx_msg_id.set(msg_id)

        def answer(future: "Future[Any]") -> None:
            if method_name == types.INITIALIZE and future.exception() is not None:
                self._initialized = False
            self._send_handler_result(future, msg_id=msg_id)

        try:
            self._execute_handler(
                msg_id=msg_id,
                handler=self._get_handler(method_name),
                args=(params,),
                callback=answer,
            )
        except Exception as error:
            self._unexpected(msg_id, error)

    def _handle_notification(self, method_name: str, params: Any) -> None:
        try:
            super()._handle_notification(method_name, params)
        except JsonRpcMethodNotFound:
            log.debug("Ignored a notification that nobody handles.")

    def _handle_cancel_notification(self, msg_id: str | int) -> None:
        """Cancel a request of the client; not one of our own that happens to have its id."""
        future = self._request_futures.get(msg_id) if isinstance(msg_id, str | int) else None
        if isinstance(future, asyncio.Future):
            future.cancel()

    def _unexpected(self, msg_id: str | int, error: BaseException) -> None:
        self._server.report_server_error(error)
        sentence = f"dcomplete met an unexpected {type(error).__name__}; its log says where."
        self._fail(msg_id, JsonRpcException(sentence))

    def _fail(self, msg_id: str | int | None, error: JsonRpcException) -> None:
        # As plain data: the typed message would leave out an id that is null.
        said = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": said})

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Any:
        """As pygls does it, but roots that are no URI do not fail it."""
        if params.root_uri is not None and not is_uri(params.root_uri):
            params.root_uri = None
        folders = params.workspace_folders or ()
        params.workspace_folders = [folder for folder in folders if is_uri(folder.uri)]
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *_: Any) -> None:  # type: ignore[override]
        """Give up all that runs. pygls iterates over what a cancelled command leaves at once."""
        for future in list(self._request_futures.values()):
            future.cancel()
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """End the connection; the process ends with 0 if `shutdown` came before, else with 1."""
        self._server.stop(0 if self._shutdown else 1)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        self._server.opened(params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        self._server.changed(params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self._server.closed(params)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(
        self, params: types.DidChangeWorkspaceFoldersParams
    ) -> None:
        self._server.folders_changed(params)
