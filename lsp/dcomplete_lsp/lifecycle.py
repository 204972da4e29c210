"""From `initialize` to the settings of a running server."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import from_fs_path

from dcomplete.settings import Settings
from dcomplete_lsp import parent
from dcomplete_lsp.configuration import SECTION, is_ours, merged, own_section
from dcomplete_lsp.convert import Encoding
from dcomplete_lsp.engine_care import EngineCare
from dcomplete_lsp.server import Server
from dcomplete_lsp.suggesting import completion

_COMPLETION = "dcomplete.completion"
_CONFIGURATION = "dcomplete.configuration"
_COMPLETION_OPTIONS = types.CompletionOptions(trigger_characters=[])


class Lifecycle:
    """Starts the server for one client, and keeps its settings."""

    def __init__(self, care: EngineCare) -> None:
        self._care = care
        self._command_line = Settings()
        self._keeps = False  # whether the editor has shown that it keeps our settings
        self._wrong = ""  # about the initialization options, to be said once connected
        self._told: set[str] = set()
        self._completion = False  # whether plain completion is registered
        self._watching: asyncio.Task[None] | None = None  # the editor's process

    def register(self, server: Server) -> None:
        """Handle the messages of this module."""
        server.on(types.INITIALIZE, self.initialize)
        server.on(types.INITIALIZED, self.initialized)
        server.on(types.WORKSPACE_DID_CHANGE_CONFIGURATION, self.configured)
        server.on_command("dcomplete.toggle", self.toggle)

    async def initialize(self, ls: Server, params: types.InitializeParams) -> None:
        """Take what the client says of itself. Wrong options do not fail it."""
        general = params.capabilities.general
        self._watching = asyncio.create_task(parent.watch(params.process_id, ls.stop))
        ls.documents.encoding = _encoding(general.position_encodings if general else None)
        options = params.initialization_options
        ls.board.copilot = isinstance(options, Mapping) and "editorPluginInfo" in options
        self._command_line = ls.base
        ls.base, self._wrong = merged(options, ls.base)
        ls.set_folders(_folders(params))
        ls.settings, ls.outcomes.settings = ls.base, ls.base.log
        if ls.base.trigger.completion and not _can(params.capabilities, "completion"):
            self._offer_completion(ls)

    async def initialized(self, ls: Server, params: Any) -> None:
        """Ask for the settings and begin to load the model; neither delays the editor."""
        self._complain(ls, self._wrong)
        capabilities = ls.client_capabilities.workspace
        changing = capabilities and capabilities.did_change_configuration
        if changing and changing.dynamic_registration:
            method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
            options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
            await _register(ls, types.Registration(_CONFIGURATION, method, options))
        await self._use(ls, await self._pulled(ls) if _pulls(ls) else None)
        self._care.start(ls)

    async def configured(self, ls: Server, params: Any) -> None:
        """`workspace/didChangeConfiguration`: what it brings, or what the editor says if asked."""
        raw = own_section(params.settings)
        if not raw and _pulls(ls):
            raw = await self._pulled(ls)
        before = ls.settings.model
        await self._use(ls, raw)
        if ls.settings.model != before:
            self._care.start(ls)

    async def toggle(self, ls: Server, *_: Any) -> dict[str, bool]:
        """The command `dcomplete.toggle`: off, or on again, until the settings change."""
        ls.apply(replace(ls.settings, enabled=not ls.settings.enabled))
        return {"enabled": ls.settings.enabled}

    async def _use(self, ls: Server, raw: object) -> None:
        settings, wrong = merged(raw, self._beneath(ls, raw))
        self._complain(ls, wrong)
        ls.apply(settings)
        await self._follow_completion(ls, settings)

    def _beneath(self, ls: Server, raw: object) -> Settings:
        """What holds for settings that a configuration leaves out.

        An editor that can be asked sends all of our settings: one that is gone must not live on from
        the initialization options. Another may send only what changed. Editors that know nothing of us
        may say `{}`, too, so it counts only from one that has said more before.
        """
        if not _pulls(ls):
            return ls.base
        self._keeps = self._keeps or is_ours(raw)
        is_all = is_ours(raw) or (self._keeps and own_section(raw) == {})
        return self._command_line if is_all else ls.base

    async def _pulled(self, ls: Server) -> object:
        params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        with suppress(JsonRpcException):
            answer = await ls.workspace_configuration_async(params)
            return answer[0] if answer else None
        return None

    async def _follow_completion(self, ls: Server, settings: Settings) -> None:
        """Register or withdraw plain completion where the client can take that."""
        wanted = settings.trigger.completion
        if wanted == self._completion or not _can(ls.client_capabilities, "completion"):
            return
        method = types.TEXT_DOCUMENT_COMPLETION
        if not wanted:
            self._completion = False
            gone = types.UnregistrationParams([types.Unregistration(_COMPLETION, method)])
            with suppress(JsonRpcException):
                await ls.client_unregister_capability_async(gone)
            return
        self._offer_completion(ls)
        options = types.CompletionRegistrationOptions(trigger_characters=[])
        await _register(ls, types.Registration(_COMPLETION, method, options))

    def _offer_completion(self, ls: Server) -> None:
        self._completion = True
        if types.TEXT_DOCUMENT_COMPLETION not in ls.protocol.fm.features:
            ls.on(types.TEXT_DOCUMENT_COMPLETION, completion, _COMPLETION_OPTIONS)

    def _complain(self, ls: Server, sentence: str) -> None:
        """Tell the person about wrong settings, once for each."""
        if sentence and sentence not in self._told:
            self._told.add(sentence)
            ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, sentence))


async def _register(ls: Server, registration: types.Registration) -> None:
    with suppress(JsonRpcException):
        await ls.client_register_capability_async(types.RegistrationParams([registration]))


def _pulls(ls: Server) -> bool:
    workspace = ls.client_capabilities.workspace
    return bool(workspace and workspace.configuration)


def _can(capabilities: types.ClientCapabilities, feature: str) -> bool:
    """Whether a feature of text documents can be registered later."""
    one = getattr(capabilities.text_document, feature, None)
    return bool(one and one.dynamic_registration)


def _encoding(offered: Any) -> Encoding:
    """The client's first choice that we know (LSP 3.17, `PositionEncodingKind`)."""
    known = [str(getattr(kind, "value", kind)) for kind in offered or ()]
    fitting = [kind for kind in known if kind in ("utf-8", "utf-16", "utf-32")]
    return cast(Encoding, fitting[0]) if fitting else "utf-16"


def _folders(params: types.InitializeParams) -> list[types.WorkspaceFolder]:
    if params.workspace_folders:
        return list(params.workspace_folders)
    uri = params.root_uri or (from_fs_path(params.root_path) if params.root_path else None)
    return [types.WorkspaceFolder(uri, "root")] if uri else []
