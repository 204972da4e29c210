"""Gaps as an editor shows them: text of the package's other files and an outline before the prefix.

Chosen by the editor's own rules (`dcomplete.context`), so that a model is trained on what it will be
shown. Without that it is worse off with other text than without (train/LOG.md).
"""

import re
from pathlib import Path
from random import Random

from dcomplete.context import Workspace, gather
from dcomplete.document import Gap as Place
from dcomplete.document import Snapshot
from dcomplete.errors import Refusal
from dcomplete.settings import ContextSettings, Settings
from dcomplete.train.cuts import Gap
from dcomplete.train.examples import Clip, shorter
from dcomplete.train.filters import MAX_BYTES
from dcomplete.train.leaks import Forbidden
from dcomplete.train.sources import Document

SHARE = 0.5
_LEAST, _MOST = 256, 1024  # tokens of context, drawn log-uniformly for each document
_OPEN = (0, 1, 3)  # other documents that are open


class Surroundings:
    """What an editor shows of a document's gaps: an `examples.Around`.

    Sees files of the document's own top folder alone, so that no package is shown in another.
    """

    def __init__(
        self, document: Document, share: float, forbidden: Forbidden | None, rng: Random
    ) -> None:
        self._document, self._share, self._forbidden = document, share, forbidden
        self._file = document.file
        if self._file is None:
            return
        parts = document.path.split("/")
        root = self._file.parents[len(parts) - 1]
        top = re.sub(r"([\\*?\[\]!# ])", r"\\\1", parts[0])
        tokens = int(_LEAST * (_MOST / _LEAST) ** rng.random())
        context = ContextSettings(tokens, ignore=("/*", f"!/{top}"))
        self._settings = Settings(context=context)
        self._workspace = Workspace([root], context, clock=lambda: 0.0)
        self._open_some(self._file, rng)
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
        if self._forbidden and self._forbidden.first_in(found.preamble):
            return None
        suffix = shorter(found.suffix, gap, text, rng)
        return Clip(found.prefix, text[gap.start : gap.end], suffix, found.preamble)

    def _open_some(self, file: Path, rng: Random) -> None:
        """Other files of the folder, as tabs of the editor."""
        beside = sorted(p for p in file.parent.glob(f"*{file.suffix}") if p != file)
        for path in rng.sample(beside, min(rng.choice(_OPEN), len(beside))):
            text = self._workspace.privacy.read(path, MAX_BYTES)
            if text is not None:
                self._workspace.opened(path.as_uri(), self._document.language, text)
