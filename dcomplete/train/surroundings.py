"""Gaps as an editor shows them: text of the package's other files and an outline before the prefix.

Chosen by the editor's own rules (`dcomplete.context`), so that a model is trained on what it will be
shown. Without that it is worse off with other text than without (train/LOG.md).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from dcomplete.context import Workspace, gather
from dcomplete.context.addresses import path_of
from dcomplete.context.privacy import Privacy
from dcomplete.document import Gap as Place
from dcomplete.document import Snapshot
from dcomplete.errors import Refusal
from dcomplete.settings import ContextSettings, Settings
from dcomplete.train.cuts import Gap
from dcomplete.train.examples import Clip, shorter
from dcomplete.train.filters import MAX_BYTES
from dcomplete.train.sources import Document

SHARE = 0.5
_LEAST, _MOST = 256, 1024  # tokens of context, drawn log-uniformly for each document
_OPEN = (0, 1, 3)  # other documents that are open


class Surroundings:
    """What an editor shows of a document's gaps: an `examples.Around`.

    Sees no files but `beside`: those of its package that are trained on. Others are another package's,
    evaluation data, copies of what is held out, or not to be had under the licence.
    """

    def __init__(
        self, document: Document, share: float, beside: frozenset[Path], rng: Random
    ) -> None:
        self._document, self._share = document, share
        self._file = document.file
        if self._file is None:
            return
        root = self._file.parents[document.path.count("/")]
        context = ContextSettings(int(_LEAST * (_MOST / _LEAST) ** rng.random()))
        self._settings = Settings(context=context)
        rules = partial(_Kept, beside)
        self._workspace = Workspace([root], context, clock=lambda: 0.0, rules=rules)
        self._open_some(self._file, beside, rng)
        self._workspace.opened(self._file.as_uri(), document.language, document.text)

    def __call__(self, gap: Gap, rng: Random) -> Clip | None:
        """None where the gap is not among the share, and where an editor suggests nothing."""
        if self._file is None or rng.random() >= self._share:
            return None
        text = self._document.text
        shown = text[: gap.start] + text[gap.end :]
        uri, place = self._file.as_uri(), Place(gap.start, gap.start)
        snapshot = Snapshot(uri, self._document.language, 1, shown, place, automatic=False)
        try:
            found = gather(snapshot, self._workspace, self._settings)
        except Refusal:
            return None
        suffix = shorter(found.suffix, gap, text, rng)
        return Clip(found.prefix, text[gap.start : gap.end], suffix, found.preamble)

    def _open_some(self, file: Path, beside: frozenset[Path], rng: Random) -> None:
        """Other files of the folder, as tabs of the editor."""
        near = sorted(
            p for p in beside if p != file and (p.parent, p.suffix) == (file.parent, file.suffix)
        )
        for path in rng.sample(near, min(rng.choice(_OPEN), len(near))):
            text = self._workspace.privacy.read(path, MAX_BYTES)
            if text is not None:
                self._workspace.opened(path.as_uri(), self._document.language, text)


class _Kept(Privacy):
    """Files that may be shown are named; what ignore files around them say is about something else."""

    def __init__(
        self, files: frozenset[Path], folders: Iterable[Path], ignore: Sequence[str]
    ) -> None:
        super().__init__(folders, ignore)
        self._kept = files

    def allowed(self, path: Path) -> Path | None:
        return super().allowed(path) if path in self._kept else None

    def usable(self, uri: str) -> bool:
        return path_of(uri) in self._kept and super().usable(uri)

    def _ignored(self, path: Path, names: Sequence[str]) -> bool:
        return False
