"""The house plan, enforced: which room may import which, how big files and functions may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = {"dcomplete": ROOT, "dcomplete_lsp": ROOT / "lsp", "dcomplete_eval": ROOT / "eval"}
FILES = sorted(path for name, home in HOME.items() for path in (home / name).rglob("*.py"))
WORDS = {
    "dcomplete",
    "dcomplete.types",
    "dcomplete.errors",
    "dcomplete.registry",
    "dcomplete.provenance",
    "dcomplete.appending",
    "dcomplete.swapping",
}
TEXT = WORDS | {"dcomplete.document", "dcomplete.settings"}
ENGINE = WORDS | {"dcomplete.models.", "dcomplete.engine."}

# A room may import itself and these; "x." also allows everything below x, "x" only x itself.
MAY_IMPORT = {
    "dcomplete.errors": set(),
    "dcomplete.types": {"dcomplete.errors"},
    "dcomplete.registry": {"dcomplete.errors"},
    "dcomplete.document": {"dcomplete.errors"},
    "dcomplete.settings": {"dcomplete.errors"},
    "dcomplete.provenance": set(),
    "dcomplete.appending": {"dcomplete.errors"},
    "dcomplete.swapping": set(),
    "dcomplete.votes": {"dcomplete.errors"},  # editors write them, the harness reads them
    "dcomplete.context": TEXT,
    "dcomplete.postprocess": TEXT,
    "dcomplete.suggestions": TEXT,
    "dcomplete.popup": TEXT,
    "dcomplete.foresight": TEXT,
    "dcomplete.flight": TEXT,
    "dcomplete.dismissals": TEXT,
    "dcomplete.serve": ENGINE | TEXT,
    "dcomplete.completer": TEXT
    | {
        "dcomplete.context.",
        "dcomplete.flight",
        "dcomplete.dismissals",
        "dcomplete.foresight",
        "dcomplete.popup",
        "dcomplete.postprocess.",
        "dcomplete.serve.",
        "dcomplete.splitting",
        "dcomplete.suggestions",
        "dcomplete.translating",
    },
    "dcomplete.splitting": TEXT | {"dcomplete.context."},
    "dcomplete.translating": TEXT | {"dcomplete.context.", "dcomplete.postprocess."},
    "dcomplete.dialects": TEXT | {"dcomplete.serve.", "dcomplete.context.languages"},  # for signs
    "dcomplete.models": WORDS,
    "dcomplete.engine": WORDS | {"dcomplete.models."},
    "dcomplete.train": ENGINE | TEXT | {"dcomplete.context."},  # shown what editors show
    "dcomplete.bench": ENGINE,
    "dcomplete.cli": ENGINE
    | TEXT
    | {
        "dcomplete.bench.",
        "dcomplete.context.",
        "dcomplete.dialects.",
        "dcomplete.serve.",
        "dcomplete.train.",
        "dcomplete_eval.",
        "dcomplete_lsp.",
    },
    "dcomplete_lsp": TEXT
    | {"dcomplete.completer", "dcomplete.context.", "dcomplete.serve.", "dcomplete.votes."},
    "dcomplete_eval": WORDS
    | {"dcomplete.train.cuts", "dcomplete.train.syntax", "dcomplete.votes."}  # where gaps are cut
    | {"dcomplete.train.filters"}  # of which files
    | {"dcomplete.context.", "dcomplete.document", "dcomplete.settings"}  # what an editor shows
    | {"dcomplete.models.store"},  # whose weights answered
}


def room_files(room: str) -> list[Path]:
    base = HOME[room.split(".", maxsplit=1)[0]] / room.replace(".", "/")
    return sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]


def own_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: use absolute imports"
            base = str(node.module)
            names = [
                f"{base}.{alias.name}" if is_module(base, alias.name) else base
                for alias in node.names
            ]
        for name in names:
            assert name.split(".")[0] not in {"lsp", "eval", "editors"}, f"{path}: folder import"
            if name.split(".")[0] in HOME:
                yield name


def is_module(base: str, name: str) -> bool:
    home = HOME.get(base.split(".", maxsplit=1)[0])
    place = None if home is None else home / base.replace(".", "/") / name
    return place is not None and (place.is_dir() or place.with_suffix(".py").is_file())


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_room_imports_only_what_the_plan_allows(room):
    allowed = MAY_IMPORT[room] | {room, f"{room}."}
    for path in room_files(room):
        for name in own_imports(path):
            fits = name in allowed or any(
                a.endswith(".") and f"{name}.".startswith(a) for a in allowed
            )
            assert fits, f"{path.relative_to(ROOT)} may not import {name}"


def test_every_module_belongs_to_a_room():
    rooms = {path for room in MAY_IMPORT for path in room_files(room)}
    homeless = [
        p.relative_to(ROOT) for p in FILES if p not in rooms and p.parent.name != "examples"
    ]
    assert sorted(map(str, homeless)) == [
        "dcomplete/__init__.py",
        "dcomplete/__main__.py",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_human_sized(path):
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = [s for s in node.body if not _is_docstring(s)]
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{path}: {node.name} has {lines} lines"


def test_tests_stay_human_sized_too():
    lengths = {path: path.read_text().count("\n") for path in (ROOT / "tests").rglob("*.py")}
    assert not [str(path.relative_to(ROOT)) for path, lines in lengths.items() if lines > 300]


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_no_junk_drawer():
    assert not [p for p in FILES if p.stem in {"utils", "util", "helpers", "misc"}]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("dcomplete", {"torch", "transformers", "numpy"}),
        ("dcomplete_lsp", {"torch", "transformers"}),
        ("dcomplete.dialects.front", {"torch", "transformers", "numpy", "tokenizers"}),
        ("dcomplete.models.store", {"torch", "numpy"}),
        ("dcomplete.cli", {"torch", "transformers", "numpy", "tokenizers"}),
        ("dcomplete.engine.load", {"transformers", "rich", "typer"}),
    ],
)
def test_start_up_stays_light(module, heavy):
    code = f"import sys, {module}; print(*(m for m in {sorted(heavy)!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_one_denoise_loop():
    """The loop exists once: nobody else asks a policy (`verify` falls back on another one)."""
    callers = [p.relative_to(ROOT) for p in FILES if ".decide(" in p.read_text()]
    assert sorted(map(str, callers)) == [
        "dcomplete/engine/denoise.py",
        "dcomplete/engine/verify.py",
    ]


def test_public_names():
    import dcomplete

    assert sorted(dcomplete.__all__) == dcomplete.__all__
    assert all(hasattr(dcomplete, name) for name in dcomplete.__all__)
