"""What training shows around a gap is what an editor shows, and nothing that it must not."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from dcomplete.context import Workspace, gather
from dcomplete.document import Gap as Place
from dcomplete.document import Snapshot
from dcomplete.engine.prompt import make_task
from dcomplete.engine.tokens import Tokens
from dcomplete.settings import ContextSettings, Settings
from dcomplete.train.cuts import Gap, Kind
from dcomplete.train.examples import encode
from dcomplete.train.prepare import PrepareOptions, prepare
from dcomplete.train.shards import Shards
from dcomplete.train.sources import Document
from dcomplete.train.surroundings import Surroundings
from dcomplete.types import InfillRequest
from tests.links import link
from tests.train.programs import program

SHAPES = (
    "def area_of_circle(radius: float) -> float:\n    return 3.14 * radius**2\n\n\n"
    "def area_of_square(side: float) -> float:\n    return side**2\n"
)
MAIN = (
    "from one.shapes import area_of_circle\nfrom two.far import secret_of_another\n\n\n"
    "def total(radii):\n    result = 0.0\n    for radius in radii:\n"
    "        result += area_of_circle(radius)\n    return result\n"
)
START = MAIN.index("result += ")
GAP = Gap(START, MAIN.index("\n", START), Kind.LINE)


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """A file that imports one of its own package and one of another, which lies beside it."""
    for path, text in {
        "one/shapes.py": SHAPES, "one/main.py": MAIN,
        "two/far.py": "def secret_of_another(): ...\n",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8", newline="\n")
    return Document("one", "one/main.py", "python", MAIN, tmp_path / "one/main.py")


def around(document: Document, share: float = 1.0):
    file = document.file
    kept = (file.with_name(name) for name in ("shapes.py", "main.py")) if file else ()
    return Surroundings(document, share, frozenset(kept), Random(1))


def test_the_own_package_is_shown_and_no_other(document: Document) -> None:
    shown = around(document)(GAP, Random(3))
    assert shown is not None
    assert "area_of_circle(radius: float)" in shown.other and "secret_of" not in shown.other
    assert shown.middle == "result += area_of_circle(radius)"
    assert MAIN.startswith(shown.prefix + shown.middle)


def test_it_is_what_an_editor_shows_and_what_inference_cuts(
    document: Document, tokenizer_json: str
) -> None:
    tokens, shown = Tokens.from_json(tokenizer_json), None
    for seed in range(9):  # the text behind a gap is sometimes cut short, and budgets differ
        shown = around(document)(GAP, Random(seed))
        assert shown is not None
        if shown.suffix.endswith("return result\n"):
            break
    text = MAIN[: GAP.start] + MAIN[GAP.end :]
    assert document.file is not None
    workspace = Workspace([document.file.parents[1]], clock=lambda: 0.0)
    settings = Settings(context=ContextSettings(ignore=("two/",)))
    uri = document.file.as_uri()
    workspace.opened(uri, "python", text)
    found = gather(
        Snapshot(uri, "python", 1, text, Place(GAP.start, GAP.start)), workspace, settings
    )
    assert (shown.prefix, shown.suffix, shown.other) == (
        found.prefix, found.suffix, found.preamble
    )  # fmt: skip
    cut = encode(tokens, GAP, shown)
    request = InfillRequest(found.prefix, found.suffix, preamble=found.preamble)
    task = make_task(tokens, replace(request, context_tokens=8192))
    assert cut is not None and [*cut.other, *cut.prefix] == task.prompt.prefix
    assert cut.suffix == task.prompt.suffix


def test_as_many_gaps_as_were_asked_for_are_shown_so(document: Document) -> None:
    some, rng = around(document, 0.3), Random(5)
    count = sum(some(GAP, rng) is not None for _ in range(200))
    assert 40 < count < 80
    assert around(replace(document, file=None))(GAP, rng) is None
    assert document.file is not None
    sealed = replace(document, path="one/.env.py", file=document.file.with_name(".env.py"))
    assert around(sealed)(GAP, rng) is None, "an editor suggests nothing there"


def test_files_that_are_not_trained_on_change_nothing(document: Document) -> None:
    assert document.file is not None
    before = [around(document)(GAP, Random(seed)) for seed in range(9)]
    for name in ("another.py", "shapes.pyi", "total.py"):
        document.file.with_name(name).write_text(SHAPES + MAIN, encoding="utf-8", newline="\n")
    (document.file.parents[1] / "shapes.py").write_text(SHAPES, encoding="utf-8", newline="\n")
    assert [around(document)(GAP, Random(seed)) for seed in range(9)] == before


def test_a_program_that_is_called_like_a_secret_is_shown_to_no_other(document: Document) -> None:
    assert document.file is not None
    secret = document.file.with_name("secrets.py")
    document.file.with_name("shapes.py").rename(secret)
    text = MAIN.replace("one.shapes", "one.secrets")
    kept = frozenset((secret, document.file))
    for seed in range(9):
        shown = Surroundings(replace(document, text=text), 1.0, kept, Random(seed))(GAP, Random(1))
        assert shown is not None and "area_of_square" not in shown.other


@pytest.fixture
def options(tokenizer_json: str, tmp_path: Path) -> PrepareOptions:
    """A package of two files in a folder."""
    (tmp_path / "tokenizer.json").write_text(tokenizer_json, "utf-8")
    code = tmp_path / "code" / "one"
    code.mkdir(parents=True)
    (code / "shapes.py").write_text(f"{SHAPES}\n\n{program(3)}", "utf-8")
    (code / "main.py").write_text(f"{MAIN}\n\n{program(4)}", "utf-8")
    return PrepareOptions(
        tmp_path / "out", tmp_path / "tokenizer.json", (code.parent,), stdlib=False,
        installed=False, leak_check=False, surroundings=1.0, workers=1, progress=False,
    )  # fmt: skip


def shown(options: PrepareOptions) -> list[str]:
    """What stands before the examples that are made."""
    prepare(options)
    tokens = Tokens.from_json(options.tokenizer.read_text("utf-8"))
    return [tokens.decode(example.other.tolist()) for example in Shards(options.out)]


def test_prepare_shows_the_share_that_was_asked_for(options: PrepareOptions) -> None:
    for share in (1.0, 0.0):
        report = prepare(replace(options, surroundings=share))
        found = sum(len(example.other) > 0 for example in Shards(options.out))
        assert report.surrounded == found and (found > 0) == (share > 0)


# Its signature is shown, which alone is too short for a leak.
SECRET = "def area_of_circle(measured_q):\n    result = measured_q * 3.14\n    return result * measured_q\n"


@pytest.mark.parametrize("reason", ["evaluation data", "near a held-out file", "generated"])
def test_what_is_not_trained_on_is_not_shown_either(options: PrepareOptions, reason: str) -> None:
    folder, place = options.folders[0].parent, options.folders[0] / "one" / "shapes.py"
    text = f"{SECRET}\n\n{program(3)}"
    place.write_text(text, "utf-8")
    place.with_name("more.py").write_text(program(5), "utf-8")
    assert any("measured_q" in other for other in shown(options)), "nothing speaks against it"
    if reason == "evaluation data":
        (folder / "data.jsonl").write_text(json.dumps({"code": SECRET}), "utf-8")
        options = replace(options, leak_check=True, evaluation=(folder / "data.jsonl",))
    elif reason == "generated":
        place.write_text(f"# DO NOT EDIT: made by a tool\n{text}", "utf-8")
    else:
        (folder / "apart").mkdir()
        (folder / "apart" / "copy.py").write_text(f"{text}\nx = 1\n", "utf-8")
        options = replace(options, held_out_folders=(folder / "apart",))
    found = shown(options)
    assert any(found) and not any("measured_q" in other for other in found)


@pytest.mark.parametrize("name", [".gitignore", ".dcompleteignore"])
def test_ignore_files_around_the_packages_change_nothing(
    options: PrepareOptions, tmp_path: Path, name: str
) -> None:
    before = shown(options)
    for folder in (tmp_path, *options.folders):
        (folder / name).write_text("*\n", "utf-8")
    (tmp_path / ".git").mkdir()
    assert any(before) and shown(options) == before


@pytest.mark.parametrize("named", ["from here", "by a link"])
def test_a_folder_is_the_same_however_it_is_named(
    options: PrepareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    before = shown(options)
    monkeypatch.chdir(tmp_path)
    link(tmp_path / "link", tmp_path / "code", is_folder=True)
    folder = Path("code") if named == "from here" else tmp_path / "link"
    assert any(before) and shown(replace(options, folders=(folder,))) == before
