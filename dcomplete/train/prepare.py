"""From source files to training examples: read, check, deduplicate, cut, write.

The result depends on the files, the options and the seed alone, not on the number of processes.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train import folder, heldout
from dcomplete.train.dedupe import duplicates
from dcomplete.train.download import HELD_OUT, PINNED_HELD_OUT, TRAINING, fetch, listed
from dcomplete.train.leaks import Forbidden, read_evaluation
from dcomplete.train.manifest import Given, Kept, Made, Outcome, Report
from dcomplete.train.plan import OTHERS_SHARE, PACKAGE_SHARE, PER_DOCUMENT, plan
from dcomplete.train.shards import Writer
from dcomplete.train.sources import Document, Source, find, normal
from dcomplete.train.surroundings import SHARE
from dcomplete.train.work import Job, Pool, cut_document, parts, read_part


@dataclass(frozen=True, slots=True)
class PrepareOptions:
    """What to read and what to write; folders and names as the user gave them.

    `held_out` names packages that never enter the shards; their gaps are written to
    ``heldout.jsonl`` where a source for them is found (`held_out_folders`, or any other source).
    """

    out: Path
    tokenizer: Path
    folders: tuple[Path, ...] = ()
    stdlib: bool = True
    installed: bool = True
    download: bool = False
    packages: tuple[Path, ...] = ()  # lists, instead of the pinned one that comes with the trainer
    held_out_packages: tuple[Path, ...] = ()  # instead of the pinned list of those
    held_out: tuple[str, ...] = HELD_OUT
    held_out_folders: tuple[Path, ...] = ()
    evaluation: tuple[Path, ...] = ()
    leak_check: bool = True
    max_examples: int | None = None
    per_document: int = PER_DOCUMENT
    package_share: float = PACKAGE_SHARE
    others_share: float = OTHERS_SHARE  # of the languages that are not Python, together
    surroundings: float = SHARE  # of the gaps, that are shown as an editor shows them
    languages: tuple[str, ...] = ()
    workers: int = 0
    seed: int = 0
    progress: bool = True


def prepare(options: PrepareOptions) -> Report:
    """Write shards, ``manifest.json`` and ``heldout.jsonl`` into `options.out`.

    Raises UserError where the tokenizer, a folder or the evaluation data are missing.
    """
    clock = {"start": time.monotonic()}
    forbidden = _forbidden(options)
    tokenizer = _tokenizer(options.tokenizer)
    folder.made(options.out)
    training, held, skipped = _sources(options)
    workers = options.workers or os.cpu_count() or 1
    with Pool(workers, forbidden, tokenizer) as pool, _progress(options.progress) as bar:
        kept = _read(pool, held, training, options, bar)
        clock["read"] = time.monotonic()
        counts = plan(
            kept.training, options.seed, options.max_examples,
            options.per_document, options.package_share, options.others_share,
        )  # fmt: skip
        jobs = _jobs(kept.training, counts, options)
        made = _cut(pool, jobs, _writer(options, tokenizer), bar)
        clock["cut"] = time.monotonic()
    gaps = heldout.cut(kept.held_out, Tokens.from_json(tokenizer), options.seed)
    heldout.write(gaps, options.out / "heldout.jsonl")
    clock["end"] = time.monotonic()
    outcome = Outcome(kept, made, len(gaps), forbidden, clock)
    report = outcome.report(options.out)
    outcome.write(report, Given(training, held, skipped, options.seed))
    return report


def _forbidden(options: PrepareOptions) -> Forbidden | None:
    if not options.leak_check:
        return None
    if not options.evaluation:
        raise UserError(
            "No evaluation data are named, so leaks cannot be checked: give --evaluation FOLDER, "
            "or --no-leak-check to go on without."
        )
    return read_evaluation(options.evaluation)


def _tokenizer(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        Tokens.from_json(text)
    except Exception as error:  # the tokenizers library raises no class of its own
        raise UserError(f"{path} is no tokenizer.json; name the one of the model.") from error
    return text


def _sources(options: PrepareOptions) -> tuple[list[Source], list[Source], dict[str, str]]:
    """(training packages, held-out packages, packages left out with the reason)."""
    fetched, apart = [], []
    if options.download:
        fetched = fetch(listed(options.packages) or TRAINING, options.out / "downloads")
    if options.download and not options.held_out_folders:
        pins = listed(options.held_out_packages) or PINNED_HELD_OUT
        apart = fetch(pins, options.out / "held-out")
    kept_apart = find(options.held_out_folders, stdlib=False, installed=False, unpacked=apart)
    found = find(options.folders, options.stdlib, options.installed, fetched)
    names = {normal(n) for n in (*options.held_out, *(s.name for s in kept_apart.sources))}
    training = [s for s in found.sources if normal(s.name) not in names]
    held = {normal(s.name): s for s in found.sources if normal(s.name) in names}
    held |= {normal(s.name): s for s in kept_apart.sources}
    if not training:
        raise UserError("There is nothing to read; name a folder of source files with --folder.")
    return training, [held[n] for n in sorted(held)], {**found.skipped, **kept_apart.skipped}


def _read(
    pool: Pool, held: Sequence[Source], training: Sequence[Source], options: PrepareOptions,
    bar: Progress,
) -> Kept:  # fmt: skip
    """Held-out packages first, so that of two copies the training one goes."""
    jobs = parts(held) + parts(training)
    apart = {s.name for s in held}
    kept = Kept()
    documents: list[Document] = []
    prints = []
    for result in _shown(bar, "reading", pool.map(read_part, jobs), len(jobs)):
        kept.dropped.update(result.dropped)
        kept.leaks += result.leaks
        documents += result.documents
        prints += result.prints
    repeated = duplicates(prints)
    for at, document in enumerate(documents):
        if reason := repeated.get(at):
            kept.dropped[reason] += 1
        elif options.languages and document.language not in options.languages:
            kept.dropped["language"] += 1
        elif document.package in apart:
            kept.held_out.append(document)
        else:
            kept.training.append(document)
    return kept


def _writer(options: PrepareOptions, tokenizer: str) -> Writer:
    digest = hashlib.sha256(tokenizer.encode()).hexdigest()
    metadata = {"tokenizer": digest, "seed": str(options.seed)}
    return Writer(options.out, len(Tokens.from_json(tokenizer)), metadata)


def _jobs(
    documents: Sequence[Document], counts: Sequence[int], options: PrepareOptions
) -> list[Job]:
    files: dict[str, set[Path]] = {}
    for document in documents:
        if document.file is not None:
            files.setdefault(document.package, set()).add(document.file)
    beside = {package: frozenset(found) for package, found in files.items()}
    return [
        Job(d, count, options.seed, options.surroundings, beside.get(d.package, frozenset()))
        for d, count in zip(documents, counts, strict=True)
        if count
    ]


def _cut(pool: Pool, jobs: Sequence[Job], writer: Writer, bar: Progress) -> Made:
    made = Made()
    results = _shown(bar, "cutting", pool.map(cut_document, jobs, chunk=4), len(jobs))
    for job, cuts in zip(jobs, results, strict=True):
        for example in cuts:
            writer.add(example)
            made.count(job.document, example)
    writer.flush()
    return made


def _progress(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown)


def _shown(bar: Progress, name: str, results: Iterable[Any], total: int) -> Iterator[Any]:
    yield from bar.track(results, total=total, description=name)
