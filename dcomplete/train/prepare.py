"""From source files to training examples: read, check, deduplicate, cut, write.

The result depends on the files, the options and the seed alone, not on the number of processes.
"""

import hashlib
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train import heldout
from dcomplete.train.cuts import Kind
from dcomplete.train.dedupe import duplicates
from dcomplete.train.download import HELD_OUT, PINNED_HELD_OUT, TRAINING, fetch
from dcomplete.train.leaks import Forbidden, read_evaluation
from dcomplete.train.plan import PACKAGE_SHARE, PER_DOCUMENT, plan
from dcomplete.train.shards import Writer
from dcomplete.train.sources import Document, Source, find, normal
from dcomplete.train.work import Pool, Read, cut_document, parts, read_part


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
    held_out: tuple[str, ...] = HELD_OUT
    held_out_folders: tuple[Path, ...] = ()
    evaluation: tuple[Path, ...] = ()
    leak_check: bool = True
    max_examples: int | None = None
    per_document: int = PER_DOCUMENT
    package_share: float = PACKAGE_SHARE
    languages: tuple[str, ...] = ()
    workers: int = 0
    seed: int = 0
    progress: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What was written; `seconds` is wall clock, `dropped` counts files by reason."""

    out: str
    packages: int
    documents: int
    examples: int
    tokens: int
    held_out: int
    dropped: dict[str, int]
    kinds: dict[str, int]
    leak_check: dict[str, Any]
    seconds: dict[str, float]


@dataclass(slots=True)
class _Kept:
    """Documents that passed, in order, and why the others did not."""

    training: list[Document] = field(default_factory=list)
    held_out: list[Document] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    leaks: list[tuple[str, str]] = field(default_factory=list)


def prepare(options: PrepareOptions) -> Report:
    """Write shards, ``manifest.json`` and ``heldout.jsonl`` into `options.out`.

    Raises UserError where the tokenizer, a folder or the evaluation data are missing.
    """
    clock = {"start": time.monotonic()}
    forbidden = _forbidden(options)
    tokenizer = _tokenizer(options.tokenizer)
    options.out.mkdir(parents=True, exist_ok=True)
    training, held, skipped = _sources(options)
    workers = options.workers or os.cpu_count() or 1
    with Pool(workers, forbidden, tokenizer) as pool, _progress(options.progress) as bar:
        kept = _read(pool, held, training, options, bar)
        clock["read"] = time.monotonic()
        counts = plan(
            kept.training, options.seed, options.max_examples,
            options.per_document, options.package_share,
        )  # fmt: skip
        writer, made = _cut(pool, kept.training, counts, tokenizer, options, bar)
        clock["cut"] = time.monotonic()
    gaps = heldout.cut(kept.held_out, Tokens.from_json(tokenizer), options.seed)
    heldout.write(gaps, options.out / "heldout.jsonl")
    clock["end"] = time.monotonic()
    report = _report(options, kept, made, writer, len(gaps), forbidden, clock)
    packages = _packages(training, kept.training, made)
    _write_manifest(options, report, packages, skipped, kept, held)
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
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no tokenizer.json; name the one of the model.") from error


def _sources(options: PrepareOptions) -> tuple[list[Source], list[Source], dict[str, str]]:
    """(training packages, held-out packages, packages left out with the reason)."""
    folders = list(options.folders)
    if options.download:
        folders.append(fetch(TRAINING, options.out / "downloads"))
    apart_folders = list(options.held_out_folders)
    if options.download and not apart_folders:
        apart_folders.append(fetch(PINNED_HELD_OUT, options.out / "held-out"))
    apart = find(apart_folders, stdlib=False, installed=False)
    found = find(folders, options.stdlib, options.installed)
    names = {normal(name) for name in options.held_out} | {normal(s.name) for s in apart.sources}
    training = [s for s in found.sources if normal(s.name) not in names]
    held = {normal(s.name): s for s in found.sources if normal(s.name) in names}
    held |= {normal(s.name): s for s in apart.sources}
    if not training:
        raise UserError("There is nothing to read; name a folder of source files with --folder.")
    return training, [held[n] for n in sorted(held)], {**found.skipped, **apart.skipped}


def _read(
    pool: Pool, held: Sequence[Source], training: Sequence[Source], options: PrepareOptions,
    bar: Progress,
) -> _Kept:  # fmt: skip
    """Held-out packages first, so that of two copies the training one goes."""
    jobs = parts(held) + parts(training)
    apart = {s.name for s in held}
    kept = _Kept()
    documents: list[Document] = []
    prints = []
    for result in _shown(bar, "reading", pool.map(read_part, jobs), len(jobs)):
        _count(kept, result)
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


def _count(kept: _Kept, result: Read) -> None:
    kept.dropped.update(result.dropped)
    kept.leaks += result.leaks


@dataclass(slots=True)
class _Made:
    examples: Counter[str] = field(default_factory=Counter)  # by package
    tokens: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


def _cut(
    pool: Pool, documents: Sequence[Document], counts: Sequence[int], tokenizer: str,
    options: PrepareOptions, bar: Progress,
) -> tuple[Writer, _Made]:  # fmt: skip
    digest = hashlib.sha256(tokenizer.encode()).hexdigest()
    metadata = {"tokenizer": digest, "seed": str(options.seed)}
    writer = Writer(options.out, len(Tokens.from_json(tokenizer)), metadata)
    jobs = [(d, n, options.seed) for d, n in zip(documents, counts, strict=True) if n]
    made = _Made()
    results = _shown(bar, "cutting", pool.map(cut_document, jobs, chunk=4), len(jobs))
    for (document, _, _), cuts in zip(jobs, results, strict=True):
        for example in cuts:
            writer.add(example)
            size = len(example.suffix) + len(example.prefix) + len(example.middle)
            made.tokens[document.package] += size
            made.kinds[Kind(example.kind).name.lower()] += 1
        made.examples[document.package] += len(cuts)
    writer.flush()
    return writer, made


def _report(
    options: PrepareOptions, kept: _Kept, made: _Made, writer: Writer, gaps: int,
    forbidden: Forbidden | None, clock: dict[str, float],
) -> Report:  # fmt: skip
    check: dict[str, Any] = {"checked": forbidden is not None, "documents_dropped": len(kept.leaks)}
    if forbidden:
        check |= {"evaluation_texts": forbidden.texts, "runs_of_13_tokens": len(forbidden.runs)}
    marks = list(clock.items())
    spans = {name: round(t - before, 1) for (_, before), (name, t) in zip(marks, marks[1:])}
    return Report(
        out=str(options.out), packages=sum(1 for n in made.examples.values() if n),
        documents=len(kept.training), examples=writer.examples, tokens=writer.tokens,
        held_out=gaps, dropped=dict(kept.dropped.most_common()),
        kinds=dict(made.kinds.most_common()), leak_check=check,
        seconds={**spans, "total": round(clock["end"] - clock["start"], 1)},
    )  # fmt: skip


def _packages(
    sources: Iterable[Source], documents: Iterable[Document], made: _Made
) -> list[dict[str, Any]]:
    files: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        digest = hashlib.sha256(document.text.encode()).hexdigest()
        files[document.package].append(f"{document.path} {digest}")
    return [
        {
            "name": s.name, "version": s.version, "licence": s.licence,
            "files": len(files[s.name]), "examples": made.examples[s.name],
            "tokens": made.tokens[s.name],
            "sha256": hashlib.sha256("\n".join(files[s.name]).encode()).hexdigest(),
        }
        for s in sources
        if files[s.name]
    ]  # fmt: skip


def _write_manifest(
    options: PrepareOptions, report: Report, packages: list[dict[str, Any]],
    skipped: dict[str, str], kept: _Kept, held: Sequence[Source],
) -> None:  # fmt: skip
    manifest = {
        "seed": options.seed,
        "totals": {k: v for k, v in asdict(report).items() if k not in ("out", "seconds")},
        "packages": packages,
        "packages_left_out": dict(sorted(skipped.items())),
        "held_out": [{"name": s.name, "version": s.version, "licence": s.licence} for s in held],
        "leaks": [{"file": file, "run": run} for file, run in kept.leaks],
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (options.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _progress(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown)


def _shown(bar: Progress, name: str, results: Iterable[Any], total: int) -> Iterator[Any]:
    yield from bar.track(results, total=total, description=name)
