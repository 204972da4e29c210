"""Training data: what is left out, how gaps are cut, and that shards give back what was written."""

import gzip
import json
import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from typer.testing import CliRunner

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train import heldout
from dcomplete.train.cuts import SINGLE_LINE, Cutter, Gap, Kind
from dcomplete.train.dedupe import duplicates, fingerprint
from dcomplete.train.examples import Cut, clip, encode, examples
from dcomplete.train.filters import is_benchmark, reject_path, reject_text
from dcomplete.train.leaks import Forbidden, decoded, leaks, read_evaluation
from dcomplete.train.licences import of_text, permissive
from dcomplete.train.manifest import Report
from dcomplete.train.plan import plan
from dcomplete.train.prepare import PrepareOptions, prepare
from dcomplete.train.shards import Example, Shards, Writer
from dcomplete.train.sources import Document, find, read

SECRET = (
    "def below_limit(numbers, limit):\n    for index, number in enumerate(numbers):\n"
    "        if number >= limit:\n            return False\n    return True\n"
)


def program(seed: int, functions: int = 8) -> str:
    """A made-up module: every seed gives other names, so that no two are near duplicates."""
    rng = random.Random(seed)

    def name() -> str:
        return "".join(rng.choice("abcdefghijklmnop") for _ in range(6))

    parts = [f'"""Tools for {name()} and {name()}."""\n\nimport {name()}\n']
    for _ in range(functions):
        a, b, c = name(), name(), name()
        parts.append(
            f"\n\ndef {a}({b}, {c}=None):\n    # {name()} first\n    {name()} = {b}.{name()}({c})\n"
            f"    if {c} is None:\n        return {name()}({b}, {name()}='ü{name()}')\n"
            f"    for {name()} in {b}:\n        print({c}, {name()}, {rng.random():.2f})\n"
            f"    return {b} + {c}\n\n\ndef {name()}({b}):\n    return {a}({b}, 1)\n"
        )
    return "".join(parts)


@pytest.fixture(scope="session")
def tokenizer_json() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, initial_alphabet=alphabet, special_tokens=["<a>"], show_progress=False
    )
    tokenizer.train_from_iterator([program(n) for n in range(20)], trainer)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def tokens(tokenizer_json: str) -> Tokens:
    return Tokens.from_json(tokenizer_json)


def package(folder: Path, name: str, files: dict[str, str], licence: str = "MIT") -> Path:
    """An unpacked wheel in `folder`, with its metadata."""
    info = folder / name / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    meta = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    (info / "METADATA").write_text(meta)
    for path, text in files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    return folder


def write_evaluation(folder: Path) -> Path:
    record = {"task_id": "T/0", "prompt": SECRET[:33], "canonical_solution": SECRET[33:]}
    file = folder / "Problems.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(record).encode()))
    return file


@pytest.fixture
def options(tmp_path: Path, tokenizer_json: str) -> PrepareOptions:
    """Three small packages, one of them held out, a planted leak and a planted copy."""
    folder = tmp_path / "src"
    planted = program(1) + "\n\n" + SECRET.replace("    ", "\t")
    one = {"one/a.py": program(2), "one/leak.py": planted, "one/b.py": program(3)}
    package(folder, "one", one)
    package(folder, "two", {"two/copy.py": program(2), "two/c.py": program(4), "two/d.py": "x = 1"})
    package(folder, "apart", {f"apart/{n}.py": program(n) for n in range(50, 56)})
    package(folder, "closed", {"closed/a.py": program(60)}, licence="GPL-3.0-only")
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer_json)
    return PrepareOptions(
        out=tmp_path / "out", tokenizer=path, folders=(folder,), stdlib=False, installed=False,
        held_out=("Apart",), evaluation=(write_evaluation(tmp_path),), workers=1, seed=7,
        progress=False,
    )  # fmt: skip


def test_prepare_drops_the_leak_the_copy_and_the_closed_package(options: PrepareOptions) -> None:
    report = prepare(options)
    manifest = json.loads((options.out / "manifest.json").read_text())
    assert report.dropped == {"leak": 1, "exact duplicate": 1, "short": 1}
    assert report.leak_check["documents_dropped"] == 1
    assert [leak["file"] for leak in manifest["leaks"]] == ["one/one/leak.py"]
    assert manifest["packages_left_out"] == {"closed": "licence"}
    assert {p["name"]: p["files"] for p in manifest["packages"]} == {"one": 2, "two": 1}
    assert manifest["totals"]["tokens"] == report.tokens > 0


def test_finished_shards_hold_no_leak_and_no_held_out_text(
    options: PrepareOptions, tokens: Tokens
) -> None:
    prepare(options)
    texts = list(decoded(Shards(options.out), tokens))
    assert texts
    assert not leaks(read_evaluation(options.evaluation), texts)
    assert not leaks(Forbidden.of(program(n) for n in range(50, 56)), texts)


def test_held_out_gaps_come_from_the_named_package(options: PrepareOptions) -> None:
    report = prepare(options)
    gaps = heldout.read(options.out / "heldout.jsonl")
    assert {gap.package for gap in gaps} == {"apart"}
    assert len(gaps) == report.held_out
    assert max(Counter(gap.path for gap in gaps).values()) <= heldout.PER_FILE
    single = {kind.name.lower() for kind in SINGLE_LINE}
    assert sum(gap.kind in single for gap in gaps) >= len(gaps) // 2
    assert all(g.prefix + g.middle + g.suffix in {program(n) for n in range(50, 56)} for g in gaps)


def test_same_seed_same_bytes_for_any_number_of_processes(
    options: PrepareOptions, tmp_path: Path
) -> None:
    def files(report: Report) -> list[bytes]:
        return [f.read_bytes() for f in sorted(Path(report.out).iterdir()) if f.is_file()]

    def again(name: str, **changes: int) -> list[bytes]:
        values = {f: getattr(options, f) for f in PrepareOptions.__slots__}
        return files(prepare(PrepareOptions(**{**values, "out": tmp_path / name, **changes})))

    first = again("first")
    assert again("second", workers=2) == first
    assert again("third", seed=8) != first


def test_leak_check_needs_evaluation_data(options: PrepareOptions, tmp_path: Path) -> None:
    values = {f: getattr(options, f) for f in PrepareOptions.__slots__}
    with pytest.raises(UserError, match="--no-leak-check"):
        prepare(PrepareOptions(**{**values, "evaluation": ()}))
    with pytest.raises(UserError, match="no evaluation data at"):
        prepare(PrepareOptions(**{**values, "evaluation": (tmp_path / "none",)}))
    with pytest.raises(UserError, match="no tokenizer"):
        prepare(PrepareOptions(**{**values, "tokenizer": options.evaluation[0]}))
    report = prepare(PrepareOptions(**{**values, "evaluation": (), "leak_check": False}))
    assert report.leak_check["checked"] is False
    assert "leak" not in report.dropped


def test_command_line(options: PrepareOptions) -> None:
    from dcomplete.cli.train import app

    arguments = ["prepare", str(options.out), "--tokenizer", str(options.tokenizer), "--no-stdlib"]
    arguments += ["--no-installed", "--folder", str(options.folders[0]), "--workers", "1"]
    environment = {"DCOMPLETE_EVALDATA": str(options.evaluation[0])}
    result = CliRunner().invoke(app, [*arguments, "--json"], env=environment)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["dropped"]["leak"] == 1
    assert "examples with" in CliRunner().invoke(app, arguments, env=environment).stdout


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("pkg/core.py", None),
        ("pkg/app.ts", None),
        ("pkg/multiple_dispatch.py", None),
        ("pkg/table.csv", "language"),
        ("pkg/_vendor/six.py", "vendored"),
        ("web/node_modules/a.js", "vendored"),
        ("pkg/tests/data/broken.py", "test data"),
        ("pkg/thing_pb2.py", "generated"),
        ("pkg/jquery.min.js", "generated"),
        ("pkg/human_eval/execution.py", "benchmark"),
        ("bench/mbpp.py", "benchmark"),
    ],
)
def test_paths(path: str, reason: str | None) -> None:
    assert reject_path(path) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (program(1), None),
        ("x = 1\n", "short"),
        ("# DO NOT EDIT: made by a tool\n" + program(1), "generated"),
        ("# This file was automatically generated by SWIG\n" + program(1), "generated"),
        (program(1) + "word = '" + "abc " * 120 + "'\n", "long lines"),
        ("TABLE = [\n" + "    0.25, 0.75, 1.25, 17,\n" * 40 + "]\n", "data"),
        ("NAMES = [\n" + "    'anna', 'berta', 'caesar',\n" * 40 + "]\n", "data"),
    ],
)
def test_texts(text: str, reason: str | None) -> None:
    assert reject_text(text) == reason


def test_unreadable_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n" + program(1).encode())
    (tmp_path / "windows.py").write_bytes(program(2).replace("\n", "\r\n").encode())
    dropped: Counter[str] = Counter()
    source = find([tmp_path], stdlib=False, installed=False).sources[0]
    assert [d.text for d in read(source, dropped)] == [program(2)]
    assert dropped == {"unreadable": 1}
    with pytest.raises(UserError, match="no folder"):
        find([tmp_path / "none"], stdlib=False, installed=False)


@pytest.mark.parametrize("name", ["human-eval", "human_eval", "evalplus", "bigcode-evaluation"])
def test_benchmarks_are_known_by_name(name: str) -> None:
    assert is_benchmark(name)
    assert not is_benchmark("humanize")


@pytest.mark.parametrize(
    ("licence", "good"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("(MIT OR GPL-2.0-only)", True),
        ("The MIT License (MIT)", True),
        ("Apache License, Version 2.0", True),
        ("ISC License (ISCL)", True),
        ("Python Software Foundation License", True),
        ("MPL-2.0 AND MIT", False),
        ("LGPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("Other/Proprietary License", False),
        ("Free for non-commercial use", False),
        ("", False),
    ],
)
def test_licences(licence: str, good: bool) -> None:
    assert permissive(licence) is good


def test_licence_texts() -> None:
    text = "Copyright\n\nPermission is hereby granted, free of charge, to any\nperson obtaining"
    assert of_text(text) == "MIT"
    assert of_text("GNU GENERAL PUBLIC LICENSE\nVersion 3") is None


def test_near_duplicates() -> None:
    long = program(1, functions=30)
    edited = long.replace("print", "echo", 2)
    texts = [long, program(2, functions=30), edited, long.replace("\n\n", "\n"), program(3)]
    found = duplicates([fingerprint(text) for text in texts])
    assert found == {2: "near duplicate", 3: "exact duplicate"}


def test_trivial_runs_are_no_leak() -> None:
    forbidden = Forbidden.of(["[" + "0, " * 40 + "]", SECRET])
    found = leaks(forbidden, ["x = [" + "0, " * 60 + "]", f"class A:\n{SECRET}", program(1)])
    assert [at for at, _ in found] == [1]


def cuts_of(tokens: Tokens, text: str, count: int = 100) -> list[Cut]:
    rng = random.Random(5)
    return [c for _ in range(count // 20) for c in examples(tokens, text, "python", 20, rng)]


def test_kinds_are_drawn_by_their_shares(tokens: Tokens) -> None:
    cuts = cuts_of(tokens, program(70, functions=6), 500)
    kinds = Counter(cut.gap.kind for cut in cuts)
    assert set(kinds) == set(Kind)
    assert 0.33 < sum(kinds[k] for k in SINGLE_LINE) / len(cuts) < 0.50
    single = [c for c in cuts if c.gap.kind in SINGLE_LINE]
    assert 0.4 < sum(c.clip.middle.endswith("\n") for c in single) / len(single) < 0.6
    assert 0.1 < sum(not c.suffix for c in cuts) / len(cuts) < 0.3


def test_text_and_tokens_rebuild_the_document(tokens: Tokens) -> None:
    text = program(71, functions=25)  # longer than the clip
    for cut in cuts_of(tokens, text):
        gap, part = cut.gap, cut.clip
        assert part.middle == text[gap.start : gap.end]
        assert text[: gap.start].endswith(part.prefix)
        assert text[gap.end :].startswith(part.suffix)
        whole = part.prefix + part.middle + part.suffix
        ids = [*cut.prefix, *cut.middle, *cut.suffix]
        assert tokens.decode(ids) in whole
        assert len(cut.middle) <= 63
        seam = tokens.seam(part.prefix, part.suffix)
        if len(seam.prefix) <= 1024 and len(seam.suffix) <= 512:
            assert tokens.decode(ids) == whole
        assert tokens.decode(cut.middle) == seam.middle(part.middle)
        if seam.head:
            assert cut.middle[0] in tokens.starting_with(seam.head)


def test_a_rest_of_line_is_kept_behind_a_gap_inside_it(tokens: Tokens) -> None:
    for cut in cuts_of(tokens, program(72)):
        if not cut.clip.suffix:
            end = cut.gap.end
            assert cut.clip.middle.endswith("\n") or program(72)[end : end + 1] in ("", "\n")


def test_syntax_gaps_are_nodes() -> None:
    pytest.importorskip("tree_sitter_python")
    text = program(73)
    cutter, rng = Cutter(text, "python"), random.Random(1)
    for _ in range(20):
        body = cutter.gap(rng, Kind.BODY)
        arguments = cutter.gap(rng, Kind.ARGUMENTS)
        assert body is not None
        assert arguments is not None
        assert text[: body.start].rstrip().endswith((":", "first"))
        assert text[arguments.start - 1] == "(" or text[arguments.start] == "("


def test_other_languages_fall_back_to_lines() -> None:
    text = program(74)
    gap = Cutter(text, "cobol").gap(random.Random(1), Kind.STATEMENT)
    assert gap
    assert gap.kind == Kind.LINE


def test_a_long_gap_is_no_example(tokens: Tokens) -> None:
    text = program(75)
    gap = Gap(0, 260, Kind.SPAN)
    assert encode(tokens, gap, clip(text, gap)) is None


def test_no_package_rules_the_plan() -> None:
    text = "x" * 3000
    documents = [Document("big", f"{n}.py", "python", text) for n in range(300)]
    documents += [Document(f"small{p}", "a.py", "python", text) for p in range(30)]
    documents += [Document(f"small{p}", "a.js", "javascript", text) for p in range(30)]
    counts = plan(documents, seed=1, package_share=0.12)
    of = Counter[str]()
    for document, count in zip(documents, counts, strict=True):
        of["big"] += count * (document.package == "big")
        of["js"] += count * (document.language == "javascript")
    assert 0.08 < of["big"] / sum(counts) < 0.16
    assert sum(plan(documents, seed=1, limit=100)) == pytest.approx(100, abs=15)
    assert plan(documents, seed=1) == plan(documents, seed=1)


@pytest.mark.parametrize(("vocabulary", "kind"), [(900, np.uint16), (70_000, np.int32)])
def test_shards_round_trip(tmp_path: Path, vocabulary: int, kind: type) -> None:
    rng = np.random.default_rng(1)

    def some(most: int) -> np.ndarray:
        return rng.integers(0, vocabulary, rng.integers(0, most)).astype(kind)

    rows = [Example(some(30), some(60), some(9), n % 10) for n in range(25)]
    writer = Writer(tmp_path, vocabulary, {"tokenizer": "t", "seed": "1"}, per_shard=10)
    for row in rows:
        writer.add(row)
    writer.flush()
    shards = Shards(tmp_path)
    assert (len(shards), len(writer.files), shards.tokenizer) == (25, 3, "t")
    for row, got in zip(rows, shards, strict=True):
        assert got.kind == row.kind
        assert got.middle.dtype == kind
        for name in ("suffix", "prefix", "middle"):
            assert np.array_equal(getattr(got, name), getattr(row, name))
    assert shards[-1].kind == rows[-1].kind
    assert shards.lengths()[:, 2].tolist() == [len(r.middle) for r in rows]
    assert sorted(shards.order(3, 0)) == list(range(25))
    assert shards.order(3, 0).tolist() == Shards(tmp_path).order(3, 0).tolist()
    assert shards.order(3, 0).tolist() != shards.order(3, 1).tolist()


def test_an_empty_folder_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prepare"):
        Shards(tmp_path)


def test_real_evaluation_data_are_understood() -> None:
    near = Path(__file__).parents[2] / ".." / "shared" / "evaldata"
    place = Path(os.environ.get("DCOMPLETE_EVALDATA", near))
    if not place.is_dir():
        pytest.skip("no evaluation data beside the repository; set DCOMPLETE_EVALDATA")
    names = ("HumanEval.jsonl.gz", "HumanEval-SingleLineInfilling.jsonl.gz")
    forbidden = read_evaluation([next(place.rglob(name)) for name in names])
    assert forbidden.texts > 164
    file = next(place.rglob("HumanEval.jsonl.gz"))
    problems = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    whole = [p["prompt"] + p["canonical_solution"] for p in problems]
    assert len(leaks(forbidden, [f"# mine\n{text}" for text in whole])) == len(whole)
