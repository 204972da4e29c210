"""The two parts of `prepare` that run in many processes: reading files, and cutting documents."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np

from dcomplete.engine.tokens import Tokens
from dcomplete.train.dedupe import Sketch, fingerprint
from dcomplete.train.examples import examples
from dcomplete.train.leaks import Forbidden
from dcomplete.train.shards import Example, width
from dcomplete.train.sources import Document, Source, read
from dcomplete.train.surroundings import Surroundings

A = TypeVar("A")
B = TypeVar("B")
_FILES = 64  # per task


@dataclass(frozen=True, slots=True)
class Read:
    """What one task read: documents with their fingerprints, and what was dropped and why."""

    documents: list[Document]
    prints: list[tuple[bytes, Sketch]]
    dropped: Counter[str]
    leaks: list[tuple[str, str]]  # (package/path, the run it shares with evaluation data)


@dataclass(frozen=True, slots=True)
class Job:
    """A document to cut `count` gaps from, a `share` of which other text stands before, as in editors.

    `beside` are the package's files that the text may come from.
    """

    document: Document
    count: int
    seed: int
    share: float
    beside: frozenset[Path]


@dataclass(slots=True)
class _State:
    """What every task of a process needs; sent once."""

    forbidden: Forbidden | None = None
    tokens: Tokens | None = None


_state = _State()


class Pool:
    """Ordered `map` over processes, or in this one with one worker; a context manager."""

    def __init__(self, workers: int, forbidden: Forbidden | None, tokenizer: str) -> None:
        self._processes: ProcessPoolExecutor | None = None
        if workers <= 1:
            _start(forbidden, tokenizer)
            return
        # spawn: a fork of a process with threads (tokenizers, a progress bar) may hang
        self._processes = ProcessPoolExecutor(
            workers, get_context("spawn"), initializer=_start, initargs=(forbidden, tokenizer)
        )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        if self._processes:
            self._processes.shutdown(cancel_futures=True)

    def map(self, function: Callable[[A], B], jobs: Sequence[A], chunk: int = 1) -> Iterator[B]:
        """Results in the order of the jobs."""
        if self._processes is None:
            return map(function, jobs)
        return self._processes.map(function, jobs, chunksize=chunk)


def _start(forbidden: Forbidden | None, tokenizer: str) -> None:
    _state.forbidden, _state.tokens = forbidden, Tokens.from_json(tokenizer)


def parts(sources: Iterable[Source]) -> list[Source]:
    """Packages in pieces of a task's size."""
    return [
        replace(source, files=source.files[at : at + _FILES])
        for source in sources
        for at in range(0, len(source.files), _FILES)
    ]


def read_part(source: Source) -> Read:
    """Read and check a package's files."""
    dropped: Counter[str] = Counter()
    kept, prints, leaked = [], [], []
    for document in read(source, dropped):
        run = _state.forbidden.first_in(document.text) if _state.forbidden else None
        if run is not None:
            dropped["leak"] += 1
            leaked.append((f"{document.package}/{document.path}", run))
            continue
        kept.append(document)
        prints.append(fingerprint(document.text))
    return Read(kept, prints, dropped, leaked)


def cut_document(job: Job) -> list[Example]:
    """The gaps of one document."""
    document, share, tokens = job.document, job.share, _state.tokens
    assert tokens is not None
    kind = width(len(tokens))
    rng = Random(f"{job.seed}:{document.package}:{document.path}")
    around = Surroundings(document, share, job.beside, rng) if share else (lambda *_: None)
    return [
        Example(
            np.array(cut.suffix, kind), np.array(cut.prefix, kind), np.array(cut.middle, kind),
            int(cut.gap.kind), np.array(cut.other, kind),
        )
        for cut in examples(tokens, document.text, document.language, job.count, rng, around)
    ]  # fmt: skip
