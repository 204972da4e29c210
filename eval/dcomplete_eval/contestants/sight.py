"""What of a task is shown to our engine: its text alone, or what an editor with its workspace open shows.

With ``sees=workspace`` the text around the gap is chosen as for a suggestion: other files of the
workspace and an outline of what the window leaves out come before it. ``opened=3`` opens so many files
beside the gap's own, chosen by lot among those of its folder. In this process the sources have all the
time they want, so that the same task is shown alike on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from dcomplete.context import Workspace, gather
from dcomplete.context.privacy import Privacy
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Refusal, UserError
from dcomplete.settings import ContextSettings, Settings
from dcomplete_eval.contestants.around import retrieved
from dcomplete_eval.contestants.spec import Spec
from dcomplete_eval.types import Task

OPTIONS = ("sees", "opened", "snippets")


@dataclass(frozen=True, slots=True)
class Shown:
    """Text before and behind the gap, other text, and how much of the prefix stands beside that."""

    prefix: str
    suffix: str
    other: str
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """How much is shown: of the gap's own file alone where `workspace` is False."""

    tokens: int
    workspace: bool = False
    opened: int = 0
    snippets: bool = True
    _known: dict[str, Workspace] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def read(spec: Spec, tokens: int) -> "Sight":
        """From a contestant's words; `tokens` is the context's budget."""
        whole = spec.choice("sees", ("file", "workspace")) == "workspace"
        if not whole and (said := [name for name in OPTIONS[1:] if name in spec.options]):
            raise UserError(f"{spec.kind}: {said[0]} goes with sees=workspace.")
        return Sight(tokens, whole, spec.number("opened", 0), spec.yes("snippets", True))

    def settings(self) -> dict[str, object]:
        """For a run's file; nothing where the gap's own text is all."""
        if not self.workspace:
            return {}
        return {"sees": "workspace", "opened": self.opened, "snippets": self.snippets}

    def shown(self, task: Task) -> Shown:
        """What the model gets to see of `task`. Raises UserError where no workspace is told."""
        if not self.workspace:
            other, prefix = retrieved(task)
            return Shown(prefix, task.suffix, other)
        settings = Settings(context=ContextSettings(self.tokens, self.snippets))
        text, at = task.prefix + task.suffix, len(task.prefix)
        beside, uri = self.beside(task), address(task)
        workspace = self._known.setdefault(
            task.folder, Workspace([Path(task.folder)], settings.context, clock=lambda: 0.0)
        )
        snapshot = Snapshot(uri, task.language, 1, text, Gap(at, at), automatic=False)
        documents = {**beside, uri: text}
        for other, content in documents.items():
            workspace.opened(other, task.language, content)
        try:
            found = gather(snapshot, workspace, settings)
        except Refusal:  # an editor suggests nothing here
            return Shown(task.prefix, task.suffix, "")
        finally:
            for other in documents:
                workspace.closed(other)
        return Shown(found.alone, found.suffix, found.preamble, len(found.prefix))

    def beside(self, task: Task) -> dict[str, str]:
        """Address and text of the documents that are open beside the task's own. Raises UserError where
        no workspace is told."""
        if not task.folder:
            raise UserError("sees=workspace needs gaps of files in a folder, such as holes:FOLDER.")
        return dict(islice(_readable(task), self.opened))


def address(task: Task) -> str:
    """The URI of the file that the task's text comes from."""
    return Path(task.folder, task.file).as_uri()


def _readable(task: Task) -> Iterator[tuple[str, str]]:
    """Files of the same kind in the task's folder that may be read, in an order by lot."""
    own = Path(task.folder, task.file)
    rules = Privacy((Path(task.folder),))
    beside = sorted(path for path in own.parent.glob(f"*{own.suffix}") if path != own)
    Random(f"{task.id}:opened").shuffle(beside)
    for path in beside:
        text = rules.read(path, ContextSettings().max_file_bytes)
        if text is not None:
            yield path.as_uri(), text
