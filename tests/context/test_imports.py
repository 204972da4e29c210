"""Signatures are found in the files that a document imports, in the workspace and nowhere else."""

from pathlib import Path

import pytest

from dcomplete.context.imports import Imports
from dcomplete.context.source import Deadline
from dcomplete.context.workspace import Workspace
from dcomplete.document import Gap, Snapshot
from tests.links import link


def no_time() -> float:
    return 0.0


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="\n")


def found(root: Path, name: str, text: str, workspace: Workspace | None = None) -> dict[str, str]:
    workspace = workspace or Workspace([root], clock=no_time)
    write(root, {name: text})
    snapshot = Snapshot((root / name).as_uri(), "", 1, text, Gap(len(text), len(text)))
    snippets = Imports().snippets(snapshot, workspace, Deadline(100, no_time))
    return {snippet.path: snippet.text for snippet in snippets}


TARGET = 'class Shop:\n    """Sells."""\n    def sell(self, what: str) -> int:\n        return 1\n'
SELL = "class Shop: ...  # Sells.\n    def sell(self, what: str) -> int: ..."

PYTHON = [
    ("main.py", "from pkg.shop import Shop\n", "pkg/shop.py"),
    ("main.py", "from pkg.shop import (\n    Other,\n    Shop as S,\n)\nShop", "pkg/shop.py"),
    ("main.py", "import pkg.shop\npkg.shop.Shop(", "pkg/shop.py"),
    ("main.py", "from pkg import shop\nshop.Shop(", "pkg/shop.py"),
    ("pkg/main.py", "from .shop import Shop\n", "pkg/shop.py"),
    ("pkg/main.py", "from . import shop\nshop.Shop", "pkg/shop.py"),
    ("pkg/inner/main.py", "from ..shop import Shop\n", "pkg/shop.py"),
    ("main.py", "from pkg import Shop\n", "pkg/__init__.py"),
    ("tests/test_a.py", "from thing import Shop\n", "src/thing.py"),
]


@pytest.mark.parametrize(("name", "text", "target"), PYTHON)
def test_python_imports_lead_to_signatures(tmp_path, name, text, target):
    write(tmp_path, {target: TARGET})
    assert found(tmp_path, name, text) == {target: SELL}


OTHERS = [
    ("a.ts", 'import { add } from "./lib/math";\n', "lib/math.ts",
     "export function add(a: number): number { return a; }\n", "function add(a: number): number { ... }"),
    ("a.ts", 'import { add } from "./lib/math.js";\n', "lib/math.ts",
     "export const add = (a: number) => { return a; };\n", "const add = (a: number) => { ... }"),
    ("src/a.jsx", 'import add from "../lib";\n', "lib/index.js",
     "export default function add(a) { return a }\n", "function add(a) { ... }"),
    ("a.js", 'const { add } = require("./b");\n', "b.js", "function add(a) { return a }\n",
     "function add(a) { ... }"),
    ("src/main.rs", "use crate::shop::{Shop, Other};\n", "src/shop.rs",
     "pub struct Shop { a: u8 }\n", "pub struct Shop { a: u8 }"),
    ("src/main.rs", "use crate::deep::shop::Shop;\n", "src/deep/shop/mod.rs",
     "pub struct Shop { a: u8 }\n", "pub struct Shop { a: u8 }"),
    ("cmd/main.go", 'import (\n\t"fmt"\n\t"example.com/x/shop"\n)\nshop.Sell(', "shop/shop.go",
     "package shop\nfunc Sell(a int) int { return a }\n", "func Sell(a int) int { ... }"),
    ("src/a/Main.java", "import b.c.Shop;\n", "src/b/c/Shop.java",
     "package b.c;\npublic class Shop { public int sell(int a) { return a; } }\n",
     "public class Shop { ... }\n    public int sell(int a) { ... }"),
    ("a.c", '#include "shop.h"\nsell(', "shop.h", "int sell(int a) { return a; }\n",
     "int sell(int a) { ... }"),
    ("a.rb", "require_relative 'shop'\nsell(", "shop.rb", "def sell(a)\n  1\nend\n", "def sell(a) # ..."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "target", "content", "expected"), OTHERS)
def test_other_languages_imports_lead_to_signatures(
    tmp_path, name, text, target, content, expected
):
    write(tmp_path, {"Cargo.toml": "", "go.mod": "module example.com/x\n", target: content})
    assert found(tmp_path, name, text) == {target: expected}


def test_names_are_followed_through_a_file_that_hands_them_on(tmp_path):
    write(tmp_path, {"pkg/__init__.py": "from .inner import Shop\n", "pkg/inner.py": TARGET})
    assert found(tmp_path, "main.py", "from pkg import Shop\n") == {"pkg/inner.py": SELL}


def test_files_that_import_each_other_are_no_trouble(tmp_path):
    write(tmp_path, {"a.py": "from b import x\n", "b.py": "from a import x\n"})
    assert found(tmp_path, "main.py", "from a import x\n") == {}


def test_a_file_outside_the_workspace_is_not_found(tmp_path):
    write(tmp_path, {"outside.py": TARGET, "work/inside.py": "x = 1\n"})
    workspace = Workspace([tmp_path / "work"], clock=no_time)
    text = "from ..outside import Shop\nfrom outside import Shop\n"
    assert found(tmp_path, "work/pkg/main.py", text, workspace) == {}


def test_a_changed_file_is_read_again(tmp_path):
    workspace = Workspace([tmp_path], clock=no_time)
    write(tmp_path, {"a.py": "def f(a): pass\n"})
    assert found(tmp_path, "main.py", "from a import f\n", workspace) == {"a.py": "def f(a): ..."}
    write(tmp_path, {"a.py": "def f(a, more): pass\n"})
    assert found(tmp_path, "main.py", "from a import f\n", workspace) == {
        "a.py": "def f(a, more): ..."
    }


def test_what_the_editor_has_not_saved_yet_counts(tmp_path):
    workspace = Workspace([tmp_path], clock=no_time)
    write(tmp_path, {"a.py": "def f(a): pass\n"})
    workspace.opened((tmp_path / "a.py").as_uri(), "python", "def f(unsaved): pass\n")
    assert found(tmp_path, "main.py", "from a import f\n", workspace) == {
        "a.py": "def f(unsaved): ..."
    }


def test_what_is_named_near_the_gap_comes_first(tmp_path):
    write(tmp_path, {"a.py": "def far(): pass\ndef near(): pass\n", "b.py": "def other(): pass\n"})
    text = "from b import other\nfrom a import far, near\n" + "\n" * 2500 + "near("
    assert next(iter(found(tmp_path, "main.py", text).items())) == (
        "a.py",
        "def near(): ...\ndef far(): ...",
    )


def test_the_search_stops_when_its_time_is_over(tmp_path):
    write(tmp_path, {"a.py": TARGET})
    text = "from a import Shop\n"
    snapshot = Snapshot((tmp_path / "main.py").as_uri(), "python", 1, text, Gap(0, 0))
    late = Deadline(-1, no_time)
    assert Imports().snippets(snapshot, Workspace([tmp_path]), late) == []
    assert late.asked_late


def test_an_open_file_counts_as_it_is_in_the_editor_however_its_address_is_escaped(tmp_path):
    write(tmp_path, {"shop.py": "class Old: ...\n"})
    uri = (tmp_path / "shop.py").as_uri()
    workspace = Workspace([tmp_path], clock=no_time)
    workspace.opened(uri.replace("shop", "%73hop"), "python", TARGET)
    assert found(tmp_path, "main.py", "from shop import Shop\n", workspace) == {"shop.py": SELL}
    workspace.closed(uri.replace("shop", "%73hop"))
    assert found(tmp_path, "main.py", "from shop import Shop\n", workspace) == {}


def test_an_open_file_counts_as_it_is_in_the_editor_where_a_link_leads_to_its_folder(tmp_path):
    root = link(tmp_path / "tmp", tmp_path / "private", is_folder=True)  # as /tmp is on macOS
    write(tmp_path / "private", {"shop.py": TARGET})
    workspace = Workspace([root], clock=no_time)
    uri = (root / "shop.py").as_uri()
    workspace.opened(uri, "python", TARGET.replace("sell", "buy"))
    text = "from shop import Shop\n"
    assert "buy" in found(root, "main.py", text, workspace)["shop.py"]
    workspace.closed(uri)
    assert "buy" not in found(root, "main.py", text, workspace)["shop.py"]
