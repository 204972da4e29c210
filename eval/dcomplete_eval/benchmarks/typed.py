"""Lines that somebody is typing, from any folder of source code: cut at a random letter, down to the end.

What is suggested there is right as far as it goes, or not (`Verdict.begins`): a suggestion may stop before
the line does, where its model is not sure, or go on behind it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl

from dcomplete.errors import UserError
from dcomplete.models.store import path_of
from dcomplete_eval.benchmarks.sources import Document, documents
from dcomplete_eval.metrics import score
from dcomplete_eval.types import Task, Verdict

LINES = 300
_PER_FILE = 2
_LEAST, _MOST = 6, 120  # letters of a line
_COMMENTS = ("#", "//", "/*", "*", "--", '"""', "'''")


@dataclass(frozen=True, slots=True)
class Typed:
    """Up to `count` lines of files below `folder`, two of a file; the same for the same files and seed."""

    name: str
    folder: Path
    count: int = LINES
    seed: int = 0

    def tasks(self, data: Path) -> Sequence[Task]:
        """Cut them; `data` is not needed. A file is a group."""
        found: list[Task] = []
        for document in documents(self.folder, self.seed):
            found += self._cut(document)
            if len(found) >= self.count:
                break
        return found[: self.count]

    def judge(self, task: Task, text: str) -> Verdict:
        """By text and syntax alone."""
        return score(task, text)

    def _cut(self, document: Document) -> Iterator[Task]:
        rng = Random(f"{self.seed}:{document.path}")
        lines, start, places = document.text.split("\n"), 0, []
        for line in lines:
            code = line.strip()
            if len(code) >= _LEAST and len(line) <= _MOST and not code.startswith(_COMMENTS):
                places.append((start + len(line) - len(line.lstrip()), start + len(line)))
            start += len(line) + 1
        for first, end in rng.sample(places, min(_PER_FILE, len(places))):
            at = rng.randint(first, end - 2)
            yield Task(
                f"{document.path}:{at}", self.name, document.path,
                document.text[:at], document.text[end:], document.text[at:end],
                document.language, "rest", folder=str(self.folder.resolve()), file=document.path,
            )  # fmt: skip


def of_folder(said: str) -> Typed:
    """``FOLDER`` or ``FOLDER?count=200&seed=1``. Raises UserError for other words."""
    folder, _, options = said.partition("?")
    typed = Typed(f"typed:{said}", path_of(folder))
    for name, value in parse_qsl(options, keep_blank_values=True):
        if name not in ("count", "seed") or not value.isdecimal() or (name == "count") > int(value):
            raise UserError(f"typed understands ?count=NUMBER&seed=NUMBER, not {name}={value}.")
        number = int(value)
        typed = replace(typed, count=number) if name == "count" else replace(typed, seed=number)
    return typed
