"""What `prepare` read and wrote: the report that it returns, and the manifest beside the shards."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from dcomplete.train.cuts import Kind
from dcomplete.train.leaks import Forbidden
from dcomplete.train.shards import Example
from dcomplete.train.sources import Document, Source


@dataclass(frozen=True, slots=True)
class Report:
    """What was written; `seconds` is wall clock, `dropped` counts files, `kinds` examples, `surrounded`
    those that other files' text or an outline stands before."""

    out: str
    packages: int
    documents: int
    examples: int
    tokens: int
    held_out: int
    dropped: dict[str, int]
    kinds: dict[str, int]
    languages: dict[str, int]
    surrounded: int
    leak_check: dict[str, Any]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Given:
    """What was offered: packages to train on, held-out ones, and those left out, by reason."""

    training: Sequence[Source]
    held_out: Sequence[Source]
    skipped: dict[str, str]
    seed: int


@dataclass(slots=True)
class Kept:
    """Documents that passed, in order, and why the others did not."""

    training: list[Document] = field(default_factory=list)
    held_out: list[Document] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    leaks: list[tuple[str, str]] = field(default_factory=list)  # (package/path, run)


@dataclass(slots=True)
class Made:
    """Counts of the examples written."""

    examples: Counter[str] = field(default_factory=Counter)  # by package
    tokens: Counter[str] = field(default_factory=Counter)  # by package
    kinds: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    surrounded: int = 0  # examples that other text stands before

    def count(self, document: Document, example: Example) -> None:
        """Add one example of a document."""
        self.examples[document.package] += 1
        self.tokens[document.package] += len(example)
        self.surrounded += len(example.other) > 0
        self.kinds[Kind(example.kind).name.lower()] += 1
        self.languages[document.language] += 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything known at the end; `clock` holds the times at which the phases ended, in order."""

    kept: Kept
    made: Made
    held_out: int
    forbidden: Forbidden | None
    clock: dict[str, float]

    def report(self, out: Path) -> Report:
        """The numbers."""
        check: dict[str, Any] = {"checked": False, "documents_dropped": len(self.kept.leaks)}
        if known := self.forbidden:
            check |= {"checked": True, "evaluation_texts": known.texts, "runs": len(known.runs)}
            check |= {"files_without_text": list(known.silent)}
        seconds = {
            name: round(t - last, 1) for (_, last), (name, t) in pairwise(self.clock.items())
        }
        seconds["total"] = round(self.clock["end"] - self.clock["start"], 1)
        return Report(
            out=str(out),
            packages=len(self.made.examples),
            documents=len(self.kept.training),
            examples=self.made.examples.total(),
            tokens=self.made.tokens.total(),
            held_out=self.held_out,
            dropped=dict(self.kept.dropped.most_common()),
            kinds=dict(self.made.kinds.most_common()),
            languages=dict(self.made.languages.most_common()),
            surrounded=self.made.surrounded,
            leak_check=check,
            seconds=seconds,
        )

    def write(self, report: Report, given: Given) -> None:
        """Write ``manifest.json`` beside the shards; it holds no time and no place."""
        manifest = {
            "seed": given.seed,
            "totals": {k: v for k, v in asdict(report).items() if k not in ("out", "seconds")},
            "packages": self._packages(given.training),
            "packages_left_out": dict(sorted(given.skipped.items())),
            "held_out": [
                {"name": s.name, "version": s.version, "licence": s.licence} for s in given.held_out
            ],
            "leaks": [{"file": file, "run": run} for file, run in self.kept.leaks],
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        Path(report.out, "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def _packages(self, sources: Sequence[Source]) -> list[dict[str, Any]]:
        files: dict[str, list[str]] = defaultdict(list)
        for document in self.kept.training:
            digest = hashlib.sha256(document.text.encode()).hexdigest()
            files[document.package].append(f"{document.path} {digest}")
        return [
            {
                "name": s.name,
                "version": s.version,
                "licence": s.licence,
                "files": len(files[s.name]),
                "examples": self.made.examples[s.name],
                "tokens": self.made.tokens[s.name],
                "sha256": hashlib.sha256("\n".join(files[s.name]).encode()).hexdigest(),
            }
            for s in sources
            if files[s.name]
        ]
