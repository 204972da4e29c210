"""The real server over real streams with a completer that needs no model.

What it does depends on the document's language: "slow" takes a while, "refuse" is refused, "broken"
meets a bug, "wrong" is the user's mistake, everything else is completed at once.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from dcomplete.document import Snapshot
from dcomplete.errors import Reason, Refusal, UserError
from dcomplete.serve.orders import ANY, Choice, EngineFault, Status
from dcomplete.settings import ContextSettings, Settings
from dcomplete.types import Cell, Infill, InfillRequest, Shape, Suggestion, Watcher
from dcomplete_lsp import logs
from dcomplete_lsp.backend import Backend
from dcomplete_lsp.documents import Replaced
from dcomplete_lsp.launch import run
from dcomplete_lsp.options import Options, tcp_address

SLOW_S = 0.3
SECRET = "planted-secret-text"


class FakeEngine:
    """Loads "missing" with an error, everything else in a moment."""

    async def infill(
        self, request: InfillRequest, *, key: str = "", choice: Choice = ANY, background: bool = False,
        watch: Watcher | None = None,
    ) -> Infill:  # fmt: skip
        raise NotImplementedError

    async def status(self) -> Status:
        return Status(1, "", 1, 0.0, 0.0, "ready", False, (), 0, 0, 0)

    def __init__(self) -> None:
        self.warmed: list[Choice] = []

    async def warm(self, choice: Choice = ANY) -> None:
        self.warmed.append(choice)
        await asyncio.sleep(0.05)
        if choice.model == "missing":
            raise UserError("There is no model called missing.")

    async def stop(self) -> None:
        await asyncio.sleep(SLOW_S)

    async def close(self) -> None:
        pass


class FakeWorkspace:
    """Remembers the texts it was told."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.calls: list[str] = []

    def opened(self, uri: str, language: str, text: str) -> None:
        self.texts[uri] = text

    def changed(self, uri: str, text: str, edits: Sequence[Replaced]) -> None:
        old = self.texts[uri]
        for edit in edits:
            old = old[: edit.start] + edit.text + old[edit.end :]
        assert old == text, "edits do not lead to the text"
        self.texts[uri] = text

    def closed(self, uri: str) -> None:
        del self.texts[uri]

    def focused(self, uri: str, line: int | None = None) -> None:
        self.calls.append(f"focused {uri}")

    def set_folders(self, folders: Iterable[Path]) -> None:
        self.calls.append(f"folders {sorted(folder.name for folder in folders)}")

    def set_settings(self, settings: ContextSettings) -> None:
        self.calls.append(f"context of {settings.tokens} tokens")


class FakeCompleter:
    """Suggests `<n>` and the indentation it was told, n counting the requests."""

    def __init__(self, workspace: FakeWorkspace, settings: Settings) -> None:
        self.settings = settings
        self.workspace = workspace
        self.calls = workspace.calls
        self._count = 0
        self.stopped = 0

    async def complete(
        self, snapshot: Snapshot, count: int = 1, watch: Watcher | None = None, model: str = "",
        policy: str = "",
    ) -> list[Suggestion]:  # fmt: skip
        assert self.workspace.texts[snapshot.uri] == snapshot.text
        self._count += 1
        match snapshot.language:
            case "slow":
                await asyncio.sleep(SLOW_S)
            case "refuse":
                raise Refusal("Nothing is missing here.", Reason.STATEMENT_ENDED)
            case "loading":
                raise Refusal("The model is being loaded.", Reason.LOADING)
            case "broken":
                raise ValueError(SECRET)
            case "fault":
                raise EngineFault("The engine failed on this request.")
            case "wrong":
                raise UserError("There is no such policy.")
        if not self.settings.enabled:
            raise Refusal("Switched off.", Reason.DISABLED)
        if watch is not None:
            watch(1, [[Cell(None, False), Cell("a", True)]])
            watch(2, [[Cell("b", False), Cell("a", True)]])
        return [self._suggestion(snapshot, n, f"{model}{policy}") for n in range(count)]

    def _suggestion(self, snapshot: Snapshot, n: int, by: str) -> Suggestion:
        start, end, text = snapshot.gap.start, snapshot.gap.end, ""
        if snapshot.selected is not None:
            start, end, text = snapshot.selected
        elif snapshot.text[end : end + 1] == ")":
            end += 1
        indent = f"{snapshot.tab_size}{'s' if snapshot.insert_spaces else 't'}"
        text += f"x{n}😀({indent}{by})"
        return Suggestion(f"{self._count}-{n}", text, start, end, Shape.LINE, -0.1, "model")

    def accepted(self, id: str, characters: int | None = None) -> None:
        self.calls.append(f"accepted {id} {characters}")

    def dismissed(self, id: str) -> None:
        self.calls.append(f"dismissed {id}")

    def read_ahead(self, snapshot: Snapshot) -> None:
        self.calls.append(f"read {snapshot.uri} at {snapshot.gap.start}")

    def forget(self, uri: str) -> None:
        self.calls.append(f"forgot {uri}")

    async def close(self) -> None:
        pass


def fake_backend(settings: Settings, folders: Iterable[Path]) -> Backend:
    workspace = FakeWorkspace()
    workspace.set_folders(folders)
    return Backend(FakeEngine(), workspace, FakeCompleter(workspace, settings))


if __name__ == "__main__":
    logs.configure()
    host, port = tcp_address(sys.argv[1]) if sys.argv[1:] else (None, 0)
    sys.exit(run(Options(host, port), Settings(), fake_backend))
