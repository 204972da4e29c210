"""What the server needs of the rest of the house, as small interfaces, and how it is put together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dcomplete.document import Snapshot
from dcomplete.serve.orders import AsyncEngine
from dcomplete.settings import ContextSettings, Settings
from dcomplete.types import Suggestion, Watcher
from dcomplete_lsp.documents import Replaced


class Completer(Protocol):
    """Suggestions for a snapshot; `dcomplete.completer.Completer` fits."""

    settings: Settings

    async def complete(
        self,
        snapshot: Snapshot,
        count: int = 1,
        watch: Watcher | None = None,
        model: str = "",
        policy: str = "",
    ) -> list[Suggestion]:
        """Up to `count` suggestions; raises Refusal, Cancelled, UserError."""
        ...

    def read_ahead(self, snapshot: Snapshot) -> None:
        """Have the context of a place computed where the person may type next."""
        ...

    def accepted(self, id: str, characters: int | None = None) -> None:
        """The person took a suggestion, or its first `characters` code points."""
        ...

    def dismissed(self, id: str) -> None:
        """The person did not want a suggestion."""
        ...

    def forget(self, uri: str) -> None:
        """The document was closed."""
        ...

    async def close(self) -> None:
        """Stop what runs."""
        ...


class Workspace(Protocol):
    """What context is gathered from. Offsets are code points."""

    def opened(self, uri: str, language: str, text: str) -> None:
        """A document was opened."""
        ...

    def changed(self, uri: str, text: str, edits: Sequence[Replaced]) -> None:
        """A document was changed to `text` by `edits`, one after another."""
        ...

    def closed(self, uri: str) -> None:
        """A document was closed."""
        ...

    def focused(self, uri: str, line: int | None = None) -> None:
        """The person looks at a document."""
        ...

    def set_folders(self, folders: Iterable[Path]) -> None:
        """The editor's folders are these now."""
        ...

    def set_settings(self, settings: ContextSettings) -> None:
        """The settings are these now."""
        ...


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine, and a workspace and a completer that use it."""

    engine: AsyncEngine
    workspace: Workspace
    completer: Completer


Connect = Callable[[Settings, Iterable[Path]], Backend]


def connect(settings: Settings, folders: Iterable[Path], in_process: bool = False) -> Backend:
    """The engine process of this user, which is started when it is first needed.

    With `in_process` the model runs in this process instead.
    """
    from dcomplete.completer import Completer as RealCompleter
    from dcomplete.context import Edit
    from dcomplete.context import Workspace as RealWorkspace

    class EditedWorkspace(RealWorkspace):
        def changed(self, uri: str, text: str, edits: Sequence[Replaced | Edit] = ()) -> None:
            super().changed(uri, text, [Edit(e.start, e.end, e.text) for e in edits])

    engine: AsyncEngine
    if in_process:
        from dcomplete.serve.local import InProcess

        engine = InProcess()
    else:
        from dcomplete.serve.client import EngineClient

        engine = EngineClient()
    workspace = EditedWorkspace(folders, settings.context)
    return Backend(engine, workspace, RealCompleter(engine, workspace, settings))
