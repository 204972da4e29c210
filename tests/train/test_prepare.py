"""What training leaves out, by each rule alone and by the command that prepares all data."""

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train import heldout
from dcomplete.train.cuts import SINGLE_LINE
from dcomplete.train.dedupe import duplicates, fingerprint
from dcomplete.train.filters import is_benchmark, reject_path, reject_text
from dcomplete.train.leaks import Forbidden, decoded, leaks, read_evaluation
from dcomplete.train.manifest import Report
from dcomplete.train.prepare import PrepareOptions, prepare
from dcomplete.train.shards import Shards
from dcomplete.train.sources import find, read
from tests.train.programs import program

SECRET = (
    "def below_limit(numbers, limit):\n    for index, number in enumerate(numbers):\n"
    "        if number >= limit:\n            return False\n    return True\n"
)


def package(folder: Path, name: str, files: dict[str, str], licence: str = "MIT") -> Path:
    """An unpacked wheel in `folder`, with its metadata."""
    info = folder / name / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    meta = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    (info / "METADATA").write_text(meta, "utf-8")
    for path, text in files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files), "utf-8")
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
    path.write_text(tokenizer_json, "utf-8")
    return PrepareOptions(
        out=tmp_path / "out", tokenizer=path, folders=(folder,), stdlib=False, installed=False,
        held_out=("Apart",), evaluation=(write_evaluation(tmp_path),), workers=1, seed=7,
        progress=False,
    )  # fmt: skip


def test_prepare_drops_the_leak_the_copy_and_the_closed_package(options: PrepareOptions) -> None:
    report = prepare(options)
    manifest = json.loads((options.out / "manifest.json").read_text("utf-8"))
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


@pytest.mark.parametrize(
    "record",
    [
        {
            "prompt": "# TODO: Your code here",
            "eval_prompt": "{{completion}}",
            "ground_truth": SECRET,
        },
        {"prompt": "import os", "groundtruth": SECRET, "right_context": ""},
        {"prompt": "import os", "groundtruth": "x", "right_context": SECRET},
        {"cropped_code": SECRET[:40], "next_line": SECRET[40:]},
    ],
    ids=["SAFIM", "CrossCodeEval, gap", "CrossCodeEval, behind it", "RepoBench"],
)
def test_every_benchmark_of_the_harness_is_checked_against(record, tmp_path: Path) -> None:
    path = tmp_path / "benchmark.jsonl"
    path.write_text(json.dumps(record), "utf-8")
    found = read_evaluation([path])
    assert found.first_in(SECRET) is not None and not found.silent


def test_files_that_give_no_text_are_named(options: PrepareOptions, tmp_path: Path) -> None:
    place = tmp_path / "evaluation"
    place.mkdir()
    write_evaluation(place)
    (place / "other.jsonl").write_text(json.dumps({"question": SECRET}), "utf-8")
    (place / "table.parquet").write_bytes(b"PAR1")
    values = {f: getattr(options, f) for f in PrepareOptions.__slots__}
    report = prepare(PrepareOptions(**{**values, "evaluation": (place,)}))
    assert report.leak_check["files_without_text"] == ["table.parquet", "other.jsonl"]
    from dcomplete.cli.train import _told

    assert "found in table.parquet, other.jsonl." in _told(report)


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
        ("package/dist/index.js", "compiled"),
        ("package/src/_esm/index.ts", "compiled"),
        ("pkg/build/wheel.py", None),
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
