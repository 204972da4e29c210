"""Holes cut from any folder of source code, and the project's own held-out gaps.

Five kinds by syntax: a line, a block, an expression, arguments, a function's body; about as many of each,
cut by the trainer's own cutter. Nothing is run: answers are compared with what was there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl

from dcomplete.errors import UserError
from dcomplete.models.store import path_of
from dcomplete.train.cuts import Cutter, Gap, Kind
from dcomplete_eval.benchmarks.comparing import ended
from dcomplete_eval.benchmarks.rows import rows
from dcomplete_eval.benchmarks.sources import Document, documents
from dcomplete_eval.metrics import score
from dcomplete_eval.types import Task, Verdict

KINDS = (Kind.LINE, Kind.BLOCK, Kind.EXPRESSION, Kind.ARGUMENTS, Kind.BODY)
HOLES, MOST_PER_FILE = 500, 20
_HELD_OUT = ("prefix", "suffix", "middle", "kind", "path", "package", "language")


@dataclass(frozen=True, slots=True)
class Holes:
    """About `count` holes from the files below `folder`; the same for the same files and seed."""

    name: str
    folder: Path
    count: int = HOLES
    seed: int = 0
    kinds: tuple[Kind, ...] = KINDS

    def tasks(self, data: Path) -> Sequence[Task]:
        """Cut them; `data` is not needed. A file is a group."""
        return list(self._cut(documents(self.folder, self.seed)))

    def judge(self, task: Task, text: str) -> Verdict:
        """By text and syntax alone; a line end that the gold has may be missing."""
        return score(task, ended(task, text))

    def _cut(self, found: Iterable[Document]) -> Iterator[Task]:
        """A hole of every file, then a second one of every file, and so on, the rarest kind first."""
        quota = [self.count // len(self.kinds)] * len(self.kinds)
        for extra in range(self.count % len(self.kinds)):
            quota[extra] += 1
        left = Counter(dict(zip(self.kinds, quota, strict=True)))
        seen: list[tuple[Document, Cutter, set[Gap]]] = []
        source = ((d, Cutter(d.text, d.language), set[Gap]()) for d in found)
        for turn in range(MOST_PER_FILE):
            for document, cutter, taken in source if not turn else seen:
                if not left.total():
                    return
                rng = Random(f"{self.seed}:{document.path}:{turn}")
                gap = self._one(document, cutter, taken, left, rng)
                if gap:
                    left[gap.kind] -= 1
                    yield self._task(document, gap)
                if not turn:
                    seen.append((document, cutter, taken))

    def _one(
        self, document: Document, cutter: Cutter, taken: set[Gap], left: Counter[Kind], rng: Random
    ) -> Gap | None:
        """A new gap of the kind that lacks most, among those that the document offers."""
        for kind, lacking in left.most_common():
            gap = cutter.gap(rng, kind) if lacking > 0 else None
            if gap is None or gap.kind != kind or gap in taken:
                continue
            if any(map(str.isalnum, document.text[gap.start : gap.end])):
                taken.add(gap)
                return gap
        return None

    def _task(self, document: Document, gap: Gap) -> Task:
        text, kind = document.text, gap.kind.name.lower()
        return Task(
            f"{document.path}:{gap.start}-{gap.end}:{kind}", self.name, document.path,
            text[: gap.start], text[gap.end :], text[gap.start : gap.end], document.language, kind,
            folder=str(self.folder.resolve()), file=document.path,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The gaps that `dcomplete train prepare` set aside: JSON lines, cut from unseen packages."""

    name: str
    file: Path

    def tasks(self, data: Path) -> Sequence[Task]:
        """One task a gap; a package is a group."""
        if not self.file.is_file():
            raise UserError(f"There is no file {self.file}; `dcomplete train prepare` writes one.")
        return [
            Task(
                f"{row['package']}/{row['path']}:{number}", self.name, row["package"],
                row["prefix"], row["suffix"], row["middle"], row["language"], row["kind"],
            )
            for number, row in enumerate(rows(self.file, **dict.fromkeys(_HELD_OUT, str)))
        ]  # fmt: skip

    def judge(self, task: Task, text: str) -> Verdict:
        """By text and syntax alone; a line end that the gold has may be missing."""
        return score(task, ended(task, text))


def of_folder(said: str) -> Holes:
    """``FOLDER`` or ``FOLDER?count=200&seed=1&kinds=line,body``. Raises UserError for other words."""
    folder, _, options = said.partition("?")
    holes = Holes(f"holes:{said}", path_of(folder))
    for name, value in parse_qsl(options, keep_blank_values=True):
        if name == "count" and value.isdecimal() and int(value):
            holes = replace(holes, count=int(value))
        elif name == "seed" and value.isdecimal():
            holes = replace(holes, seed=int(value))
        elif name == "kinds":
            holes = replace(holes, kinds=tuple(map(_kind, value.split(","))))
        else:
            raise UserError(
                f"holes understands ?count=NUMBER&seed=NUMBER&kinds={','.join(_names())}, "
                f"not {name}={value}."
            )
    return holes


def of_file(said: str) -> HeldOut:
    """``FILE``."""
    return HeldOut(f"heldout:{said}", path_of(said))


def _names() -> list[str]:
    return [kind.name.lower() for kind in KINDS]


def _kind(name: str) -> Kind:
    if name not in _names():
        raise UserError(f"There is no kind of hole {name!r}. Known: {', '.join(_names())}.")
    return Kind[name.upper()]
